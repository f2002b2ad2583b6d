//! Beacons: the bus may lose the last event before a silence, and no later one would show it. So
//! some time after it the room says where its stream stands.

use throng_proto::v1;

use super::Room;
use crate::actor::{Now, Unit};

/// Times after the last event, milliseconds.
const AFTER_MS: [u64; 2] = [1_000, 5_000];

/// When to send them.
#[derive(Debug, Default)]
pub(super) struct Beacons {
    /// Number of the last event that was seen, and when.
    head: u64,
    since: u64,
    /// How many of them went out after it.
    sent: usize,
}

impl Beacons {
    /// When the next one is due, milliseconds.
    fn due(&self) -> Option<u64> {
        let after = AFTER_MS.get(self.sent).filter(|_| self.head > 0)?;
        Some(self.since.saturating_add(*after))
    }

    /// Sees the number of the stream's last event. True: send one now.
    fn tick(&mut self, head: u64, now_ms: u64) -> bool {
        if head != self.head {
            *self = Self { head, since: now_ms, sent: 0 };
        }
        let due = self.due().is_some_and(|due| due <= now_ms);
        while self.due().is_some_and(|due| due <= now_ms) {
            self.sent += 1;
        }
        due
    }
}

impl Room {
    /// Says where the stream stands, if anybody may listen.
    pub(crate) fn beacon(&self, unit: &mut Unit) {
        let position = self.position();
        if position.event_no == 0 || self.members.is_empty() {
            return;
        }
        unit.beacon = Some(v1::RoomEvent {
            app: self.key.app.0,
            group_id: self.key.group_id.to_string(),
            position: Some(position),
            beacon: true,
            ..v1::RoomEvent::default()
        });
    }

    pub(super) fn send_due_beacons(&mut self, now: Now, unit: &mut Unit) {
        if self.beacons.tick(self.position().event_no, now.ms) {
            self.beacon(unit);
        }
    }

    /// When a beacon is due, milliseconds of the actor's clock.
    pub(super) fn next_beacon(&self) -> Option<u64> {
        self.beacons.due().filter(|_| !self.members.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks at each due time from `from` on; the times at which one went out.
    fn run(beacons: &mut Beacons, head: u64, from: u64) -> Vec<u64> {
        let mut sent = Vec::new();
        let mut now = from;
        loop {
            if beacons.tick(head, now) {
                sent.push(now);
            }
            match beacons.due() {
                Some(due) => now = due,
                None => return sent,
            }
        }
    }

    #[test]
    fn each_silence_gets_two() {
        let mut beacons = Beacons::default();
        assert!(!beacons.tick(0, 10) && beacons.due().is_none(), "nothing to lose yet");
        assert_eq!(run(&mut beacons, 1, 100), [1_100, 5_100]);
        assert_eq!(run(&mut beacons, 2, 9_000), [10_000, 14_000]);
    }

    #[test]
    fn an_event_puts_them_off_and_a_late_call_sends_one() {
        let mut beacons = Beacons::default();
        assert!(!beacons.tick(1, 0));
        assert!(!beacons.tick(2, 999));
        assert!(!beacons.tick(2, 1_000));
        assert!(beacons.tick(2, 9_000));
        assert_eq!(beacons.due(), None);
    }
}
