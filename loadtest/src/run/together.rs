//! After the end: what all workers saw becomes one account.

use std::collections::BTreeMap;

use super::coordinate::{Counts, Outcome};
use super::worker::WorkerOutcome;
use crate::check::{Fate, Findings, Outcome as Fates, RoomFacts, Witness, judge};
use crate::measure::{Latency, Logins, Second};
use crate::plan::Plan;

/// Puts together what workers saw, and judges every room.
pub(super) fn put_together(
    plan: &Plan,
    outcomes: Vec<WorkerOutcome>,
    seconds: &[Second],
) -> Outcome {
    let (mut delivery, mut ack, mut lag) =
        (Latency::default(), Latency::default(), Latency::default());
    let mut witnesses: Vec<Witness> =
        plan.messages_of_rooms().into_iter().map(Witness::new).collect();
    let mut members: Vec<Vec<_>> = vec![Vec::new(); plan.rooms as usize];
    let mut fates: Vec<Vec<Fate>> = vec![Vec::new(); plan.rooms as usize];
    let mut counts = Counts { planned: plan.messages.len() as u64, ..Counts::default() };
    let mut trouble = BTreeMap::new();
    let mut all_fates = vec![Fate::default(); plan.messages.len()];
    let mut logins = Logins::default();
    for outcome in outcomes {
        logins.add(&outcome.logins);
        delivery.add(&outcome.delivery);
        ack.add(&outcome.ack);
        lag.add(&outcome.lag);
        counts.returned += outcome.returned;
        counts.left += outcome.left;
        counts.lost_clients += outcome.gone;
        for (what, count) in outcome.trouble {
            *trouble.entry(what).or_default() += count;
        }
        for (known, seen) in witnesses.iter_mut().zip(outcome.witnesses) {
            known.merge(seen);
        }
        for (client, room, member) in outcome.members {
            members[room as usize].push((client, member));
        }
        for (number, fate) in outcome.fates {
            all_fates[number as usize] = fate;
        }
    }
    for (message, fate) in plan.messages.iter().zip(all_fates.iter().copied()) {
        let (sent, dropped) = counts.priorities.entry(message.priority.wire()).or_default();
        *sent += u64::from(fate.outcome != Fates::Unsent);
        *dropped += u64::from(fate.outcome == Fates::Dropped);
        fates[message.room as usize].push(fate);
    }
    for second in seconds {
        counts.sent += second.sent;
        counts.acknowledged += second.acknowledged;
        counts.dropped += second.dropped;
        counts.failed += second.failed;
        counts.broken_lines += second.broken;
    }
    let mut findings = Findings::default();
    for (room, ((fates, witness), members)) in (0..).zip(fates.iter().zip(&witnesses).zip(&members))
    {
        let facts = RoomFacts { room, kind: plan.kinds[room as usize], fates, witness };
        let members = members.iter().map(|(client, member)| (*client, member));
        judge(facts, members, &mut findings);
    }
    Outcome {
        began_unix_s: 0,
        fates: all_fates,
        findings,
        counts,
        delivery: delivery.quantiles(),
        ack: ack.quantiles(),
        lag: lag.quantiles(),
        logins: logins.times(),
        cut_off: false,
        workers: Vec::new(),
        bytes_per_client: None,
        fill_seconds: 0.0,
        seconds: Vec::new(),
        target: Vec::new(),
        processes: Vec::new(),
        quiet_second: 0,
        trouble,
        rest: None,
    }
}
