//! Values that make no sense, found before anything is dialled.

use super::{Phases, Profile, ProfileError};

/// Messages of one run; each costs every member of its room a bit, and the plan 24 bytes.
const MOST_MESSAGES: f64 = 2e6;

pub(super) fn check(profile: &Profile) -> Result<(), ProfileError> {
    let fail = |field, problem| Err(ProfileError::Field { field, problem });
    let Profile { rooms, login, phases, traffic, bursts, churn, cuts, rest, .. } = profile;
    if rooms.count == 0 && rest.is_none() && login.clients == 0 {
        return fail("rooms.count", "no room, no login, and nothing over REST: nothing to do");
    }
    if rooms.count > 0 && rooms.members == 0 {
        return fail("rooms.members", "must not be 0");
    }
    let members = rooms.count.checked_mul(rooms.members);
    if members.and_then(|members| members.checked_add(login.clients)).is_none() {
        return fail("rooms.members", "too many clients");
    }
    let Phases { warmup_seconds, measure_seconds, drain_seconds, leave_seconds, .. } = *phases;
    let times = [warmup_seconds, measure_seconds, drain_seconds, leave_seconds];
    if times.iter().any(|seconds| !(0.0..=86_400.0).contains(seconds)) {
        return fail("phases", "times are from 0 to 86,400 seconds");
    }
    if phases.measure_seconds < 1.0 {
        return fail("phases.measure_seconds", "must be at least 1");
    }
    if phases.connects_per_second == 0 {
        return fail("phases.connects_per_second", "must not be 0");
    }
    if traffic.senders == 0 {
        return fail("traffic.senders", "must not be 0");
    }
    if traffic.body_bytes > 8_000 {
        return fail("traffic.body_bytes", "a message has at most 8,000 bytes of text");
    }
    let rate = |rate: f64| rate.is_finite() && rate >= 0.0;
    if !rate(traffic.messages_per_second) {
        return fail("traffic.messages_per_second", "must not be negative");
    }
    let mut messages =
        traffic.messages_per_second * (phases.warmup_seconds + phases.measure_seconds);
    for burst in bursts {
        if !rate(burst.messages_per_second) || !rate(burst.for_seconds) || !rate(burst.at_seconds) {
            return fail("bursts", "numbers must not be negative");
        }
        messages += burst.messages_per_second * burst.for_seconds;
    }
    if messages * f64::from(rooms.count) > MOST_MESSAGES {
        return fail("traffic.messages_per_second", "more than two million messages in one run");
    }
    for shares in
        std::iter::once(&traffic.priorities).chain(bursts.iter().map(|one| &one.priorities))
    {
        if shares.high + shares.normal + shares.low + shares.lowest == 0 {
            return fail("priorities", "all are 0");
        }
    }
    if let Some(churn) = churn {
        if !rate(churn.leaves_per_second) || !rate(churn.away_seconds) {
            return fail("churn", "numbers must not be negative");
        }
        if phases.leave_seconds > 0.0 {
            return fail("phases.leave_seconds", "cannot be told from churn");
        }
        if rooms.members <= traffic.senders {
            return fail("churn", "senders stay, and there is nobody else");
        }
    }
    if cuts.iter().any(|cut| !(cut.share > 0.0 && cut.share <= 1.0 && rate(cut.at_seconds))) {
        return fail("cuts.share", "must be above 0 and at most 1");
    }
    if let Some(rest) = rest
        && (!rate(rest.requests_per_second) || !(1..=256).contains(&rest.connections))
    {
        return fail("rest", "needs a rate, and 1 to 256 connections");
    }
    Ok(())
}
