//! Where the messages of a durable group end, for an owner that begins. What an earlier owner had
//! under way when it was lost may be there or not, and may still arrive.
//!
//! The owner keeps a note with the group: the name of its life, and a number up to which everything is
//! there. It works like this:
//!
//! 1. It finds the note of the life before it, and goes on from that number over the rows of that
//!    very life, as far as they follow each other. That is the end.
//! 2. It writes a note of its own, with that end, and waits until it is durable: before its first
//!    append, and unless the last life was closed, before it answers anything. It may move the number
//!    on later, over rows that are durable.
//! 3. It appends one batch at a time, right behind the last, and takes the next one only after it was
//!    acknowledged. Every row names its life.
//! 4. If it ends in order, it closes its note: with the end, and nothing under way.
//!
//! Of two writes of one row, or of two notes, the later life's stays, whichever arrives last. So what
//! arrives late is a ghost: it is written over, or lies behind the note under another life's name.
//! And what was once found cannot be written over: who could do that had to leave a note first.

/// Finds the end of the rows, which are shown to it in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    /// The last number that counts.
    pub(super) head: u32,
    /// The life whose rows count behind the note.
    epoch: u64,
}

impl Tail {
    /// Goes on from a note.
    pub(super) fn behind(head: u32, epoch: u64) -> Self {
        Self { head, epoch }
    }

    /// Shows it the next row. False: the history ends before it, and nothing behind it counts.
    pub(super) fn take(&mut self, msg_seq: u32, epoch: u64) -> bool {
        let next = self.head.checked_add(1) == Some(msg_seq) && epoch == self.epoch;
        if next {
            self.head = msg_seq;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Tail;

    /// What becomes of a write.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fate {
        /// Durable and acknowledged; the life goes on.
        Acknowledged,
        /// Durable, but nobody learns of it; the life ends.
        Unheard,
        /// Never done; the life ends.
        Lost,
        /// Done after so many further steps; the life ends at once.
        Late(usize),
        /// As late, but a part of the replicas has it already: a read may see it or not.
        Torn(usize),
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            6 => Just(Fate::Acknowledged),
            1 => Just(Fate::Unheard),
            1 => Just(Fate::Lost),
            2 => (0..12usize).prop_map(Fate::Late),
            1 => (0..12usize).prop_map(Fate::Torn),
        ]
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// Messages in the batch, and what becomes of them; of the life's first note, too.
        Append(u32, Fate, Fate),
        /// The note's number moves on.
        Note(Fate),
        /// The life ends in order, with a last note.
        Retire(Fate),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let append = (1..6u32, fate(), fate());
        let step = prop_oneof![
            8 => append.prop_map(|(number, fate, note)| Step::Append(number, fate, note)),
            1 => fate().prop_map(Step::Note),
            1 => fate().prop_map(Step::Retire),
        ];
        prop::collection::vec(step, 0..80)
    }

    #[derive(Debug, Clone)]
    enum Write {
        /// Number and content of each row.
        Rows(Vec<(u32, u32)>),
        /// Head, and whether it is closed.
        Note(u32, bool),
    }

    /// A write that a replica will get some time.
    #[derive(Debug)]
    struct Open {
        due: usize,
        life: u64,
        order: usize,
        write: Write,
        visible: bool,
    }

    #[derive(Debug, Default)]
    struct Note {
        head: u32,
        life: u64,
        closed: bool,
        order: usize,
    }

    /// The store and the owner of the moment. Write times are the order in which writes began.
    #[derive(Debug, Default)]
    struct Model {
        /// Life, content and write time of each row.
        rows: BTreeMap<u32, (u64, u32, usize)>,
        note: Note,
        open: Vec<Open>,
        now: usize,
        life: u64,
        has_note: bool,
        head: u32,
        /// What was acknowledged, or shown to readers: number and content.
        known: BTreeMap<u32, u32>,
    }

    impl Model {
        fn arrive(&mut self, life: u64, order: usize, write: Write) {
            match write {
                Write::Rows(rows) => {
                    for (seq, content) in rows {
                        let row = self.rows.entry(seq).or_insert((life, content, order));
                        if row.2 <= order {
                            *row = (life, content, order);
                        }
                    }
                }
                Write::Note(head, closed) if self.note.order <= order => {
                    self.note = Note { head, life, closed, order };
                }
                Write::Note(..) => {}
            }
        }

        fn arrive_if(&mut self, come: impl Fn(&Open) -> bool) {
            let (come, open): (Vec<_>, _) =
                std::mem::take(&mut self.open).into_iter().partition(come);
            self.open = open;
            for Open { life, order, write, .. } in come {
                self.arrive(life, order, write);
            }
        }

        /// False: the life is over.
        fn write(&mut self, write: Write, fate: Fate) -> bool {
            self.now += 1;
            let (now, life) = (self.now, self.life);
            self.arrive_if(|open| open.due <= now);
            match fate {
                Fate::Acknowledged | Fate::Unheard => self.arrive(life, now, write),
                Fate::Lost => {}
                Fate::Late(after) | Fate::Torn(after) => {
                    let visible = matches!(fate, Fate::Torn(_));
                    self.open.push(Open { due: now + 1 + after, life, order: now, write, visible });
                }
            }
            fate == Fate::Acknowledged
        }

        fn append(&mut self, number: u32, fate: Fate, note: Fate, content: &mut u32) -> bool {
            if !self.has_note && !self.write(Write::Note(self.head, false), note) {
                return false;
            }
            self.has_note = true;
            let mut next = || {
                *content += 1;
                *content
            };
            let rows: Vec<_> = (1..=number).map(|place| (self.head + place, next())).collect();
            let acknowledged = self.write(Write::Rows(rows.clone()), fate);
            if acknowledged {
                self.head += number;
                self.known.extend(rows);
            }
            acknowledged
        }

        /// The next life begins, or the one after it, if the note that it needs fails.
        fn begin(&mut self, chance: &mut impl Iterator<Item = (bool, Fate)>) {
            loop {
                // It sees torn writes or not; once seen, a read repairs them.
                let (sees_torn, note) = chance.next().unwrap();
                self.arrive_if(|open| open.visible && sees_torn);
                self.life += 1;
                let mut tail = Tail::behind(self.note.head, self.note.life);
                for (seq, (life, _, _)) in self.rows.range(self.note.head + 1..) {
                    if !tail.take(*seq, *life) {
                        break;
                    }
                }
                self.head = tail.head;
                self.has_note = !self.note.closed;
                if !self.has_note || self.write(Write::Note(tail.head, false), note) {
                    break;
                }
            }
            // From here on it is shown to readers, and answers repetitions.
            for (seq, (_, content, _)) in self.rows.range(..=self.head) {
                self.known.entry(*seq).or_insert(*content);
            }
        }

        fn check(&self) -> Result<(), TestCaseError> {
            for (seq, content) in &self.known {
                prop_assert!(*seq <= self.head, "{seq} is behind the head {}", self.head);
                prop_assert_eq!(self.rows[seq].1, *content, "row {} changed", seq);
            }
            prop_assert_eq!(self.known.len(), self.head as usize, "a hole");
            Ok(())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// Lives one after the other, whose last writes fail in all ways: whatever was acknowledged,
        /// or found by a later life, stays what it is, and no number is skipped.
        #[test]
        fn what_was_acknowledged_stays_and_is_dense(
            steps in steps(),
            chances in prop::collection::vec((any::<bool>(), fate()), 100),
        ) {
            let mut model = Model::default();
            let mut chances = chances.into_iter().chain([(true, Fate::Acknowledged)]).cycle();
            let mut content = 0;
            model.begin(&mut chances);
            for step in steps {
                let goes_on = match step {
                    Step::Append(number, fate, note) => {
                        model.append(number, fate, note, &mut content)
                    }
                    Step::Note(fate) if model.has_note => {
                        model.write(Write::Note(model.head, false), fate)
                    }
                    Step::Note(_) => true,
                    Step::Retire(fate) => {
                        if model.has_note {
                            model.write(Write::Note(model.head, true), fate);
                        }
                        false
                    }
                };
                if !goes_on {
                    model.begin(&mut chances);
                }
                model.check()?;
            }
        }
    }

    #[test]
    fn only_rows_of_the_life_that_left_the_note_count_behind_it() {
        let mut tail = Tail::behind(5, 2);
        assert!(tail.take(6, 2));
        assert!(!tail.take(7, 1), "a ghost");
        assert!(!tail.take(8, 2));
        assert_eq!(tail.head, 6);
        assert!(!Tail::behind(5, 2).take(6, 3));
    }

    #[test]
    fn nothing_counts_behind_a_hole() {
        let mut tail = Tail::behind(0, 7);
        assert!(tail.take(1, 7));
        assert!(!tail.take(3, 7));
        assert_eq!(tail.head, 1);
        assert!(!Tail::behind(u32::MAX, 1).take(0, 1));
    }
}
