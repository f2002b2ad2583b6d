//! A log of chat messages (CSV, or JSON lines) as a capture. Names and texts are only looked at: the
//! capture has pseudonyms under a key that is forgotten, and lengths.

mod source;

use std::collections::HashMap;
use std::io::BufRead;

use throng_capture::{
    Bodies, Command, Element, Header, Key, Message, Pseudonym, Record, VERSION, What,
};
use throng_protocol::AppId;

use super::command;
use super::merge::Merged;
use super::time::{number, rfc3339};

/// Bad lines that are kept to be shown.
const SHOWN: usize = 20;
/// Numbers from here on are milliseconds: as seconds they would be in the year 5138.
const MILLIS_FROM: u64 = 100_000_000_000;
/// The room of logs that know no rooms.
const ONLY_ROOM: &str = "room";

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Comma-separated values under a line of names.
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// RFC 3339, or a number: large ones are milliseconds, others seconds.
    #[default]
    Auto,
    /// RFC 3339.
    Rfc3339,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
}

/// Where in a line what is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// When.
    pub time: String,
    /// Who.
    pub user: String,
    /// Where; a log that does not have it is of one room.
    pub room: Option<String>,
    /// What; only its length counts.
    pub text: String,
    /// How long, in bytes; goes before the text.
    pub length: Option<String>,
}

/// A log that cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// What the system says.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The first line does not name a column.
    #[error("no column {0:?}; there are {1}")]
    NoColumn(String, String),
    /// Not one line was good.
    #[error("no message in it; {0}")]
    Nothing(String),
}

/// A log as a capture.
#[derive(Debug)]
pub struct Converted {
    /// The capture.
    pub capture: Merged,
    /// Lines that could not be used.
    pub bad: u64,
    /// The first of them, with their numbers.
    pub shown: Vec<String>,
}

/// What a line says.
struct Said {
    at: u64,
    user: String,
    room: String,
    bytes: u32,
}

/// The values of a line, by what they are.
struct Fields<'a> {
    time: &'a str,
    user: &'a str,
    room: Option<&'a str>,
    text: Option<&'a str>,
    length: Option<&'a str>,
}

/// Reads a whole log. Messages of one moment keep their order; `live` rooms or durable groups.
///
/// # Errors
/// [`ConvertError`]; lines that cannot be used are no error, but counted.
pub fn convert(
    input: impl BufRead,
    format: LogFormat,
    columns: &Columns,
    times: TimeFormat,
    live: bool,
) -> Result<Converted, ConvertError> {
    let (mut said, mut bad, mut shown) = (Vec::new(), 0, Vec::new());
    let mut take = |line: u64, fields: Result<Fields<'_>, String>| match fields
        .and_then(|fields| understand(&fields, times))
    {
        Ok(one) => said.push(one),
        Err(why) => {
            bad += 1;
            if shown.len() < SHOWN {
                shown.push(format!("line {line}: {why}"));
            }
        }
    };
    match format {
        LogFormat::Csv => source::csv(input, columns, &mut take)?,
        LogFormat::Jsonl => source::jsonl(input, columns, &mut take)?,
    }
    if said.is_empty() {
        return Err(ConvertError::Nothing(shown.join("; ")));
    }
    said.sort_by_key(|one: &Said| one.at);
    Ok(Converted { capture: capture(&said, live), bad, shown })
}

fn understand(fields: &Fields<'_>, times: TimeFormat) -> Result<Said, String> {
    let at = moment(fields.time.trim(), times).ok_or("the time cannot be read")?;
    if fields.user.is_empty() {
        return Err("no user".to_owned());
    }
    let bytes = match (fields.length, fields.text) {
        (Some(length), _) => length.trim().parse().map_err(|_| "the length is no number")?,
        (None, Some(text)) => u32::try_from(text.len()).unwrap_or(u32::MAX),
        (None, None) => return Err("neither text nor length".to_owned()),
    };
    let room = fields.room.unwrap_or(ONLY_ROOM);
    if room.is_empty() {
        return Err("no room".to_owned());
    }
    Ok(Said { at, user: fields.user.to_owned(), room: room.to_owned(), bytes })
}

fn moment(text: &str, times: TimeFormat) -> Option<u64> {
    let seconds = || number(text, 1_000_000);
    let millis = || number(text, 1_000);
    match times {
        TimeFormat::Rfc3339 => rfc3339(text),
        TimeFormat::Seconds => seconds(),
        TimeFormat::Millis => millis(),
        TimeFormat::Auto => match millis() {
            Some(micros) if micros / 1_000 >= MILLIS_FROM => Some(micros),
            Some(_) => seconds(),
            None => rfc3339(text),
        },
    }
}

fn capture(said: &[Said], live: bool) -> Merged {
    let key = Key::random();
    let began = said.first().map_or(0, |one| one.at);
    let header = Header {
        version: VERSION,
        source: Pseudonym(rand::random()),
        part: 0,
        began_unix_us: began,
        key: key.fingerprint(),
        share: 1.0,
        bodies: Bodies::Shape,
        made_by: concat!("throng-load ", env!("CARGO_PKG_VERSION"), " convert").to_owned(),
    };
    let app = AppId(0);
    let mut seqs: HashMap<Pseudonym, u32> = HashMap::new();
    let mut records: Vec<Record> = Vec::with_capacity(said.len() + 1);
    for (place, one) in (0_u32..).zip(said) {
        let (user, group) = (key.user(app, &one.user), key.group(app, &one.room));
        let seq = seqs.entry(group).or_default();
        *seq += 1;
        let message = Message {
            id: key.message(user, group, place.into()),
            priority: None,
            elements: vec![Element { kind: "TIMTextElem".into(), bytes: one.bytes }],
            seq: *seq,
            dropped: false,
        };
        let command = Command {
            name: command::SEND.into(),
            took: Some(0),
            group: Some(group),
            live,
            message: Some(message),
            ..Command::default()
        };
        let (at, what) = (one.at - began, What::Command(command));
        records.push(Record { at, line: 0, place, user: Some(user), what });
    }
    let end = records.last().map_or(0, |record| record.at);
    records.push(Record { at: end, line: 0, place: 0, user: None, what: What::End });
    Merged { header, records, notes: Vec::new() }
}

#[cfg(test)]
mod tests;
