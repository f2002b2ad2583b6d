//! Arbitrary runs: a faithful one is clean, and every planted fault is found as what it is.

use proptest::prelude::*;

use super::*;
use crate::profile::RoomKind;

/// Messages are sent at `place * STEP` and answered half a step later.
const STEP: u64 = 1_000;

#[derive(Debug, Clone)]
struct Run {
    kind: RoomKind,
    outcomes: Vec<Outcome>,
    members: usize,
}

fn run() -> impl Strategy<Value = Run> {
    let kind = prop_oneof![Just(RoomKind::AVChatRoom), Just(RoomKind::Public)];
    (kind, 3_usize..200, 2_usize..6, any::<u64>()).prop_map(|(kind, messages, members, bits)| {
        let mut seq = 0;
        let outcomes = (0..messages)
            .map(|place| {
                let live = kind == RoomKind::AVChatRoom;
                // Live rooms drop, and their numbers have gaps.
                if live && (bits >> (place % 64)) & 1 == 1 && place > 1 {
                    return Outcome::Dropped;
                }
                seq += if live { 1 + u32::try_from(place % 3).unwrap() } else { 1 };
                Outcome::Kept(seq)
            })
            .collect();
        Run { kind, outcomes, members }
    })
}

impl Run {
    fn fates(&self) -> Vec<Fate> {
        (0_u64..)
            .zip(&self.outcomes)
            .map(|(place, outcome)| Fate {
                sent: (place + 1) * STEP,
                settled: (place + 1) * STEP + STEP / 2,
                outcome: *outcome,
            })
            .collect()
    }

    /// Places and numbers of what everybody must get.
    fn kept(&self) -> Vec<(u32, u32)> {
        (0..)
            .zip(&self.outcomes)
            .filter_map(|(place, outcome)| match outcome {
                Outcome::Kept(seq) => Some((place, *seq)),
                _ => None,
            })
            .collect()
    }

    /// Delivers to each member what `change` makes of it.
    fn judge(&self, change: impl Fn(usize, &mut Vec<(u32, u32)>)) -> Findings {
        let messages = u32::try_from(self.outcomes.len()).unwrap();
        let mut witness = Witness::new(messages);
        let members: Vec<(u32, Member)> = (0..self.members)
            .map(|number| {
                let mut member = Member::new(messages);
                member.joined(0);
                let mut deliveries = self.kept();
                change(number, &mut deliveries);
                for (place, seq) in deliveries {
                    member.take(place, seq);
                    witness.message(place, seq);
                }
                (u32::try_from(number).unwrap(), member)
            })
            .collect();
        let mut findings = Findings::default();
        let fates = self.fates();
        let room = RoomFacts { room: 0, kind: self.kind, fates: &fates, witness: &witness };
        judge(room, members.iter().map(|(number, member)| (*number, member)), &mut findings);
        findings
    }
}

fn only(findings: &Findings, kind: &str, count: u64) {
    for (name, found) in findings.violations() {
        assert_eq!(found, if name == kind { count } else { 0 }, "{name}: {findings:?}");
    }
    assert_eq!(findings.is_clean(), count == 0);
    assert_eq!(findings.examples.is_empty(), count == 0);
}

proptest! {
    #[test]
    fn a_faithful_run_is_clean(run in run()) {
        let findings = run.judge(|_, _| {});
        only(&findings, "lost", 0);
        let owed = (run.kept().len() * run.members) as u64;
        prop_assert_eq!((findings.owed, findings.delivered), (owed, owed));
    }

    #[test]
    fn one_lost_delivery_is_found(run in run(), which: prop::sample::Index) {
        let lost = which.index(run.kept().len());
        let findings = run.judge(|member, deliveries| {
            if member == 1 {
                deliveries.remove(lost);
            }
        });
        only(&findings, "lost", 1);
    }

    #[test]
    fn a_message_that_reached_nobody_is_lost_to_all(run in run(), which: prop::sample::Index) {
        let lost = which.index(run.kept().len());
        let findings = run.judge(|_, deliveries| {
            deliveries.remove(lost);
        });
        only(&findings, "lost", run.members as u64);
    }

    #[test]
    fn one_double_is_found(run in run(), which: prop::sample::Index, later: prop::sample::Index) {
        let which = which.index(run.kept().len());
        let findings = run.judge(|member, deliveries| {
            if member == 0 {
                let double = deliveries[which];
                let place = which + 1 + later.index(deliveries.len() - which);
                deliveries.insert(place, double);
            }
        });
        only(&findings, "doubled", 1);
    }

    #[test]
    fn two_that_changed_places_are_found(run in run(), which: prop::sample::Index) {
        prop_assume!(run.kept().len() > 1);
        let which = which.index(run.kept().len() - 1);
        let findings = run.judge(|member, deliveries| {
            if member == 0 {
                deliveries.swap(which, which + 1);
            }
        });
        only(&findings, "reordered", 1);
    }

    #[test]
    fn a_hole_in_a_durable_group_is_found(run in run(), which: prop::sample::Index, gap in 1_u32..5) {
        prop_assume!(run.kind == RoomKind::Public);
        let mut run = run;
        // Everything from here on has a number that is too high.
        let from = 1 + which.index(run.outcomes.len() - 1);
        for outcome in &mut run.outcomes[from..] {
            if let Outcome::Kept(seq) = outcome {
                *seq += gap;
            }
        }
        only(&run.judge(|_, _| {}), "holes", u64::from(gap));
    }

    #[test]
    fn a_member_owes_nothing_of_what_was_sent_while_it_was_out(
        run in run(), from: prop::sample::Index, to: prop::sample::Index,
    ) {
        let messages = run.outcomes.len();
        let (from, to) = (from.index(messages), to.index(messages));
        let (out, back) = (from.min(to) as u64 + 1, from.max(to) as u64 + 2);
        let mut member = Member::new(u32::try_from(messages).unwrap());
        member.joined(0);
        // It left before the first of these was answered, and is back after the last was sent.
        member.left(out * STEP + 1);
        member.joined(back * STEP - 1);
        let mut witness = Witness::new(u32::try_from(messages).unwrap());
        for (place, seq) in run.kept() {
            witness.message(place, seq);
            if !(out..back).contains(&(u64::from(place) + 1)) {
                member.take(place, seq);
            }
        }
        let fates = run.fates();
        let room = RoomFacts { room: 0, kind: run.kind, fates: &fates, witness: &witness };
        let mut findings = Findings::default();
        judge(room, std::iter::once((0, &member)), &mut findings);
        only(&findings, "lost", 0);
        prop_assert_eq!(findings.owed, findings.delivered);
    }
}

#[test]
fn what_a_returning_member_hears_again_is_no_double() {
    let mut member = Member::new(3);
    assert_eq!(member.take(0, 5), Delivery::New);
    member.line_opened();
    assert_eq!(member.take(0, 5), Delivery::Again);
    assert_eq!(member.take(2, 9), Delivery::New);
    assert_eq!(member.take(2, 9), Delivery::Double);
    assert_eq!(member.take(1, 7), Delivery::Reordered);
}

#[test]
fn numbers_that_differ_and_messages_of_nobody() {
    let fate = Fate { sent: 1, settled: 2, outcome: Outcome::Kept(4) };
    let mut witness = Witness::new(1);
    witness.message(0, 5);
    let mut other = Witness::new(1);
    other.message(0, 6);
    other.message(7, 9);
    witness.merge(other);
    let room = RoomFacts { room: 0, kind: RoomKind::AVChatRoom, fates: &[fate], witness: &witness };
    let mut findings = Findings::default();
    judge(room, std::iter::empty(), &mut findings);
    assert_eq!((findings.disagreeing, findings.invented), (2, 1));
}

#[test]
fn dropped_messages_reach_nobody_and_failed_ones_owe_nothing() {
    let fate = |outcome| Fate { sent: 1, settled: 2, outcome };
    let mut witness = Witness::new(2);
    witness.message(0, 1);
    witness.message(1, 2);
    let mut members = vec![Member::new(2), Member::new(2)];
    for member in &mut members {
        member.joined(0);
    }
    members[0].take(0, 1);
    members[0].take(1, 2);
    let fates = [fate(Outcome::Dropped), fate(Outcome::Failed)];
    let room = RoomFacts { room: 0, kind: RoomKind::AVChatRoom, fates: &fates, witness: &witness };
    let mut findings = Findings::default();
    judge(room, (0..).zip(&members), &mut findings);
    assert_eq!((findings.dropped_but_seen, findings.uneven, findings.lost), (1, 1, 0));
}
