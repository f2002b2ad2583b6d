//! `record`, `convert`, and the reading part of `replay`: what has only files at both ends.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context as _, bail};
use throng_load::capture::{
    Columns, LogFormat, Summary, TimeFormat, convert as convert_log, load, merge, save,
};
use throng_load::plan::Plan;
use throng_load::profile::{Login, Phases, Profile, RoomKind, Rooms, Traffic, VERSION};
use throng_load::replay::{Limits, Order, Replay};

use crate::cli::{ConvertFlags, FormatFlag, OrderFlag, RecordFlags, ReplayFlags, TimeFlag};

/// The exit status of what is not as it should be.
const NOT_GOOD: u8 = 1;

/// Live rooms of one session that an app allows where nothing else is said.
const USUAL_ROOMS: usize = 10;

/// A replay that is ready to be carried out.
pub(crate) struct Prepared {
    pub(crate) replay: Replay,
    pub(crate) profile: Profile,
    pub(crate) notes: Vec<String>,
}

/// Puts captures together; the exit status.
pub(crate) fn record(flags: &RecordFlags) -> anyhow::Result<u8> {
    let capture = merge(load(&flags.files)?)?;
    let summary = Summary::of(&capture.records);
    println!("{summary}");
    for note in &capture.notes {
        println!("note: {note}");
    }
    let whole = capture.notes.is_empty() && summary.missing == 0;
    if flags.strict && !whole {
        eprintln!("throng-load: something is missing");
        return Ok(NOT_GOOD);
    }
    if let Some(out) = &flags.out {
        save(&capture, out).with_context(|| format!("{}", out.display()))?;
    }
    Ok(0)
}

/// Makes a capture of a log; the exit status.
pub(crate) fn convert(flags: &ConvertFlags) -> anyhow::Result<u8> {
    let name = flags.log.display();
    let format = match flags.format {
        Some(FormatFlag::Csv) => LogFormat::Csv,
        Some(FormatFlag::Jsonl) => LogFormat::Jsonl,
        None => format_of(&flags.log)?,
    };
    let times = match flags.time_format {
        TimeFlag::Auto => TimeFormat::Auto,
        TimeFlag::Rfc3339 => TimeFormat::Rfc3339,
        TimeFlag::Seconds => TimeFormat::Seconds,
        TimeFlag::Millis => TimeFormat::Millis,
    };
    let columns = Columns {
        time: flags.time.clone(),
        user: flags.user.clone(),
        room: (!flags.one_room).then(|| flags.room.clone()),
        text: flags.text.clone(),
        length: flags.length.clone(),
    };
    let log = File::open(&flags.log).with_context(|| format!("{name}"))?;
    let converted = convert_log(BufReader::new(log), format, &columns, times, !flags.durable)
        .with_context(|| format!("{name}"))?;
    for line in &converted.shown {
        eprintln!("{name}: {line}");
    }
    if converted.bad > 0 {
        eprintln!("{name}: {} lines cannot be used", converted.bad);
        if flags.strict {
            return Ok(NOT_GOOD);
        }
    }
    save(&converted.capture, &flags.out).with_context(|| format!("{}", flags.out.display()))?;
    println!("{}", Summary::of(&converted.capture.records));
    Ok(0)
}

fn format_of(log: &Path) -> anyhow::Result<LogFormat> {
    match log.extension().and_then(|end| end.to_str()) {
        Some("csv") => Ok(LogFormat::Csv),
        Some("jsonl" | "ndjson") => Ok(LogFormat::Jsonl),
        _ => bail!("{}: neither .csv nor .jsonl: use --format", log.display()),
    }
}

/// Reads a capture and makes a plan of it.
pub(crate) fn prepare(flags: &ReplayFlags) -> anyhow::Result<Prepared> {
    let name = flags.capture.display();
    let capture = merge(load(std::slice::from_ref(&flags.capture))?)?;
    let order = match flags.order {
        OrderFlag::Timed => Order::Timed,
        OrderFlag::Strict => Order::Strict,
    };
    let replay =
        Replay::new(&capture.records, flags.speed, order).with_context(|| format!("{name}"))?;
    let limits = match &flags.limits {
        None => Limits::default(),
        Some(path) => {
            let named = || format!("{}", path.display());
            let text = std::fs::read_to_string(path).with_context(named)?;
            Limits::parse(&text).with_context(named)?
        }
    };
    let profile = Profile {
        version: VERSION,
        name: flags.capture.file_stem().map_or_else(String::new, |it| it.to_string_lossy().into()),
        about: format!("What was captured in {name}, done again."),
        seed: 0,
        rooms: Rooms { kind: RoomKind::default(), count: replay.plan.rooms, members: 0 },
        login: Login::default(),
        phases: Phases {
            connects_per_second: flags.connects,
            warmup_seconds: 0.0,
            measure_seconds: replay.seconds(),
            leave_seconds: 0.0,
            drain_seconds: flags.drain.map_or_else(|| patience(order), f64::from),
        },
        traffic: Traffic::default(),
        bursts: Vec::new(),
        churn: None,
        cuts: Vec::new(),
        rest: None,
        thresholds: limits.thresholds,
        generator: limits.generator,
    };
    let mut notes = capture.notes;
    notes.extend(many_rooms(&replay.plan));
    Ok(Prepared { replay, profile, notes })
}

/// Servers take a session out of its first live rooms when it joins too many.
fn many_rooms(plan: &Plan) -> Option<String> {
    let live = |room: u32| plan.kinds[room as usize] == RoomKind::AVChatRoom;
    let first = |client| plan.seats_of(client).filter(|it| it.first && live(it.room)).count();
    let most = (0..plan.clients).map(first).max().unwrap_or(0);
    (most > USUAL_ROOMS).then(|| {
        format!(
            "a user is in {most} live rooms from the beginning; the app has to allow that \
             (app.rooms.rooms_per_session)"
        )
    })
}

/// Seconds. Where messages wait for each other the end may be late.
fn patience(order: Order) -> f64 {
    match order {
        Order::Timed => 10.0,
        Order::Strict => 60.0,
    }
}
