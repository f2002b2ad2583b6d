//! The gate of rates: each app has a budget for each command, as documented, and one over all.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use throng_protocol::catalogue::{self, Callers, Command};
use throng_protocol::error::{Code, CommandError};
use throng_protocol::ids::AppId;

type Limiter<K, C> =
    RateLimiter<K, DefaultKeyedStateStore<K>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The budgets. Keys are apps that exist, and commands of the catalogue: nobody can add to them.
pub(super) struct Rates<C: Clock = DefaultClock> {
    apps: Limiter<AppId, C>,
    /// By requests a second: few commands have a rate of their own.
    commands: HashMap<u32, Limiter<(AppId, &'static str), C>>,
}

impl<C: Clock> std::fmt::Debug for Rates<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rates").finish_non_exhaustive()
    }
}

impl Rates {
    pub(super) fn new(requests_per_second: u32) -> Self {
        Self::with_clock(requests_per_second, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> Rates<C> {
    fn with_clock(requests_per_second: u32, clock: &C) -> Self {
        let callable =
            catalogue::commands().filter(|command| command.callers.contains(Callers::REST));
        let rates: HashSet<u32> = callable.map(|command| command.rate).collect();
        let limiter = |rate| (rate, RateLimiter::dashmap_with_clock(a_second(rate), clock.clone()));
        Self {
            apps: RateLimiter::dashmap_with_clock(a_second(requests_per_second), clock.clone()),
            commands: rates.into_iter().map(limiter).collect(),
        }
    }

    /// Takes one request out of the app's budgets.
    ///
    /// # Errors
    /// 60011 when the app's is used up, 60007 when the command's is.
    pub(super) fn take(
        &self,
        app: AppId,
        command: Option<&'static Command>,
    ) -> Result<(), CommandError> {
        if self.apps.check_key(&app).is_err() {
            return Err(Code::RATE_APP.with("the app makes too many requests a second"));
        }
        let Some(command) = command else {
            return Ok(());
        };
        let limiter = self.commands.get(&command.rate);
        if limiter.is_some_and(|limiter| limiter.check_key(&(app, command.name)).is_err()) {
            let info = format!("{}: more than {} requests a second", command.name, command.rate);
            return Err(Code::RATE_INTERFACE.with(info));
        }
        Ok(())
    }
}

/// A budget that may be spent at once and fills evenly.
fn a_second(requests: u32) -> Quota {
    Quota::per_second(NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    const APP: AppId = AppId(7);

    fn taken(rates: &Rates<FakeRelativeClock>, app: AppId, command: &'static Command) -> u32 {
        let results = std::iter::from_fn(|| Some(rates.take(app, Some(command))));
        let first_refused = results.take(100_000).position(|result| result.is_err());
        u32::try_from(first_refused.unwrap()).unwrap()
    }

    #[test]
    fn a_command_has_its_documented_rate_for_each_app() {
        let clock = FakeRelativeClock::default();
        let rates = Rates::with_clock(10_000, &clock);
        let send = catalogue::lookup("group_open_http_svc", "send_group_msg").unwrap();
        let check = catalogue::lookup("im_open_login_svc", "account_check").unwrap();
        assert_eq!(taken(&rates, APP, send), send.rate);
        assert_eq!(taken(&rates, APP, check), 100, "its own budget");
        assert_eq!(taken(&rates, AppId(8), send), send.rate, "each app has its own");
        assert_eq!(rates.take(APP, Some(send)).unwrap_err().code, Code::RATE_INTERFACE);
        clock.advance(Duration::from_secs(1));
        assert_eq!(taken(&rates, APP, send), send.rate);
    }

    #[test]
    fn the_app_has_a_budget_over_all_commands() {
        let rates = Rates::with_clock(3, &FakeRelativeClock::default());
        let send = catalogue::lookup("group_open_http_svc", "send_group_msg").unwrap();
        rates.take(APP, None).unwrap();
        assert_eq!(taken(&rates, APP, send), 2);
        assert_eq!(rates.take(APP, Some(send)).unwrap_err().code, Code::RATE_APP);
        assert_eq!(rates.take(APP, None).unwrap_err().code, Code::RATE_APP);
    }
}
