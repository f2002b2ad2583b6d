//! Logs, good and bad.

use proptest::prelude::*;

use super::*;

fn columns() -> Columns {
    let of = str::to_owned;
    let (time, user, text) = (of("time"), of("user"), of("text"));
    Columns { time, user, room: Some(of("room")), text, length: None }
}

fn csv(text: &str) -> Result<Converted, ConvertError> {
    convert(text.as_bytes(), LogFormat::Csv, &columns(), TimeFormat::Auto, true)
}

/// Time, group, number in the group and bytes of each message.
fn messages(converted: &Converted) -> Vec<(u64, Pseudonym, u32, u32)> {
    let commands = converted.capture.records.iter().filter_map(|record| match &record.what {
        What::Command(command) => Some((record.at, command)),
        _ => None,
    });
    commands
        .map(|(at, command)| {
            let message = command.message.as_ref().unwrap();
            (at, command.group.unwrap(), message.seq, message.elements[0].bytes)
        })
        .collect()
}

#[test]
fn a_table() {
    let log = "\u{feff}room,time,user,text\n\
        a,2026-11-21T19:25:55Z,ann,\"hi, there\"\n\
        b,1795289153,bob,two\n\
        a,1795289153500,\"carl \"\"c\"\"\",\"three\nlines\"\n";
    let converted = csv(log).unwrap();
    assert_eq!(converted.bad, 0, "{:?}", converted.shown);
    let found = messages(&converted);
    let times: Vec<_> = found.iter().map(|it| (it.0, it.2, it.3)).collect();
    assert_eq!(times, [(0, 1, 3), (500_000, 1, 11), (2_000_000, 2, 9)]);
    assert_eq!(found[1].1, found[2].1);
    assert_ne!(found[0].1, found[1].1);
    assert_eq!(converted.capture.header.began_unix_us, 1_795_289_153_000_000);
}

#[test]
fn bad_lines_are_named_and_the_others_used() {
    let log = "time,user,room,text\n1,ann,a,x\nnever,ann,a,private\n3,,a,x\n4,ann,a\n5,ann,,x\n6,bob,a,x\n";
    let converted = csv(log).unwrap();
    assert_eq!(messages(&converted).len(), 2);
    assert_eq!(
        converted.shown,
        [
            "line 3: the time cannot be read",
            "line 4: no user",
            "line 5: not as many columns as the first line names",
            "line 6: no room"
        ]
    );
    assert_eq!(converted.bad, 4);
    let error = csv("time,user,text\n1,a,b\n").unwrap_err().to_string();
    assert!(error.contains("\"room\"") && error.contains("\"text\""), "{error}");
    assert!(matches!(csv("time,user,room,text\nx,a,b,c\n"), Err(ConvertError::Nothing(_))));
}

#[test]
fn json_lines_with_names_of_their_own() {
    let columns = Columns {
        time: "ts".to_owned(),
        user: "from".to_owned(),
        room: None,
        text: "text".to_owned(),
        length: Some("len".to_owned()),
    };
    let log = "{\"ts\":1700000000.25,\"from\":7,\"len\":40}\n\n[1]\n\
        {\"ts\":\"1700000001\",\"from\":\"x\",\"len\":\"5\"}\n{\"ts\":1,\"from\":7}\n";
    let format = LogFormat::Jsonl;
    let converted = convert(log.as_bytes(), format, &columns, TimeFormat::Seconds, false).unwrap();
    let found: Vec<_> = messages(&converted).iter().map(|it| (it.0, it.3)).collect();
    assert_eq!(found, [(0, 40), (750_000, 5)]);
    assert_eq!(converted.shown, ["line 3: not a JSON object", "line 5: the length is no number"]);
}

proptest! {
    /// Letters that no name of the format has.
    #[test]
    fn nothing_of_a_log_is_in_its_capture(
        rows in prop::collection::vec(
            (0_u64..5_000, "[\u{4e00}-\u{4e0f}]{1,3}", "[\u{4e00}-\u{4e0f}]{1,2}", "[\u{4e00}-\u{4fff}]{0,30}"),
            1..30,
        ),
    ) {
        let mut log = "time,user,room,text\n".to_owned();
        for (time, user, room, text) in &rows {
            log += &format!("{},{user},{room},{text}\n", 1_700_000_000 + time);
        }
        let converted = csv(&log).unwrap();
        prop_assert_eq!(converted.bad, 0);
        for record in &converted.capture.records {
            prop_assert!(throng_capture::line(record).is_ascii());
        }
        // One pseudonym for each user and room, and each room is numbered without a gap.
        let users: std::collections::HashSet<_> = rows.iter().map(|row| &row.1).collect();
        let found: std::collections::HashSet<_> =
            converted.capture.records.iter().filter_map(|record| record.user).collect();
        prop_assert_eq!(users.len(), found.len());
        let mut next = HashMap::new();
        for (_, group, seq, _) in messages(&converted) {
            let next: &mut u32 = next.entry(group).or_default();
            *next += 1;
            prop_assert_eq!(seq, *next);
        }
    }
}
