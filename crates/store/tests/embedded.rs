//! What only the embedded store promises: its directory, its limits, and the space of expired rows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use throng_store::{
    Batch, ColumnType, Compaction, EmbeddedOptions, EmbeddedStore, ManualClock, Op, Order, Page,
    Store, StoreError, Table, key,
};

const ROOMS: Table = Table {
    name: "rooms",
    partition: &[("app", ColumnType::U32), ("room", ColumnType::Text)],
    clustering: &[("seq", ColumnType::U32, Order::Ascending)],
    ttl: Some(Duration::from_secs(24 * 3600)),
    compaction: Compaction::TimeWindow { hours: 1 },
};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open(directory: &tempfile::TempDir) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open(directory.path())
}

#[tokio::test]
async fn rows_are_there_after_opening_again() {
    let directory = directory();
    let store = open(&directory).expect("opens");
    store.put(&ROOMS, &key![1u32, "a"], key![1u32], "x".into()).await.expect("writes");
    let soft = Batch::behind(key![1u32, "a"]).put(&ROOMS, key![2u32], "y");
    store.write(soft).await.expect("writes");
    store.close().await;
    let late = store.put(&ROOMS, &key![1u32, "a"], key![3u32], "z".into()).await;
    assert!(matches!(late, Err(StoreError::Closed)));
    assert!(matches!(store.flush().await, Err(StoreError::Closed)));
    drop(store);
    let store = open(&directory).expect("opens again");
    let rows = store.page(&ROOMS, &key![1u32, "a"], Page::forward(9)).await.expect("reads");
    assert_eq!(rows.len(), 2);
}

/// Closing used to forget deletions that take several turns, and left their callers with an error.
#[tokio::test]
async fn closing_finishes_a_large_deletion() {
    let directory = directory();
    let store = open(&directory).expect("opens");
    let room = key![1u32, "a"];
    for chunk in 0..5u32 {
        let mut batch = Batch::behind(room.clone());
        (0..1000).for_each(|seq| batch.push(Op::put(&ROOMS, key![chunk * 1000 + seq], "")));
        store.write(batch).await.expect("writes");
    }
    let (deleted, ()) = tokio::join!(store.delete_partition(&ROOMS, &room, None), store.close());
    deleted.expect("deletes");
    drop(store);
    let store = open(&directory).expect("opens again");
    assert_eq!(store.page(&ROOMS, &room, Page::forward(9)).await.expect("reads"), []);
}

#[test]
fn a_directory_in_use_is_refused() {
    let directory = directory();
    let store = open(&directory).expect("opens");
    let second = open(&directory).expect_err("is in use");
    assert!(matches!(&second, StoreError::InUse { path } if path == directory.path()));
    assert!(second.to_string().contains("in use by another process"));
    drop(store);
    open(&directory).expect("is free again");
}

#[test]
fn an_unknown_format_is_refused() {
    let directory = directory();
    drop(open(&directory).expect("opens"));
    let refused = |content: &[u8]| {
        std::fs::write(directory.path().join("format"), content).expect("writes");
        let error = open(&directory).expect_err("is refused");
        assert!(matches!(&error, StoreError::Format { .. }), "{error}");
        error.to_string()
    };
    let text = refused(b"throng-store 2\n");
    assert!(text.contains("\"throng-store 2\", this version reads throng-store 1"), "{text}");
    refused(b"");
    refused(&[0xFF; 100_000]);
    std::fs::remove_file(directory.path().join("format")).expect("removes");
    assert!(matches!(open(&directory), Err(StoreError::Format { .. })));
    std::fs::write(directory.path().join("format"), "throng-store 1\n").expect("writes");
    open(&directory).expect("opens again");
    std::fs::write(directory.path().join("engine/version"), "rubbish").expect("writes");
    assert!(matches!(open(&directory), Err(StoreError::Format { .. })));
}

/// The engine cannot open what it was killed in the middle of making.
#[test]
fn a_directory_half_made_is_made_afresh() {
    let directory = directory();
    let half = directory.path().join("engine.new");
    std::fs::create_dir_all(&half).expect("makes");
    std::fs::write(half.join("version"), "").expect("writes");
    std::fs::write(half.join("0.jnl"), "").expect("writes");
    open(&directory).expect("opens");
    assert!(!half.exists());
}

#[test]
fn a_path_that_cannot_be_a_directory_is_refused() {
    let directory = directory();
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("writes");
    assert!(matches!(EmbeddedStore::open(file), Err(StoreError::Backend { .. })));
}

#[tokio::test]
async fn a_bad_name_of_a_table_is_refused() {
    const BAD: Table = Table { name: "../rooms", ..ROOMS };
    let directory = directory();
    let store = open(&directory).expect("opens");
    let result = store.get(&BAD, &key![1u32, "a"], &key![1u32]).await;
    assert!(matches!(result, Err(StoreError::BadKey { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_instead_of_growing() {
    let directory = directory();
    let options = EmbeddedOptions {
        queue_bytes: 64 * 1024,
        queue_timeout: Duration::ZERO,
        ..Default::default()
    };
    let store = Arc::new(EmbeddedStore::open_with(directory.path(), options).expect("opens"));
    let writes: Vec<_> = (0..2000u32)
        .map(|seq| {
            let store = store.clone();
            let value = vec![0; 8 * 1024];
            tokio::spawn(async move {
                store.put(&ROOMS, &key![1u32, "a"], key![seq], value.into()).await
            })
        })
        .collect();
    let (mut written, mut refused) = (0, 0);
    for write in writes {
        match write.await.expect("no panic") {
            Ok(()) => written += 1,
            Err(StoreError::Overloaded) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(written > 0 && refused > 0, "{written} written, {refused} refused");
    let rows = store.page(&ROOMS, &key![1u32, "a"], Page::forward(9999)).await.expect("reads");
    assert_eq!(rows.len(), written);
    // A batch larger than the whole queue still passes.
    let large = Batch::durable(key![1u32, "b"]).put(&ROOMS, key![1u32], vec![0; 100 * 1024]);
    store.write(large).await.expect("fits when the queue is empty");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_rows_give_their_space_back() {
    const KEPT: Table = Table { ttl: None, ..ROOMS };
    let clock = ManualClock::at(1_750_000_000_000);
    let directory = directory();
    let options = EmbeddedOptions {
        clock: Arc::new(clock.clone()),
        sweep_interval: Duration::from_millis(20),
        ..Default::default()
    };
    let store = EmbeddedStore::open_with(directory.path(), options).expect("opens");
    let mut value = vec![0u8; 300];
    for room in 0..100u32 {
        let mut batch = Batch::behind(key![1u32, room.to_string()]);
        for seq in 0..200u32 {
            value.fill_with(rand::random);
            batch.push(Op::put(&ROOMS, key![seq], value.clone()));
        }
        // The same table under another TTL: one row of a room stays for ever.
        store.write(batch.put(&KEPT, key![200u32], "kept")).await.expect("writes");
    }
    let full = 100 * 200 * 300;
    clock.advance(Duration::from_secs(24 * 3600));
    wait_for(|| store.disk_space().is_ok_and(|_| (1..full / 10).contains(&size(directory.path()))))
        .await;
    for room in 0..100u32 {
        let rows = store.page(&ROOMS, &key![1u32, room.to_string()], Page::forward(9)).await;
        assert_eq!(rows.expect("reads").len(), 1);
    }
    // What is written afterwards is not hidden by what was reclaimed.
    store.put(&ROOMS, &key![1u32, "7"], key![7u32], "new".into()).await.expect("writes");
    let found = store.get(&ROOMS, &key![1u32, "7"], &key![7u32]).await.expect("reads");
    assert_eq!(found, Some("new".into()));
    assert_eq!(store.get(&ROOMS, &key![1u32, "7"], &key![8u32]).await.expect("reads"), None);
}

/// Bytes in table files.
fn size(path: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) if path.ends_with("tables") => meta.len(),
            Ok(_) | Err(_) => 0,
        })
        .sum()
}

async fn wait_for(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
