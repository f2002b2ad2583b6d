//! The pinned messages of a group (REST notes 01, 3.33 to 3.35).

use throng_protocol::limits;

/// One pinned message, with what names it to clients.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pin {
    /// Its number.
    pub msg_seq: u32,
    /// Who pinned it.
    pub pinner: String,
    /// The number of its sender.
    pub tiny_id: u64,
    /// `Random` of its sender.
    pub random: u32,
    /// Seconds since 1970, its sender's.
    pub client_time: i64,
    /// Seconds since 1970, the server's.
    pub time: i64,
}

/// Why a message was not pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many are pinned as may be (10070).
    Full,
    /// It is pinned (10071).
    Already,
}

/// All pinned messages, the oldest pin first.
#[derive(Debug, Default)]
pub struct Pins(Vec<Pin>);

impl Pins {
    /// As they were stored.
    #[must_use]
    pub fn restore(pins: Vec<Pin>) -> Self {
        Self(pins)
    }

    /// Whether a message could be pinned now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, msg_seq: u32) -> Result<(), Refusal> {
        if self.0.iter().any(|pin| pin.msg_seq == msg_seq) {
            return Err(Refusal::Already);
        }
        if self.0.len() >= limits::PINS { Err(Refusal::Full) } else { Ok(()) }
    }

    /// Pins a message.
    ///
    /// # Errors
    /// Why not.
    pub fn add(&mut self, pin: Pin) -> Result<(), Refusal> {
        self.check(pin.msg_seq)?;
        self.0.push(pin);
        Ok(())
    }

    /// Takes a pin off; `None`: there is none.
    pub fn remove(&mut self, msg_seq: u32) -> Option<Pin> {
        let place = self.0.iter().position(|pin| pin.msg_seq == msg_seq)?;
        Some(self.0.remove(place))
    }

    /// All, the oldest pin first.
    #[must_use]
    pub fn all(&self) -> &[Pin] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(msg_seq: u32) -> Pin {
        Pin { msg_seq, ..Pin::default() }
    }

    #[test]
    fn ten_at_most_each_once_in_the_order_of_pinning() {
        let mut pins = Pins::default();
        for seq in (1..=10).rev() {
            assert_eq!(pins.add(pin(seq)), Ok(()));
        }
        assert_eq!(pins.add(pin(3)), Err(Refusal::Already), "said before that there is no room");
        assert_eq!(pins.add(pin(11)), Err(Refusal::Full));
        assert_eq!(pins.remove(11), None);
        assert_eq!(pins.remove(4), Some(pin(4)));
        assert_eq!(pins.add(pin(11)), Ok(()));
        let order: Vec<_> = pins.all().iter().map(|pin| pin.msg_seq).collect();
        assert_eq!(order, [10, 9, 8, 7, 6, 5, 3, 2, 1, 11]);
    }
}
