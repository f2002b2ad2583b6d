//! Several files of one capture, put in the order of time. Plain code.

use std::collections::{BTreeMap, HashMap};

use throng_capture::{Contents, Header, Pseudonym, Record, What};

/// A file and its name.
#[derive(Debug, Clone)]
pub struct Source {
    /// For messages.
    pub name: String,
    /// What is in it.
    pub contents: Contents,
}

/// A whole capture.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Of the result.
    pub header: Header,
    /// By time; those of a connection in their order.
    pub records: Vec<Record>,
    /// What somebody who relies on it should know.
    pub notes: Vec<String>,
}

/// Files that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("no file")]
    Nothing,
    /// Their users and groups are not the same.
    #[error(
        "{0} and {1} were written with different keys: a user of one is nobody in the other. Gateways, \
         and one before and after a restart, need the same gateway.capture.secret"
    )]
    Keys(String, String),
    /// Users of one are left out in the other.
    #[error("{0} and {1} are of different shares of all users")]
    Shares(String, String),
    /// The same again.
    #[error("{0} and {1} are the same part of the same source")]
    Twice(String, String),
}

/// Puts files together. The order in which they are given does not matter.
///
/// # Errors
/// [`MergeError`] when they are not of one capture.
pub fn merge(sources: Vec<Source>) -> Result<Merged, MergeError> {
    check(&sources)?;
    let mut parts: BTreeMap<(Pseudonym, u32), Contents> = BTreeMap::new();
    for source in sources {
        let header = &source.contents.header;
        parts.insert((header.source, header.part), source.contents);
    }
    let notes = notes(&parts);
    let first = parts.values().next().ok_or(MergeError::Nothing)?;
    let began = parts.values().map(|it| it.header.began_unix_us).min().unwrap_or_default();
    let header = Header {
        part: 0,
        began_unix_us: began,
        made_by: concat!("throng-load ", env!("CARGO_PKG_VERSION")).to_owned(),
        ..first.header.clone()
    };
    let mut all: Vec<(Pseudonym, Record)> = Vec::new();
    for ((source, _), contents) in parts {
        let later = contents.header.began_unix_us - began;
        let ended = |record: &Record| record.what == What::End;
        let records = contents.records.into_iter().filter(|record| !ended(record));
        all.extend(
            records
                .map(|record| (source, Record { at: record.at.saturating_add(later), ..record })),
        );
    }
    all.sort_by_key(|(source, record)| (record.at, *source, record.line, record.place));
    let end = all.last().map_or(0, |(_, record)| record.at);
    let mut lines: HashMap<(Pseudonym, u64), u64> = HashMap::new();
    let mut records: Vec<Record> = Vec::with_capacity(all.len() + 1);
    for (source, mut record) in all {
        if record.line != 0 {
            let next = lines.len() as u64 + 1;
            record.line = *lines.entry((source, record.line)).or_insert(next);
        }
        records.push(record);
    }
    records.push(Record { at: end, line: 0, place: 0, user: None, what: What::End });
    Ok(Merged { header, records, notes })
}

fn check(sources: &[Source]) -> Result<(), MergeError> {
    let first = sources.first().ok_or(MergeError::Nothing)?;
    let mut seen: HashMap<(Pseudonym, u32), &str> = HashMap::new();
    for source in sources {
        let (header, before) = (&source.contents.header, &first.contents.header);
        let names = || (first.name.clone(), source.name.clone());
        if header.key != before.key {
            let (one, other) = names();
            return Err(MergeError::Keys(one, other));
        }
        if (header.share - before.share).abs() > f64::EPSILON {
            let (one, other) = names();
            return Err(MergeError::Shares(one, other));
        }
        if let Some(other) = seen.insert((header.source, header.part), &source.name) {
            return Err(MergeError::Twice(other.to_owned(), source.name.clone()));
        }
    }
    Ok(())
}

fn notes(parts: &BTreeMap<(Pseudonym, u32), Contents>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut before: Option<(Pseudonym, u32)> = None;
    for (&(source, part), contents) in parts {
        let expected = before.filter(|(it, _)| *it == source).map_or(0, |(_, part)| part + 1);
        if part > expected {
            notes.push(format!("source {source}: parts {expected} to {} are missing", part - 1));
        }
        let last = !parts.contains_key(&(source, part + 1));
        if contents.torn {
            notes.push(format!("source {source}, part {part}: the last line is not whole"));
        } else if last && contents.records.last().is_none_or(|it| it.what != What::End) {
            notes.push(format!(
                "source {source}: it has no end; its process was killed, or goes on"
            ));
        }
        before = Some((source, part));
    }
    notes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use throng_capture::{Bodies, VERSION};

    use super::*;

    fn header(source: u64, part: u32) -> Header {
        Header {
            version: VERSION,
            source: Pseudonym(source),
            part,
            began_unix_us: 1_000 * source,
            key: Pseudonym(9),
            share: 1.0,
            bodies: Bodies::Shape,
            made_by: String::new(),
        }
    }

    fn source(header: Header, records: Vec<Record>) -> Source {
        let name = format!("{}-{}", header.source, header.part);
        Source { name, contents: Contents { header, records, torn: false } }
    }

    fn record(at: u64, line: u64, place: u32) -> Record {
        Record { at, line, place, user: Some(Pseudonym(line)), what: What::Open }
    }

    fn end(at: u64) -> Record {
        Record { at, line: 0, place: 0, user: None, what: What::End }
    }

    #[test]
    fn times_count_from_the_earliest_beginning() {
        let one = source(header(1, 0), vec![record(500, 1, 0), end(600)]);
        let two = source(header(2, 0), vec![record(0, 1, 0), end(0)]);
        let merged = merge(vec![two, one]).unwrap();
        assert_eq!(merged.header.began_unix_us, 1_000);
        let found: Vec<_> = merged.records.iter().map(|it| (it.at, it.line)).collect();
        assert_eq!(found, [(500, 1), (1_000, 2), (1_000, 0)]);
        assert!(merged.notes.is_empty(), "{:?}", merged.notes);
    }

    #[test]
    fn what_does_not_go_together() {
        let one = || source(header(1, 0), vec![]);
        let other = source(Header { key: Pseudonym(8), ..header(2, 0) }, vec![]);
        assert!(matches!(merge(vec![one(), other]), Err(MergeError::Keys(..))));
        let other = source(Header { share: 0.5, ..header(2, 0) }, vec![]);
        assert!(matches!(merge(vec![one(), other]), Err(MergeError::Shares(..))));
        assert!(matches!(merge(vec![one(), one()]), Err(MergeError::Twice(..))));
        assert_eq!(merge(vec![]), Err(MergeError::Nothing));
    }

    #[test]
    fn what_is_missing_is_said() {
        let parts = vec![source(header(1, 1), vec![]), source(header(1, 4), vec![record(1, 1, 0)])];
        let notes = merge(parts).unwrap().notes.join("; ");
        assert!(notes.contains("parts 0 to 0") && notes.contains("parts 2 to 3"), "{notes}");
        assert!(notes.contains("has no end"), "{notes}");
    }

    proptest! {
        /// Records of connections, cut into parts and shuffled: the capture is the same.
        #[test]
        fn it_does_not_matter_how_it_was_cut(
            steps in prop::collection::vec((0_u64..3, 1_u64..5, 1_u64..3), 1..60),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 2),
            turn in any::<prop::sample::Index>(),
        ) {
            let mut places = HashMap::<(u64, u64), u32>::new();
            let (mut now, mut by_source) = (0, HashMap::<u64, Vec<Record>>::new());
            for (pause, line, source) in &steps {
                now += pause;
                let place = places.entry((*source, *line)).or_default();
                *place += 1;
                by_source.entry(*source).or_default().push(record(now, *line, *place));
            }
            let whole: Vec<Source> = by_source.iter()
                .map(|(number, records)| source(header(*number, 0), records.clone())).collect();
            let mut cut = Vec::new();
            for (number, records) in &by_source {
                let mut at: Vec<usize> = cuts.iter().map(|it| it.index(records.len() + 1)).collect();
                at.sort_unstable();
                let bounds = [0, at[0], at[1], records.len()];
                for (part, pair) in (0..).zip(bounds.windows(2)) {
                    // They are written in the order of their answers.
                    let mut part_records = records[pair[0]..pair[1]].to_vec();
                    part_records.reverse();
                    cut.push(source(header(*number, part), part_records));
                }
            }
            let middle = turn.index(cut.len());
            cut.rotate_left(middle);
            let (whole, cut) = (merge(whole).unwrap(), merge(cut).unwrap());
            prop_assert_eq!(&whole.records, &cut.records);
            prop_assert!(whole.records.is_sorted_by_key(|it| it.at));
            let mut last = HashMap::new();
            for it in whole.records.iter().filter(|it| it.line != 0) {
                prop_assert!(last.insert(it.line, it.place).is_none_or(|before| before < it.place));
            }
            prop_assert_eq!(whole.records.len(), steps.len() + 1);
        }
    }
}
