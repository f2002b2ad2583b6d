//! Which of several gateways a client dials. Clients are spread round robin by their numbers, so that each
//! process and worker finds the same gateways without asking. A client keeps to its gateway also when its line
//! breaks, as one behind an affine balancer does; where a gateway cannot be reached twice in a row, it goes on
//! to the next and stays there, so a run survives the loss of a gateway.

/// Dials in a row that may fail before the next gateway is tried.
const FAILURES: u8 = 2;

/// The gateway of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice {
    number: u16,
    failed: u8,
}

impl Choice {
    /// The first gateway of a client.
    pub(super) fn new(client: u32, gateways: usize) -> Self {
        let number = client as usize % gateways.max(1);
        Self { number: u16::try_from(number).unwrap_or(0), failed: 0 }
    }

    /// Its place among all gateways.
    pub(super) fn number(self) -> usize {
        usize::from(self.number)
    }

    /// A WebSocket stands.
    pub(super) fn reached(&mut self) {
        self.failed = 0;
    }

    /// A dial came to nothing.
    pub(super) fn failed(&mut self, gateways: usize) {
        self.failed += 1;
        if self.failed >= FAILURES {
            let next = (self.number() + 1) % gateways.max(1);
            *self = Self { number: u16::try_from(next).unwrap_or(0), failed: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_after_two_failures_in_a_row() {
        let numbers: Vec<usize> = (0..5).map(|client| Choice::new(client, 3).number()).collect();
        assert_eq!(numbers, [0, 1, 2, 0, 1]);
        let mut choice = Choice::new(2, 3);
        choice.failed(3);
        choice.reached();
        choice.failed(3);
        assert_eq!(choice.number(), 2, "not in a row");
        choice.failed(3);
        assert_eq!(choice.number(), 0);
        choice.failed(3);
        assert_eq!(choice.number(), 0, "it stays there");
    }
}
