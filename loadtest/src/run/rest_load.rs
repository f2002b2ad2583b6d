//! Requests of the app's server over REST, at a rate that does not depend on the answers: whichever
//! connection is free takes the next one, and its latency counts from the moment it was meant for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;

use super::Clock;
use super::setup::Admin;
use crate::client::address::Gateway;
use crate::client::common::Common;
use crate::measure::Latency;
use crate::plan::{Nanos, SECOND};
use crate::profile::Rest;

/// What came of it.
#[derive(Debug, Default)]
pub struct RestOutcome {
    /// From the intended moment to the answer.
    pub latency: Latency,
    /// Requests that were answered well.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Why the first one did.
    pub first_failure: Option<String>,
}

/// What all connections share.
pub(super) struct RestPlan {
    pub(super) gateways: Vec<Gateway>,
    pub(super) common: Common,
    pub(super) admin: String,
    pub(super) clock: Clock,
    /// When requests begin and end.
    pub(super) from: Nanos,
    pub(super) until: Nanos,
    pub(super) rest: Rest,
    /// The group that is asked for.
    pub(super) group: String,
}

/// The connections at work.
pub(super) struct RestLoad(Vec<JoinHandle<RestOutcome>>);

impl RestLoad {
    pub(super) fn start(plan: RestPlan) -> Self {
        let (plan, next) = (Arc::new(plan), Arc::new(AtomicU64::new(0)));
        let work = |_| {
            let (plan, next) = (Arc::clone(&plan), Arc::clone(&next));
            thread::spawn(move || work(&plan, &next))
        };
        Self((0..plan.rest.connections).map(work).collect())
    }

    /// Waits for the last answer.
    pub(super) fn finish(self) -> RestOutcome {
        let mut all = RestOutcome::default();
        for one in self.0.into_iter().filter_map(|thread| thread.join().ok()) {
            all.latency.add(&one.latency);
            all.answered += one.answered;
            all.failed += one.failed;
            all.first_failure = all.first_failure.or(one.first_failure);
        }
        all
    }
}

fn work(plan: &RestPlan, next: &AtomicU64) -> RestOutcome {
    let mut outcome = RestOutcome::default();
    let mut admin = None;
    let body = json!({ "GroupIdList": [plan.group] });
    if plan.rest.requests_per_second <= 0.0 {
        return outcome;
    }
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed) as f64;
        let at = plan.from + (number * SECOND as f64 / plan.rest.requests_per_second) as Nanos;
        if at >= plan.until {
            return outcome;
        }
        loop {
            let now = plan.clock.now();
            if now >= at {
                break;
            }
            thread::park_timeout(Duration::from_nanos(at - now));
        }
        if admin.is_none() {
            let unix = plan.clock.unix_began_s();
            admin = Admin::connect(&plan.gateways, &plan.common, &plan.admin, unix).ok();
        }
        let result = match &mut admin {
            Some(admin) => admin
                .call("group_open_http_svc/get_group_info", &body)
                .map_err(|error| error.to_string()),
            None => Err("no connection".to_owned()),
        };
        match result {
            Ok(()) => {
                outcome.answered += 1;
                outcome.latency.record(plan.clock.now().saturating_sub(at));
            }
            Err(error) => {
                outcome.failed += 1;
                outcome.first_failure.get_or_insert(error);
                admin = None;
            }
        }
    }
}
