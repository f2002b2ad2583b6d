//! The wide-column store: one small trait and its backends.
//!
//! Every service keeps its durable state in tables declared as constants ([`Table`]): a typed
//! partition key, typed clustering columns and one value (bytes; the callers put protobuf in).
//! A service holds an `Arc<dyn Store>` and does not know which backend is behind it:
//!
//! - [`MemoryStore`]: a map, for unit tests.
//! - [`EmbeddedStore`]: a directory on this machine, durable by group commit.
//! - `CqlStore` (feature `cql`): ScyllaDB or Cassandra 5, shared by the nodes of a cluster. The trait
//!   offers nothing that CQL cannot do efficiently.
//!
//! What the embedded store tells about itself:
//!
//! | Metric | |
//! |---|---|
//! | `throng_store_write_seconds` | histogram by `durability` (durable, behind): from the call of a write to its answer |
//! | `throng_store_commit_batch_size` | histogram: how many requests one commit took together |
//! | `throng_store_sync_seconds` | histogram: how long the disk took to make a commit durable |
//! | `throng_store_queue_depth` | gauge: requests that wait for a commit |
//! | `throng_store_unsynced` | gauge: 1 while a kill may take back writes that nobody waits for |
//! | `throng_store_errors_total` | counter by `kind`: writes that failed |
//!
//! And the CQL store:
//!
//! | Metric | |
//! |---|---|
//! | `throng_store_request_seconds` | histogram by `operation` (write, condition, delete_partition, get, page, scan): from the call to the answer, waiting for a place included |
//! | `throng_store_requests_in_flight` | gauge: requests under way |
//! | `throng_store_errors_total` | counter by `kind`: requests that failed, however often they were tried |
//!
//! ```
//! # use throng_store::*;
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! const MESSAGES: Table = Table {
//!     name: "room_messages",
//!     partition: &[("app", ColumnType::U32), ("group_id", ColumnType::Text)],
//!     clustering: &[("seq", ColumnType::U32, Order::Ascending)],
//!     ttl: Some(std::time::Duration::from_secs(24 * 3600)),
//!     compaction: Compaction::TimeWindow { hours: 1 },
//! };
//! let store = MemoryStore::new();
//! let room = key![1400000001u32, "@TGS#a1"];
//! let mut batch = Batch::durable(room.clone());
//! for seq in 1..=30u32 {
//!     batch.push(Op::put(&MESSAGES, key![seq], format!("message {seq}")));
//! }
//! store.write(batch).await?;
//! let newest = store.page(&MESSAGES, &room, Page::backward(20)).await?;
//! assert_eq!(newest[0].clustering.get_u32(0), Some(30));
//! # Ok::<(), StoreError>(())
//! # }).unwrap();
//! ```

mod batch;
mod clock;
mod codec;
#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "cql")]
pub mod cql;
mod embedded;
mod error;
mod key;
mod memory;
mod page;
mod plan;
mod store;
mod table;
mod telemetry;
mod write_time;

pub use batch::{Batch, Durability, Op};
pub use clock::{Clock, ManualClock, SystemClock};
#[cfg(feature = "cql")]
pub use cql::{CqlConfig, CqlStore, apply_schema, schema_cql};
pub use embedded::{EmbeddedOptions, EmbeddedStore};
pub use error::StoreError;
pub use key::{Component, Key};
pub use memory::MemoryStore;
pub use page::{Direction, Page, Row};
pub use store::Store;
pub use table::{ColumnType, Compaction, Order, Table};
pub use write_time::WriteTime;
