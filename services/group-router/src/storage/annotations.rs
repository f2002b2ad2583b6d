//! What members add to messages after they were sent: who has read them, keys and values, reactions.
//! One partition for each few messages, since thousands may read each; one row a reader, key and
//! reaction. A group that is made again under the same ID has others, as it has other messages.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use prost::Message;
use throng_proto::v1::GroupLog;
use throng_store::{
    ColumnType, Compaction, Key, Op, Order, Page, Row, Store, StoreError, Table, WriteTime, key,
};

use crate::core::extensions::{Extensions, Versioned};
use crate::core::reactions::{Reaction, Reactions};

/// Receipts, extensions and reactions of messages.
pub(crate) static GROUP_ANNOTATIONS: Table = Table {
    name: "group_annotations",
    partition: &[
        ("app", ColumnType::U32),
        ("group_id", ColumnType::Text),
        ("incarnation", ColumnType::U64),
        ("bucket", ColumnType::U32),
    ],
    clustering: &[
        ("msg_seq", ColumnType::U32, Order::Ascending),
        ("kind", ColumnType::U32, Order::Ascending),
        ("name", ColumnType::Text, Order::Ascending),
    ],
    ttl: None,
    compaction: Compaction::SizeTiered,
};

/// Messages in one partition: 400,000 readers at most in the largest groups that have receipts.
const BUCKET: u32 = 64;
/// Rows that are read, or partitions that are deleted, at the same time.
const SIDE_BY_SIDE: usize = 32;

/// What a row holds; numbers are never used again for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    /// How many have read a message.
    Readers = 0,
    /// One row a reader.
    Reader = 1,
    /// The numbers of a message's extensions.
    Extensions = 2,
    /// One row a key.
    Extension = 3,
    /// One row a reaction.
    Reaction = 4,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct ReadersRow {
    #[prost(uint32, tag = "1")]
    read: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct ReaderRow {
    /// Seconds since 1970.
    #[prost(int64, tag = "1")]
    time: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct ExtensionsRow {
    #[prost(uint64, tag = "1")]
    latest: u64,
    #[prost(uint64, tag = "2")]
    cleared: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ExtensionRow {
    /// Empty: deleted.
    #[prost(string, tag = "1")]
    value: String,
    #[prost(uint64, tag = "2")]
    seq: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ReactionRow {
    #[prost(uint32, tag = "1")]
    place: u32,
    #[prost(message, repeated, tag = "2")]
    users: Vec<ReactionUser>,
}

#[derive(Clone, PartialEq, Message)]
struct ReactionUser {
    #[prost(uint32, tag = "1")]
    number: u32,
    #[prost(string, tag = "2")]
    user: String,
}

/// A write beside a group's own rows.
#[derive(Debug)]
pub(crate) struct Annotation {
    incarnation: u64,
    bucket: u32,
    pub(crate) op: Op,
}

impl Annotation {
    fn put(log: &GroupLog, msg_seq: u32, kind: Kind, name: &str, row: &impl Message) -> Self {
        let clustering = key![msg_seq, kind as u32, name];
        Self::of(log, msg_seq, Op::put(&GROUP_ANNOTATIONS, clustering, row.encode_to_vec()))
    }

    fn delete(log: &GroupLog, msg_seq: u32, kind: Kind, name: &str) -> Self {
        let clustering = key![msg_seq, kind as u32, name];
        Self::of(log, msg_seq, Op::delete(&GROUP_ANNOTATIONS, clustering))
    }

    fn of(log: &GroupLog, msg_seq: u32, op: Op) -> Self {
        Self { incarnation: log.incarnation, bucket: msg_seq / BUCKET, op }
    }

    /// The partition that it goes to.
    pub(crate) fn partition(&self, app: u32, group_id: &str) -> Key {
        key![app, group_id, self.incarnation, self.bucket]
    }

    /// Whether both go to the same partition.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        (self.incarnation, self.bucket) == (other.incarnation, other.bucket)
    }
}

/// A user has read a message, as one of so many. Both rows go in one batch.
pub(crate) fn reader_rows(
    log: &GroupLog,
    msg_seq: u32,
    user: &str,
    time: i64,
    read: u32,
) -> [Annotation; 2] {
    [
        Annotation::put(log, msg_seq, Kind::Reader, user, &ReaderRow { time }),
        Annotation::put(log, msg_seq, Kind::Readers, "", &ReadersRow { read }),
    ]
}

/// Keys of a message changed.
pub(crate) fn extension_rows(
    log: &GroupLog,
    msg_seq: u32,
    extensions: &Extensions,
    rows: Vec<(String, Option<Versioned>)>,
) -> Vec<Annotation> {
    let head = ExtensionsRow { latest: extensions.latest(), cleared: extensions.cleared() };
    let head = Annotation::put(log, msg_seq, Kind::Extensions, "", &head);
    let rows = rows.into_iter().map(|(key, row)| match row {
        Some(Versioned { value, seq }) => {
            Annotation::put(log, msg_seq, Kind::Extension, &key, &ExtensionRow { value, seq })
        }
        None => Annotation::delete(log, msg_seq, Kind::Extension, &key),
    });
    std::iter::once(head).chain(rows).collect()
}

/// A reaction to a message changed; `None`: it is gone.
pub(crate) fn reaction_row(
    log: &GroupLog,
    msg_seq: u32,
    name: &str,
    reaction: Option<&Reaction>,
) -> Annotation {
    let Some(reaction) = reaction else {
        return Annotation::delete(log, msg_seq, Kind::Reaction, name);
    };
    let user =
        |(number, user): &(u32, String)| ReactionUser { number: *number, user: user.clone() };
    let row =
        ReactionRow { place: reaction.place, users: reaction.users.iter().map(user).collect() };
    Annotation::put(log, msg_seq, Kind::Reaction, name, &row)
}

/// Reads what was added to the messages of one log.
#[derive(Debug, Clone)]
pub(crate) struct Annotations {
    store: Arc<dyn Store>,
    log: GroupLog,
}

impl Annotations {
    pub(crate) fn of(store: Arc<dyn Store>, log: GroupLog) -> Self {
        Self { store, log }
    }

    fn partition(&self, msg_seq: u32) -> Key {
        partition(&self.log, msg_seq / BUCKET)
    }

    /// How many have read each of some messages.
    pub(crate) async fn read_counts(
        &self,
        msg_seqs: impl IntoIterator<Item = u32>,
    ) -> Result<Vec<(u32, u32)>, StoreError> {
        let one = |msg_seq| async move {
            let clustering = key![msg_seq, Kind::Readers as u32, ""];
            let found =
                self.store.get(&GROUP_ANNOTATIONS, &self.partition(msg_seq), &clustering).await?;
            let row: ReadersRow = found.map(decode).transpose()?.unwrap_or_default();
            Ok((msg_seq, row.read))
        };
        side_by_side(msg_seqs, one).await
    }

    /// When users have read messages, seconds since 1970; `None`: not yet.
    pub(crate) async fn read_times<'a>(
        &self,
        asked: impl IntoIterator<Item = (u32, &'a str)>,
    ) -> Result<Vec<(u32, &'a str, Option<i64>)>, StoreError> {
        let one = |(msg_seq, user): (u32, &'a str)| async move {
            let clustering = key![msg_seq, Kind::Reader as u32, user];
            let found =
                self.store.get(&GROUP_ANNOTATIONS, &self.partition(msg_seq), &clustering).await?;
            let row: Option<ReaderRow> = found.map(decode).transpose()?;
            Ok((msg_seq, user, row.map(|row| row.time)))
        };
        side_by_side(asked, one).await
    }

    /// Users who have read a message, in the order of their names, behind one of them.
    pub(crate) async fn readers(
        &self,
        msg_seq: u32,
        behind: &str,
        most: usize,
    ) -> Result<Vec<String>, StoreError> {
        let kind = Kind::Reader as u32;
        let mut page = Page::forward(most).within(key![msg_seq, kind]);
        if !behind.is_empty() {
            page = page.after(key![msg_seq, kind, behind]);
        }
        let rows = self.store.page(&GROUP_ANNOTATIONS, &self.partition(msg_seq), page).await?;
        Ok(rows.iter().filter_map(|row| row.clustering.get_text(2)).map(str::to_owned).collect())
    }

    /// Keys and values of a message.
    pub(crate) async fn extensions(&self, msg_seq: u32) -> Result<Extensions, StoreError> {
        let clustering = key![msg_seq, Kind::Extensions as u32, ""];
        let head =
            self.store.get(&GROUP_ANNOTATIONS, &self.partition(msg_seq), &clustering).await?;
        let Some(head) = head else { return Ok(Extensions::default()) };
        let head: ExtensionsRow = decode(head)?;
        let pair = |row: Row| {
            let key = row.clustering.get_text(2).unwrap_or_default().to_owned();
            let ExtensionRow { value, seq } = decode(row.value)?;
            Ok((key, Versioned { value, seq }))
        };
        let rows = self.all(msg_seq, Kind::Extension).await?;
        let pairs: Result<_, StoreError> = rows.into_iter().map(pair).collect();
        Ok(Extensions::restore(head.latest, head.cleared, pairs?))
    }

    /// Reactions to a message.
    pub(crate) async fn reactions(&self, msg_seq: u32) -> Result<Reactions, StoreError> {
        let reaction = |row: Row| {
            let name = row.clustering.get_text(2).unwrap_or_default().to_owned();
            let ReactionRow { place, users } = decode(row.value)?;
            let users = users.into_iter().map(|user| (user.number, user.user)).collect();
            Ok(Reaction { name, place, users })
        };
        let rows = self.all(msg_seq, Kind::Reaction).await?;
        let all: Result<_, StoreError> = rows.into_iter().map(reaction).collect();
        Ok(Reactions::restore(all?))
    }

    /// Reactions to several messages.
    pub(crate) async fn reactions_of(
        &self,
        msg_seqs: impl IntoIterator<Item = u32>,
    ) -> Result<Vec<(u32, Reactions)>, StoreError> {
        let one = |msg_seq| async move { Ok((msg_seq, self.reactions(msg_seq).await?)) };
        side_by_side(msg_seqs, one).await
    }

    /// Rows of a kind that a message has few of.
    async fn all(&self, msg_seq: u32, kind: Kind) -> Result<Vec<Row>, StoreError> {
        let page = Page::forward(Page::MAX_LIMIT).within(key![msg_seq, kind as u32]);
        self.store.page(&GROUP_ANNOTATIONS, &self.partition(msg_seq), page).await
    }

    /// Deletes everything that was added to messages up to a number. May be repeated.
    pub(crate) async fn forget(&self, head: u32, at: Option<WriteTime>) -> Result<(), StoreError> {
        let delete = |bucket| async move {
            let partition = partition(&self.log, bucket);
            self.store.delete_partition(&GROUP_ANNOTATIONS, &partition, at).await
        };
        stream::iter(0..=head / BUCKET)
            .map(delete)
            .buffer_unordered(SIDE_BY_SIDE)
            .try_for_each(|()| std::future::ready(Ok(())))
            .await
    }
}

fn partition(log: &GroupLog, bucket: u32) -> Key {
    key![log.app, log.group_id.as_str(), log.incarnation, bucket]
}

fn decode<T: Message + Default>(value: bytes::Bytes) -> Result<T, StoreError> {
    T::decode(value).map_err(|_| StoreError::Damaged { reason: "value of an annotation" })
}

/// Asks for several rows, a few at a time; the answers are in the order of the questions.
async fn side_by_side<Q, A, F>(
    questions: impl IntoIterator<Item = Q>,
    ask: impl Fn(Q) -> F,
) -> Result<Vec<A>, StoreError>
where
    F: Future<Output = Result<A, StoreError>>,
{
    let asked: Vec<F> = questions.into_iter().map(ask).collect();
    stream::iter(asked).buffered(SIDE_BY_SIDE).try_collect().await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use throng_store::{Batch, MemoryStore};

    use super::*;

    fn log() -> GroupLog {
        GroupLog { app: 7, group_id: "g".to_owned(), incarnation: 3 }
    }

    async fn write(store: &MemoryStore, rows: impl IntoIterator<Item = Annotation>) {
        let mut batches: BTreeMap<u32, Batch> = BTreeMap::new();
        for row in rows {
            let partition = row.partition(7, "g");
            let batch = batches.entry(row.bucket).or_insert_with(|| Batch::durable(partition));
            batch.push(row.op);
        }
        for batch in batches.into_values() {
            store.write(batch).await.unwrap();
        }
    }

    #[tokio::test]
    async fn rows_come_back_as_they_were_written() {
        let store = Arc::new(MemoryStore::new());
        let read = Annotations::of(store.clone(), log());
        for (msg_seq, user, count) in [(5, "ann", 1), (5, "ben", 2), (5, "cleo", 3), (70, "ann", 1)]
        {
            write(&store, reader_rows(&log(), msg_seq, user, 100, count)).await;
        }
        assert_eq!(read.read_counts([70, 5, 6]).await.unwrap(), [(70, 1), (5, 3), (6, 0)]);
        assert_eq!(read.readers(5, "", 2).await.unwrap(), ["ann", "ben"]);
        assert_eq!(read.readers(5, "ben", 2).await.unwrap(), ["cleo"]);
        let times = read.read_times([(70, "ann"), (70, "ben")]).await.unwrap();
        assert_eq!(times, [(70, "ann", Some(100)), (70, "ben", None)]);

        let mut extensions = Extensions::default();
        let pair = |key: &str| crate::core::extensions::Pair {
            key: key.to_owned(),
            value: "v".to_owned(),
            seq: 0,
        };
        let (_, rows) = extensions.set(vec![pair("a"), pair("b")], true);
        write(&store, extension_rows(&log(), 5, &extensions, rows)).await;
        assert_eq!(read.extensions(5).await.unwrap(), extensions);
        let rows = extensions.clear();
        write(&store, extension_rows(&log(), 5, &extensions, rows)).await;
        assert_eq!(read.extensions(5).await.unwrap(), extensions);

        let mut reactions = Reactions::default();
        for (name, user) in [("z", "ann"), ("a", "ann"), ("z", "ben")] {
            let reaction = reactions.add(name, user).unwrap().clone();
            write(&store, [reaction_row(&log(), 5, name, Some(&reaction))]).await;
        }
        assert_eq!(read.reactions(5).await.unwrap(), reactions);
        reactions.remove("a", "ann").unwrap();
        write(&store, [reaction_row(&log(), 5, "a", None)]).await;
        assert_eq!(read.reactions_of([5, 6]).await.unwrap()[0], (5, reactions));

        read.forget(70, None).await.unwrap();
        assert_eq!(read.read_counts([5, 70]).await.unwrap(), [(5, 0), (70, 0)]);
        assert_eq!(read.extensions(5).await.unwrap(), Extensions::default());
    }
}
