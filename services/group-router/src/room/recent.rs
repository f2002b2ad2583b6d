//! The newest stored messages of a room as finished items.

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::value::RawValue;

/// A bounded list of finished message items, the newest last.
#[derive(Debug)]
pub(crate) struct Recent {
    items: VecDeque<Entry>,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    msg_seq: u32,
    time: i64,
    item: Bytes,
}

impl Recent {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { items: VecDeque::new(), capacity }
    }

    pub(crate) fn push(&mut self, msg_seq: u32, time: i64, item: Bytes) {
        if self.items.len() == self.capacity {
            self.items.pop_front();
        }
        self.items.push_back(Entry { msg_seq, time, item });
    }

    /// Takes recalled messages out.
    pub(crate) fn remove(&mut self, msg_seqs: &[u32]) {
        self.items.retain(|entry| !msg_seqs.contains(&entry.msg_seq));
    }

    /// The items not older than a time (seconds since 1970) and after a sequence, the oldest first.
    pub(crate) fn since(&self, time: i64, after_seq: u32) -> impl Iterator<Item = &Bytes> {
        self.entries_since(time, after_seq).map(|(_, item)| item)
    }

    /// As [`Recent::since`], with their sequence numbers.
    pub(crate) fn entries_since(
        &self,
        time: i64,
        after_seq: u32,
    ) -> impl Iterator<Item = (u32, &Bytes)> {
        self.items
            .iter()
            .filter(move |entry| entry.time >= time && entry.msg_seq > after_seq)
            .map(|entry| (entry.msg_seq, &entry.item))
    }

    /// The newest `most` of [`Recent::since`].
    pub(crate) fn newest(&self, most: usize, time: i64, after_seq: u32) -> Vec<&Bytes> {
        let since: Vec<_> = self.since(time, after_seq).collect();
        since[since.len().saturating_sub(most)..].to_vec()
    }
}

/// The latest sequence numbers about which something was said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    latest: VecDeque<u32>,
}

impl Told {
    const MOST: usize = 1024;

    pub(crate) fn extend(&mut self, msg_seqs: &[u32]) {
        self.latest.extend(msg_seqs);
        self.latest.drain(..self.latest.len().saturating_sub(Self::MOST));
    }

    pub(crate) fn contains(&self, msg_seq: &u32) -> bool {
        self.latest.contains(msg_seq)
    }
}

/// A JSON array of finished items.
pub(crate) fn items_array<'a>(items: impl Iterator<Item = &'a Bytes>) -> Box<RawValue> {
    let mut text = b"[".to_vec();
    for item in items {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(item);
    }
    text.push(b']');
    // What came from history is only as good as what is stored there.
    let array = String::from_utf8(text).ok().and_then(|text| RawValue::from_string(text).ok());
    array.unwrap_or_else(|| {
        tracing::error!("a kept message is not JSON");
        RawValue::from_string("[]".to_owned()).expect("an empty array is JSON")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_recalled_ones_go() {
        let mut recent = Recent::new(3);
        for n in 1..=5u8 {
            recent.push(u32::from(n), i64::from(n), Bytes::from(vec![n]));
        }
        recent.remove(&[4]);
        let items: Vec<_> = recent.since(0, 0).map(|item| item[0]).collect();
        assert_eq!(items, [3, 5]);
        assert_eq!(recent.since(5, 0).count(), 1);
        assert_eq!(recent.since(0, 3).count(), 1);
    }

    #[test]
    fn a_damaged_message_spoils_the_list_and_not_the_actor() {
        let damaged = [Bytes::from_static(b"{\"MsgSeq\":1}"), Bytes::from_static(b"\xff{")];
        assert_eq!(items_array(damaged[..1].iter()).get(), r#"[{"MsgSeq":1}]"#);
        assert_eq!(items_array(damaged.iter()).get(), "[]");
    }
}
