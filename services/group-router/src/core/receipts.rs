//! Who has read a message whose sender wants to know (REST notes 01, 3.28 to 3.30). How many were to
//! read it was settled when it was sent: all who see it but its sender. Whoever came later does not
//! count, and whoever left without reading stays unread.
//!
//! Readers are rows, and a count beside them. The sender is told of new counts after a pause: a message
//! that thousands read in a minute makes two pushes a second and not thousands.

use std::collections::{BTreeMap, HashSet};

use super::addressees::Addressees;
use super::hot::Hot;
use super::roster::Member;

/// Milliseconds that a new count waits for more, before its sender hears of it.
pub const PAUSE_MS: u64 = 500;
/// Messages with news after which nothing waits any more.
const MOST_NEWS: usize = 1000;
/// Bytes of counts at hand, about.
const MOST_BYTES: usize = 1 << 20;
/// What a count at hand weighs, and each reader whom it knows.
const COUNT_BYTES: usize = 256;
const READER_BYTES: usize = 80;

/// What names a message to clients, beside its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageId {
    /// Its number.
    pub msg_seq: u32,
    /// The number of its sender.
    pub tiny_id: u64,
    /// `Random` of its sender.
    pub random: u32,
    /// Seconds since 1970, its sender's.
    pub client_time: i64,
}

/// A message whose sender wants to know who reads it.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The message.
    pub id: MessageId,
    /// Whom it is for.
    pub addressees: Addressees,
    /// When it was sent, seconds since 1970.
    pub time: i64,
    /// How many were to read it.
    pub members: u32,
    /// How many have.
    pub read: u32,
    /// Those who have since this was read from the store: their rows may be younger than what
    /// somebody else has read of them.
    fresh: HashSet<String>,
}

impl Asking {
    /// A message with the count that the store has.
    #[must_use]
    pub fn new(id: MessageId, addressees: Addressees, time: i64, members: u32, read: u32) -> Self {
        Self { id, addressees, time, members, read, fresh: HashSet::new() }
    }

    /// How many have not read it.
    #[must_use]
    pub fn unread(&self) -> u32 {
        self.members.saturating_sub(self.read)
    }

    /// Whether a member is one of those who were to read it.
    #[must_use]
    pub fn concerns(&self, user: &str, member: &Member) -> bool {
        is_concerned(&self.addressees, self.id.msg_seq, self.time, user, member)
    }

    fn weight(&self) -> usize {
        COUNT_BYTES + self.addressees.weight() + self.fresh.len() * READER_BYTES
    }
}

/// Whether a member is one of those who were to read a message: it was there when the message was
/// sent, sees it, and did not send it.
#[must_use]
pub fn is_concerned(
    addressees: &Addressees,
    msg_seq: u32,
    time: i64,
    user: &str,
    member: &Member,
) -> bool {
    user != addressees.sender()
        && addressees.includes(user)
        && member.since < msg_seq
        && member.joined <= time
}

/// News for a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The message.
    pub id: MessageId,
    /// Its sender.
    pub from: String,
    /// How many have read it.
    pub read: u32,
    /// How many have not.
    pub unread: u32,
}

/// What a group knows of receipts at the moment.
#[derive(Debug)]
pub struct Receipts {
    /// Counts at hand.
    pub hot: Hot<Asking>,
    news: BTreeMap<u32, News>,
    tell_at: Option<u64>,
}

impl Default for Receipts {
    fn default() -> Self {
        Self { hot: Hot::new(MOST_BYTES), news: BTreeMap::new(), tell_at: None }
    }
}

impl Receipts {
    /// Takes in a count from the store.
    pub fn put(&mut self, asking: Asking) {
        let weight = asking.weight();
        self.hot.put(asking.id.msg_seq, asking, weight);
    }

    /// Lets a message go that is gone; its sender hears no more of it.
    pub fn forget(&mut self, msg_seq: u32) {
        self.hot.remove(msg_seq);
        self.news.remove(&msg_seq);
    }

    /// A member has read a message whose count is at hand; the store does not know it yet, as far as
    /// the caller has seen. The new count, or `None` where it changes nothing.
    pub fn note(&mut self, now_ms: u64, msg_seq: u32, user: &str, member: &Member) -> Option<u32> {
        let asking = self.hot.get(msg_seq)?;
        if !asking.concerns(user, member) || !asking.fresh.insert(user.to_owned()) {
            return None;
        }
        asking.read += 1;
        let (read, weight) = (asking.read, asking.weight());
        let (id, from, unread) =
            (asking.id, asking.addressees.sender().to_owned(), asking.unread());
        self.news.insert(msg_seq, News { id, from, read, unread });
        self.hot.weigh(msg_seq, weight);
        let pause = if self.news.len() < MOST_NEWS { PAUSE_MS } else { 0 };
        let due = now_ms.saturating_add(pause);
        self.tell_at = Some(self.tell_at.map_or(due, |tell_at| tell_at.min(due)));
        Some(read)
    }

    /// When senders are to be told, milliseconds of the group's clock.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.tell_at
    }

    /// The news by sender, once they are due.
    pub fn take_due(&mut self, now_ms: u64) -> BTreeMap<String, Vec<News>> {
        match self.tell_at {
            Some(due) if due <= now_ms => self.take_all(),
            _ => BTreeMap::new(),
        }
    }

    /// All news by sender.
    pub fn take_all(&mut self) -> BTreeMap<String, Vec<News>> {
        self.tell_at = None;
        let mut by_sender: BTreeMap<String, Vec<News>> = BTreeMap::new();
        for news in std::mem::take(&mut self.news).into_values() {
            by_sender.entry(news.from.clone()).or_default().push(news);
        }
        by_sender
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(msg_seq: u32, from: &str, members: u32) -> Asking {
        let id = MessageId { msg_seq, ..MessageId::default() };
        Asking::new(id, Addressees::new(from.to_owned(), Vec::new()), 100, members, 0)
    }

    fn there() -> Member {
        Member { joined: 50, ..Member::default() }
    }

    #[test]
    fn everybody_counts_once_and_only_who_was_there() {
        let mut receipts = Receipts::default();
        receipts.put(asking(7, "ann", 3));
        let mut note = |user: &str, member| receipts.note(0, 7, user, &member);
        assert_eq!(note("ben", there()), Some(1));
        assert_eq!(note("ben", there()), None, "twice");
        assert_eq!(note("ann", there()), None, "the sender");
        assert_eq!(note("cleo", Member { joined: 101, ..there() }), None, "came later");
        assert_eq!(note("dan", Member { since: 7, ..there() }), None, "cannot see it");
        assert_eq!(note("eve", there()), Some(2));
        assert_eq!(receipts.hot.get(7).unwrap().unread(), 1);
    }

    #[test]
    fn of_a_directed_message_only_recipients_count() {
        let mut receipts = Receipts::default();
        let addressees = Addressees::new("ann".to_owned(), vec!["ben".to_owned()]);
        let id = MessageId { msg_seq: 7, ..MessageId::default() };
        receipts.put(Asking::new(id, addressees, 100, 1, 0));
        assert_eq!(receipts.note(0, 7, "cleo", &there()), None);
        assert_eq!(receipts.note(0, 7, "ben", &there()), Some(1));
    }

    #[test]
    fn a_sender_hears_of_many_readers_at_once() {
        let mut receipts = Receipts::default();
        receipts.put(asking(7, "ann", 6000));
        receipts.put(asking(8, "ann", 6000));
        receipts.put(asking(9, "ben", 6000));
        let mut pushes = 0;
        for reader in 0..6000u64 {
            let now = reader / 2;
            for seq in 7..=9 {
                receipts.note(now, seq, &format!("user{reader}"), &there());
            }
            pushes += receipts.take_due(now).len();
        }
        assert!(pushes <= 2 * (3000 / 500 + 1), "{pushes} pushes");
        let due = receipts.next_deadline().unwrap();
        let last = receipts.take_due(due);
        let counts = |user: &str| -> Vec<_> {
            last[user].iter().map(|news| (news.id.msg_seq, news.read, news.unread)).collect()
        };
        assert_eq!(counts("ann"), [(7, 6000, 0), (8, 6000, 0)]);
        assert_eq!(counts("ben"), [(9, 6000, 0)]);
        assert_eq!(receipts.next_deadline(), None);
    }

    #[test]
    fn of_a_message_that_is_gone_nobody_hears() {
        let mut receipts = Receipts::default();
        for seq in 7..=8 {
            receipts.put(asking(seq, "ann", 3));
            receipts.note(0, seq, "ben", &there());
        }
        receipts.forget(7);
        assert_eq!(receipts.note(0, 7, "cleo", &there()), None);
        let told = receipts.take_all();
        assert_eq!(told["ann"].iter().map(|news| news.id.msg_seq).collect::<Vec<_>>(), [8]);
    }

    #[test]
    fn news_of_very_many_messages_do_not_wait() {
        let mut receipts = Receipts::default();
        for seq in 1..=1000 {
            receipts.put(asking(seq, "ann", 5));
            receipts.note(10, seq, "ben", &there());
        }
        assert_eq!(receipts.next_deadline(), Some(10));
        assert_eq!(receipts.take_due(10)["ann"].len(), 1000);
    }
}
