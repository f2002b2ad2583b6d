//! Round trips to the server and back. A server works through the commands of a connection in
//! order, so the echo of a message says that it has done everything that was written before.

use std::collections::VecDeque;

use tokio::sync::mpsc;

/// Tells one who waits. It may be in several rounds, and hears of the first that comes back.
pub(super) type Waiter = mpsc::Sender<()>;

/// Who waits for which echo. Those who ask at about the same time share one.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    last: u64,
    open: VecDeque<(u64, Vec<Waiter>)>,
}

impl Rounds {
    /// Begins a round for some; returns its number, which is to be published next.
    pub(super) fn begin(&mut self, waiting: Vec<Waiter>) -> u64 {
        // Who waits no longer is forgotten, with the rounds whose echo was lost.
        self.open.retain_mut(|(_, waiting)| {
            waiting.retain(|waiter| !waiter.is_closed());
            !waiting.is_empty()
        });
        self.last += 1;
        self.open.push_back((self.last, waiting));
        self.last
    }

    /// The echo of a round came; an earlier one's is then not to come any more.
    pub(super) fn came_back(&mut self, number: u64) {
        while self.open.front().is_some_and(|(open, _)| *open <= number) {
            for waiter in self.open.pop_front().into_iter().flat_map(|(_, waiting)| waiting) {
                // Fails for one who gave up, or knows already.
                let _ = waiter.try_send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter() -> (Waiter, mpsc::Receiver<()>) {
        mpsc::channel(1)
    }

    #[test]
    fn an_echo_answers_its_round_and_earlier_ones() {
        let mut rounds = Rounds::default();
        let [(a, mut a_back), (b, mut b_back), (c, mut c_back)] = [(); 3].map(|()| waiter());
        assert_eq!(rounds.begin(vec![a.clone()]), 1);
        assert_eq!(rounds.begin(vec![b]), 2);
        assert_eq!(rounds.begin(vec![a, c]), 3);
        rounds.came_back(2);
        assert_eq!((a_back.try_recv(), b_back.try_recv()), (Ok(()), Ok(())));
        assert!(c_back.try_recv().is_err());
        rounds.came_back(1);
        rounds.came_back(3);
        assert_eq!(c_back.try_recv(), Ok(()));
        assert!(rounds.open.is_empty());
    }

    #[test]
    fn those_who_gave_up_are_forgotten() {
        let mut rounds = Rounds::default();
        for _ in 0..100 {
            let (waiter, _) = waiter();
            rounds.begin(vec![waiter]);
        }
        assert_eq!(rounds.open.len(), 1);
    }
}
