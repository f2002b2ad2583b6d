//! Reading a capture line by line. A mistake is named with its line.

use std::io::{self, BufRead};

use crate::{Header, Record, VERSION};

/// Bytes of the longest line that is read.
const MOST_LINE: u64 = 1024 * 1024;

/// A file that is no capture, or a broken one.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// What the system says.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// There is not even a header.
    #[error("the file is empty")]
    Empty,
    /// A line that is not what it should be.
    #[error("line {line}: {error}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// A line that nothing here writes.
    #[error("line {0} is longer than 1 MiB")]
    TooLong(u64),
    /// Made for another version.
    #[error("version {0} is not supported, only {VERSION}")]
    Version(u32),
}

/// A whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// Its first line.
    pub header: Header,
    /// The other lines.
    pub records: Vec<Record>,
    /// Its last line has no end: the writer was stopped in the middle of it. The line is left out.
    pub torn: bool,
}

/// Reads a whole file.
///
/// # Errors
/// [`Problem`] that names the first line that cannot be read.
pub fn read(mut source: impl BufRead) -> Result<Contents, Problem> {
    let mut line = Vec::new();
    let (mut number, mut header, mut records) = (0, None, Vec::new());
    let torn = loop {
        line.clear();
        number += 1;
        io::Read::take(&mut source, MOST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break false;
        }
        if !line.ends_with(b"\n") {
            if line.len() as u64 == MOST_LINE {
                return Err(Problem::TooLong(number));
            }
            break true;
        }
        let at = |error| Problem::Line { line: number, error };
        if header.is_some() {
            records.push(serde_json::from_slice::<Record>(&line).map_err(at)?);
            continue;
        }
        // Of another version only the number can be relied on.
        let version = serde_json::from_slice::<Version>(&line).map_err(at)?.throng_capture;
        if version != VERSION {
            return Err(Problem::Version(version));
        }
        header = Some(serde_json::from_slice::<Header>(&line).map_err(at)?);
    };
    Ok(Contents { header: header.ok_or(Problem::Empty)?, records, torn })
}

#[derive(serde::Deserialize)]
struct Version {
    throng_capture: u32,
}

#[cfg(test)]
mod tests {
    use crate::{Bodies, Command, Element, Message, Pseudonym, What, line};

    use super::*;

    fn header() -> Header {
        Header {
            version: VERSION,
            source: Pseudonym(1),
            part: 0,
            began_unix_us: 1_700_000_000_000_000,
            key: Pseudonym(2),
            share: 0.5,
            bodies: Bodies::Shape,
            made_by: "test".to_owned(),
        }
    }

    fn records() -> Vec<Record> {
        let message = Message {
            id: Pseudonym(9),
            priority: Some("High".into()),
            elements: vec![Element { kind: "TIMTextElem".into(), bytes: 60 }],
            seq: 17,
            dropped: false,
        };
        let command = Command {
            name: "group_open_http_svc.send_group_msg".into(),
            took: Some(900),
            group: Some(Pseudonym(5)),
            live: true,
            message: Some(message),
            ..Command::default()
        };
        let of = |at, what| Record { at, line: 3, place: 1, user: Some(Pseudonym(4)), what };
        vec![
            of(0, What::Open),
            of(10, What::Command(command)),
            of(20, What::Close { for_good: true }),
            Record { at: 30, line: 0, place: 0, user: None, what: What::Dropped { count: 7 } },
            Record { at: 40, line: 0, place: 0, user: None, what: What::End },
        ]
    }

    fn file() -> Vec<u8> {
        let mut file = line(&header());
        records().iter().for_each(|record| file.extend(line(record)));
        file
    }

    #[test]
    fn what_was_written_is_read() {
        let file = file();
        let contents = read(&file[..]).unwrap();
        assert_eq!(contents, Contents { header: header(), records: records(), torn: false });
        let text = String::from_utf8(file).unwrap();
        assert!(text.contains(
            r#"{"at":10,"line":3,"place":1,"user":"0000000000000004","what":"command","name":"group"#
        ));
        assert!(text.ends_with("{\"at\":40,\"what\":\"end\"}\n"));
    }

    #[test]
    fn a_file_may_end_in_the_middle_of_a_line() {
        let file = file();
        let contents = read(&file[..file.len() - 5]).unwrap();
        assert!(contents.torn);
        assert_eq!(contents.records.len(), records().len() - 1);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |file: &[u8]| read(file).unwrap_err().to_string();
        assert_eq!(error(b""), "the file is empty");
        assert!(error(b"{\"throng_capture\":2,\"x\":1}\n").contains("version 2"));
        assert!(error(b"{}\n").starts_with("line 1: "));
        let mut file = file();
        file.extend(b"{\"at\":\"x\"}\n");
        assert!(error(&file).starts_with("line 7: "), "{}", error(&file));
    }
}
