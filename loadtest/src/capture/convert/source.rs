//! The lines of a log, taken apart.

use std::io::BufRead;

use serde_json::{Map, Value};

use super::{Columns, ConvertError, Fields};

type Take<'a> = dyn FnMut(u64, Result<Fields<'_>, String>) + 'a;

pub(super) fn csv(
    input: impl BufRead,
    columns: &Columns,
    take: &mut Take<'_>,
) -> Result<(), ConvertError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(input);
    let names = reader.headers().map_err(to_io)?.clone();
    // Some programs begin a file with a mark of its encoding.
    let is = |found: &str, name: &str| found.trim_start_matches('\u{feff}').trim() == name;
    let find = |name: &str| names.iter().position(|found| is(found, name));
    let must = |name: &str| {
        let all = || names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        find(name).ok_or_else(|| ConvertError::NoColumn(name.to_owned(), all()))
    };
    let (time, user) = (must(&columns.time)?, must(&columns.user)?);
    let room = columns.room.as_deref().map(must).transpose()?;
    let length = columns.length.as_deref().map(must).transpose()?;
    let text = if length.is_some() { find(&columns.text) } else { Some(must(&columns.text)?) };
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                let get = |at: usize| record.get(at).unwrap_or_default();
                let fields = Fields {
                    time: get(time),
                    user: get(user),
                    room: room.map(get),
                    text: text.map(get),
                    length: length.map(get),
                };
                take(line, Ok(fields));
            }
            Err(error) if error.is_io_error() => return Err(to_io(error)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                take(line, Err(reason(&error).to_owned()));
            }
        }
    }
}

/// Without anything of the line: a log is private.
fn reason(error: &csv::Error) -> &'static str {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "not UTF-8",
        csv::ErrorKind::UnequalLengths { .. } => "not as many columns as the first line names",
        _ => "not CSV",
    }
}

fn to_io(error: csv::Error) -> ConvertError {
    let text = reason(&error);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        _ => std::io::Error::new(std::io::ErrorKind::InvalidData, text).into(),
    }
}

pub(super) fn jsonl(
    mut input: impl BufRead,
    columns: &Columns,
    take: &mut Take<'_>,
) -> Result<(), ConvertError> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let Ok(object) = serde_json::from_slice::<Map<String, Value>>(&bytes) else {
            take(line, Err("not a JSON object".to_owned()));
            continue;
        };
        let get = |name: &str| object.get(name).and_then(as_text);
        let time = get(&columns.time).unwrap_or_default();
        let user = get(&columns.user).unwrap_or_default();
        let room = columns.room.as_deref().map(|name| get(name).unwrap_or_default());
        let text = get(&columns.text);
        let length = columns.length.as_deref().map(|name| get(name).unwrap_or_default());
        let fields = Fields {
            time: &time,
            user: &user,
            room: room.as_deref(),
            text: text.as_deref(),
            length: length.as_deref(),
        };
        take(line, Ok(fields));
    }
    Ok(())
}

/// IDs and times may be numbers.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
