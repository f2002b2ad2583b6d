//! The capture without a gateway around it: files, rotation, what happens when the disk or the queue
//! is full.

use std::fs;
use std::path::Path;

use throng_capture::{Contents, read};
use throng_protocol::catalogue::lookup;

use throng_capture::What;

use super::*;

const APP: throng_protocol::AppId = throng_protocol::AppId(7);
const BODY: &[u8] = br#"{"GroupId":"a room","Random":5,"MsgPriority":"High",
    "MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a secret"}}]}"#;

fn config(folder: &Path) -> CaptureConfig {
    CaptureConfig { directory: Some(folder.to_owned()), ..CaptureConfig::default() }
}

fn files(folder: &Path) -> Vec<Contents> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read(&fs::read(path).unwrap()[..]).unwrap()).collect()
}

fn send(line: &Line, user: &str) -> Option<Box<Pending>> {
    let command = lookup("group_open_http_svc", "send_group_msg").unwrap();
    line.begin(APP, user, command, BODY, false)
}

#[tokio::test]
async fn a_command_is_written_with_its_answer_and_without_names() {
    let folder = tempfile::tempdir().unwrap();
    let capture = Capture::start(&config(folder.path())).unwrap().unwrap();
    let line = capture.line();
    let sent = send(&line, "ann").unwrap();
    sent.in_live_room(|group| group == "a room");
    sent.answered(0, br#"{"ErrorCode":0,"MsgSeq":9}"#);
    drop(sent);
    drop(send(&line, "ann").unwrap());
    line.end(true);
    assert!(send(&capture.line(), "not a\nuser").is_none());
    capture.finish().await;

    let contents = files(folder.path()).remove(0);
    let kinds: Vec<&What> = contents.records.iter().map(|record| &record.what).collect();
    let [
        What::Open,
        What::Command(sent),
        What::Command(open),
        What::Close { for_good: true },
        What::End,
    ] = &kinds[..]
    else {
        panic!("{kinds:?}");
    };
    let message = sent.message.as_ref().unwrap();
    assert_eq!((message.seq, message.dropped, sent.live), (9, false, true));
    assert_eq!((message.priority.as_deref(), message.elements[0].bytes), (Some("High"), 8));
    assert!(sent.took.is_some() && open.took.is_none());
    assert_eq!(message.id, open.message.as_ref().unwrap().id, "it is the same message");
    assert!(contents.records.iter().take(4).is_sorted_by_key(|record| record.place));

    let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&path).unwrap();
    for hidden in ["ann", "a room", "a secret"] {
        assert!(!text.contains(hidden), "{text}");
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_user_is_captured_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let capture = Capture::start(&CaptureConfig { share: 0.3, ..config(folder.path()) });
    let capture = capture.unwrap().unwrap();
    for round in 0..3 {
        let (line, shared) = (capture.line(), capture.line());
        for user in 0..100 {
            let name = format!("user{user}");
            let alone = send(&capture.line(), &name).is_some();
            assert_eq!(send(&shared, &name).is_some(), alone, "round {round}");
        }
        line.end(false);
    }
    capture.finish().await;
    let records = files(folder.path()).remove(0).records;
    let users: std::collections::HashSet<_> = records.iter().filter_map(|it| it.user).collect();
    assert!((10..60).contains(&users.len()), "{}", users.len());
}

#[tokio::test]
async fn files_follow_each_other_and_the_oldest_goes() {
    let folder = tempfile::tempdir().unwrap();
    // The queue holds everything: nothing is lost, however slow the disk is.
    let (file_bytes, queue) = (64 * 1024, 10_000);
    let config = CaptureConfig { file_bytes, files: 2, queue, ..config(folder.path()) };
    let capture = Capture::start(&config).unwrap().unwrap();
    let line = capture.line();
    for _ in 0..2_000 {
        drop(send(&line, "ann"));
    }
    capture.finish().await;
    let files = files(folder.path());
    assert_eq!(files.len(), 2);
    assert_eq!(files[1].header.part, files[0].header.part + 1);
    assert!(files[0].header.part > 0);
    // But for the last record of all, which tells the end, they are numbered.
    let places = files.iter().flat_map(|file| &file.records).map(|record| record.place);
    let places: Vec<_> = places.filter(|place| *place > 0).collect();
    assert!(places.windows(2).all(|pair| pair[1] == pair[0] + 1), "{places:?}");
}

fn header() -> Header {
    Header {
        version: VERSION,
        source: Pseudonym(1),
        part: 0,
        began_unix_us: 0,
        key: Pseudonym(2),
        share: 1.0,
        bodies: Bodies::Shape,
        made_by: String::new(),
    }
}

#[test]
fn what_the_queue_cannot_hold_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (entries, queue) = mpsc::channel(3);
    let lost = Arc::new(AtomicU64::new(0));
    let capture = Arc::new(Capture {
        key: Key::random(),
        share: 1.0,
        bodies: Bodies::None,
        began: Instant::now(),
        lines: AtomicU64::new(0),
        entries,
        lost: Arc::clone(&lost),
        queue_full: counter!("throng_gateway_capture_records_dropped_total", "reason" => "queue"),
    });
    let line = capture.line();
    // Nobody takes anything: the connection's beginning and two commands find room.
    for _ in 0..10 {
        drop(send(&line, "ann"));
    }
    drop((line, capture));
    let files = Files::begin(folder.path(), header(), u64::MAX, 1).unwrap();
    Writer::new(files, lost, Instant::now()).run(queue);
    let records = self::files(folder.path()).remove(0).records;
    let kinds: Vec<&What> = records.iter().map(|record| &record.what).collect();
    let [What::Dropped { count: 8 }, What::Open, What::Command(sent), What::Command(_), What::End] =
        &kinds[..]
    else {
        panic!("{kinds:?}");
    };
    let message = sent.message.as_ref().unwrap();
    assert!(message.elements.is_empty() && message.priority.is_some(), "no bodies were asked for");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let error = Capture::start(&config(&file)).unwrap_err().to_string();
    assert!(
        error.starts_with("gateway: capture.directory: ") && error.contains("a file"),
        "{error}"
    );
}

/// The end of a disk is not the end of the server, and what fits again is written again.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::begin(folder.path(), header(), u64::MAX, 1).unwrap();
    let full = files.on("/dev/full");
    let lost = Arc::new(AtomicU64::new(0));
    let writer = Writer::new(full, Arc::clone(&lost), Instant::now());
    let (entries, queue) = mpsc::channel(10);
    for at in 0..3 {
        let record = Record { at, line: 1, place: 0, user: None, what: What::Open };
        entries.try_send(Entry::Record(record)).unwrap();
    }
    drop(entries);
    writer.run(queue);
    assert_eq!(lost.load(Ordering::Relaxed), 3);
}
