//! The room's MsgSeq: one counter for messages, tips and notices, strictly rising over restarts.

use throng_node::invariant;
use throng_store::Op;

use crate::storage::{RowKind, SequenceRow, put_row};

/// Numbers reserved by one durable row. A restart skips what is left of them.
const BLOCK: u32 = 500;

/// Gives out sequence numbers. A live room may have gaps: clients do not look for them.
#[derive(Debug)]
pub(crate) struct Sequence {
    start: u32,
    last: u32,
    /// `None`: numbers rise by one, and the log tells the last one.
    reserved: Option<u32>,
}

impl Sequence {
    /// Goes on after everything that may have been given out.
    pub(crate) fn resume(row: SequenceRow) -> Self {
        Self { start: row.reserved, last: row.reserved, reserved: Some(row.reserved) }
    }

    /// Goes on behind the end of a log, without a gap.
    pub(crate) fn behind(head: u32) -> Self {
        Self { start: head, last: head, reserved: None }
    }

    /// The number before the first one of this life: none of an earlier life is greater.
    pub(crate) fn start(&self) -> u32 {
        self.start
    }

    /// The next number. A row that reserves more goes into `ops`, which are durable before the
    /// number is seen outside.
    pub(crate) fn next(&mut self, ops: &mut Vec<Op>) -> u32 {
        let before = self.last;
        self.last = self.last.saturating_add(1);
        invariant!(Ord1, self.last > before, "a room has used up all sequence numbers");
        if self.reserved.is_some_and(|reserved| self.last > reserved) {
            let reserved = self.last.saturating_add(BLOCK - 1);
            self.reserved = Some(reserved);
            ops.push(put_row(RowKind::Sequence, "", &SequenceRow { reserved }));
        }
        self.last
    }

    /// The last number given out, or that may have been.
    pub(crate) fn last(&self) -> u32 {
        self.last
    }

    /// Gives back what is reserved and was not used.
    pub(crate) fn release(&mut self, ops: &mut Vec<Op>) {
        if self.reserved.is_some_and(|reserved| reserved > self.last) {
            self.reserved = Some(self.last);
            ops.push(put_row(RowKind::Sequence, "", &SequenceRow { reserved: self.last }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_never_repeats_a_number() {
        let mut ops = Vec::new();
        let mut first = Sequence::resume(SequenceRow { reserved: 0 });
        assert_eq!(first.next(&mut ops), 1);
        assert_eq!(ops.len(), 1, "the first number reserves a block");
        for _ in 0..BLOCK - 1 {
            first.next(&mut ops);
        }
        assert_eq!((first.last(), ops.len()), (BLOCK, 1));
        first.next(&mut ops);
        assert_eq!(ops.len(), 2);
        // Killed here: the next life starts behind the reserved block.
        let mut second = Sequence::resume(SequenceRow { reserved: first.reserved.unwrap() });
        assert!(second.next(&mut ops) > first.last());
    }

    #[test]
    fn an_orderly_end_leaves_no_gap() {
        let mut ops = Vec::new();
        let mut first = Sequence::resume(SequenceRow { reserved: 0 });
        first.next(&mut ops);
        first.release(&mut ops);
        let mut second = Sequence::resume(SequenceRow { reserved: first.reserved.unwrap() });
        assert_eq!(second.next(&mut ops), 2);
    }

    #[test]
    fn behind_a_log_nothing_is_reserved() {
        let mut ops = Vec::new();
        let mut sequence = Sequence::behind(41);
        assert_eq!((sequence.next(&mut ops), sequence.next(&mut ops)), (42, 43));
        sequence.release(&mut ops);
        assert!(ops.is_empty());
    }
}
