//! Who was mentioned: clients that come later mark their conversations by it. Only the latest mentions of
//! each member are kept, and those of all members once for all.

use std::collections::HashMap;

/// Mentions of one member that are kept, and of all members.
const KEPT: usize = 10;
/// Stands for all members; no user is called so.
const ALL: &str = "";

/// A message that mentions somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mention {
    /// Its number.
    pub msg_seq: u32,
    /// Its sender.
    pub from: String,
    /// `Random` of its sender.
    pub random: u32,
    /// When it was sent, seconds since 1970.
    pub time: i64,
    /// It names the member.
    pub by_name: bool,
    /// It mentions all.
    pub all: bool,
}

/// What is known of one member, or of all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mentioned {
    /// The member has seen what mentions it up to this number.
    pub seen: u32,
    /// The oldest first.
    pub latest: Vec<Mention>,
}

/// The mentions of a group.
#[derive(Debug, Default)]
pub struct Mentions {
    of: HashMap<String, Mentioned>,
}

impl Mentions {
    /// As they were kept; those of messages behind the end of the log never came to be.
    #[must_use]
    pub fn restore(of: HashMap<String, Mentioned>, head: u32) -> Self {
        let mut mentions = Self { of };
        for mentioned in mentions.of.values_mut() {
            mentioned.latest.retain(|mention| mention.msg_seq <= head);
        }
        mentions
    }

    /// A message mentions somebody who has read up to a number; without a name all members.
    pub fn note(&mut self, user: &str, mention: Mention, read: u32) -> &Mentioned {
        let mentioned = self.of.entry(user.to_owned()).or_default();
        mentioned.latest.retain(|mention| mention.msg_seq > read);
        mentioned.latest.push(mention);
        mentioned.latest.drain(..mentioned.latest.len().saturating_sub(KEPT));
        mentioned
    }

    /// A member has seen what mentions it up to a number. `None`: nothing changed.
    pub fn see(&mut self, user: &str, msg_seq: u32) -> Option<&Mentioned> {
        let own = self.of.get(user);
        if own.is_some_and(|own| own.seen >= msg_seq) || (own.is_none() && !self.has(ALL, msg_seq))
        {
            return None;
        }
        let mentioned = self.of.entry(user.to_owned()).or_default();
        mentioned.seen = msg_seq;
        mentioned.latest.retain(|mention| mention.msg_seq > msg_seq);
        Some(mentioned)
    }

    fn has(&self, user: &str, msg_seq: u32) -> bool {
        let mentioned = self.of.get(user);
        mentioned.is_some_and(|it| it.latest.iter().any(|mention| mention.msg_seq <= msg_seq))
    }

    /// A member has read up to a number. True: nothing has to be known of it any more.
    pub fn read(&mut self, user: &str, msg_seq: u32) -> bool {
        let done = self.of.get(user).is_some_and(|mentioned| {
            mentioned.seen <= msg_seq
                && mentioned.latest.iter().all(|mention| mention.msg_seq <= msg_seq)
        });
        done && self.of.remove(user).is_some()
    }

    /// Somebody is no member any more. True: something was known.
    pub fn remove(&mut self, user: &str) -> bool {
        self.of.remove(user).is_some()
    }

    /// Messages are gone. What is left of those whom they mentioned.
    pub fn forget(&mut self, msg_seqs: &[u32]) -> Vec<(&str, &Mentioned)> {
        let mut changed = Vec::new();
        for (user, mentioned) in &mut self.of {
            let before = mentioned.latest.len();
            mentioned.latest.retain(|mention| !msg_seqs.contains(&mention.msg_seq));
            if mentioned.latest.len() < before {
                changed.push((user.as_str(), &*mentioned));
            }
        }
        changed
    }

    /// What mentions a member who has read up to a number, and has not seen it; the oldest first.
    #[must_use]
    pub fn unread(&self, user: &str, read: u32) -> Vec<&Mention> {
        let own = self.of.get(user);
        let behind = own.map_or(read, |own| own.seen.max(read));
        let own = own.map_or(&[][..], |own| &own.latest);
        let all = self.of.get(ALL).map_or(&[][..], |all| &all.latest);
        let named = |mention: &Mention| own.iter().any(|own| own.msg_seq == mention.msg_seq);
        let all = all.iter().filter(|mention| !named(mention));
        let mut unread: Vec<&Mention> = own.iter().chain(all).collect();
        unread.retain(|mention| mention.msg_seq > behind && mention.from != user);
        unread.sort_by_key(|mention| mention.msg_seq);
        unread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(msg_seq: u32) -> Mention {
        Mention { msg_seq, from: "ann".to_owned(), ..Mention::default() }
    }

    fn seqs(mentions: &Mentions, user: &str, read: u32) -> Vec<u32> {
        mentions.unread(user, read).iter().map(|mention| mention.msg_seq).collect()
    }

    #[test]
    fn each_member_has_those_by_name_and_those_of_all_until_they_are_read() {
        let mut mentions = Mentions::default();
        mentions.note("ben", mention(3), 0);
        mentions.note(ALL, mention(5), 0);
        mentions.note("ben", mention(5), 0);
        mentions.note("ben", mention(7), 0);
        assert_eq!(seqs(&mentions, "ben", 0), [3, 5, 7]);
        assert_eq!(seqs(&mentions, "ben", 3), [5, 7]);
        assert_eq!((seqs(&mentions, "cat", 0), seqs(&mentions, "ann", 0)), (vec![5], vec![]));
        assert_eq!(mentions.forget(&[7, 8]).len(), 1);
        assert_eq!(seqs(&mentions, "ben", 0), [3, 5]);
        assert!(!mentions.read("ben", 4) && mentions.read("ben", 5));
        assert_eq!(seqs(&mentions, "ben", 5), [0u32; 0]);
    }

    #[test]
    fn what_was_seen_is_not_told_again_though_it_is_not_read() {
        let mut mentions = Mentions::default();
        assert_eq!(mentions.see("cat", 9), None, "nothing to see");
        mentions.note(ALL, mention(5), 0);
        mentions.note("ben", mention(6), 0);
        assert!(mentions.see("cat", 5).is_some() && mentions.see("cat", 5).is_none());
        assert!(mentions.see("ben", 5).is_some_and(|ben| ben.latest.len() == 1));
        assert_eq!((seqs(&mentions, "cat", 0), seqs(&mentions, "ben", 0)), (vec![], vec![6]));
    }

    #[test]
    fn only_the_latest_are_kept_and_none_that_the_log_does_not_have() {
        let mut mentions = Mentions::default();
        for seq in 1..=20 {
            mentions.note("ben", mention(seq), 0);
        }
        assert_eq!(seqs(&mentions, "ben", 0), (11..=20).collect::<Vec<_>>());
        let of = mentions.of.clone();
        assert_eq!(seqs(&Mentions::restore(of, 12), "ben", 0), [11, 12]);
    }
}
