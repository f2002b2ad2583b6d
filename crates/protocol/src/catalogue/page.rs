//! The documentation's page of commands, made from the catalogue.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::command::{Callers, Command, Owner, Support};

/// The text of `docs/coverage.md`.
#[must_use]
pub fn coverage_markdown() -> String {
    let mut tables: BTreeMap<(Owner, &str), Vec<&Command>> = BTreeMap::new();
    for command in super::commands() {
        tables.entry((command.owner, command.service())).or_default().push(command);
    }
    let mut page = String::from(HEADER);
    summary(&mut page);
    let mut heading = None;
    for ((owner, service), commands) in tables {
        if heading != Some(owner) {
            let _ = write!(page, "\n## {}\n", title(owner));
            heading = Some(owner);
        }
        let _ = write!(page, "\n### `{service}`\n\n");
        page.push_str("| Command | REST | Client | Guest | State | Note | Documented |\n");
        page.push_str("|---|---|---|---|---|---|---|\n");
        for command in commands {
            row(&mut page, command);
        }
    }
    page
}

const HEADER: &str = "# Coverage\n\n\
    Generated from the catalogue in `crates/protocol/src/catalogue`; do not edit by hand.\n\n\
    Every command of the SDK's protocol and of the REST API, by the service that owns it. \
    **works**: as documented. **answers**: always the same, harmless answer; the note says which. \
    **not yet**: refused with 10026 (groups) or 60020 (all others) and a text that says so. A command \
    that is not listed gets 10003 from the group services and 60009 from all others. Under *REST* \
    stands how many requests a second an app may make; the group commands answer under each of \
    their services' names. *SDK n* is a section of the SDK protocol notes, *CN n* and *INT n* \
    are pages of the vendor's documentation. What it comes to for the methods of the official SDK \
    is in [sdk-methods.md](sdk-methods.md).\n";

fn summary(page: &mut String) {
    let count = |test: &dyn Fn(&Command) -> bool| super::commands().filter(|row| test(row)).count();
    page.push_str("\n| | all | works | answers | not yet |\n|---|---|---|---|---|\n");
    for (name, callers) in
        [("REST", Callers::REST), ("client", Callers::CLIENT), ("guest", Callers::GUEST)]
    {
        let of = |state: &dyn Fn(Support) -> bool| {
            count(&|row| row.callers.contains(callers) && state(row.state))
        };
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} |",
            of(&|_| true),
            of(&|state| state == Support::Works),
            of(&|state| matches!(state, Support::Answers(_))),
            of(&|state| state == Support::NotYet),
        );
    }
}

fn title(owner: Owner) -> &'static str {
    match owner {
        Owner::Gateway => "Gateway",
        Owner::GroupRouter => "Group router",
        Owner::History => "History",
        Owner::Presence => "Presence",
        Owner::Directory => "Directory",
    }
}

fn row(page: &mut String, command: &Command) {
    let mark = |caller| {
        if command.callers.contains(caller) { "yes" } else { "" }
    };
    let rest = match command.rate {
        0 => String::new(),
        rate => format!("{rate}/s"),
    };
    let (state, note) = match command.state {
        Support::Works => ("works", ""),
        Support::Answers(note) => ("answers", note),
        Support::NotYet => ("not yet", ""),
    };
    let mut note = note.to_owned();
    for alias in command.aliases {
        let separator = if note.is_empty() { "" } else { "; " };
        let _ = write!(note, "{separator}also `{alias}`");
    }
    let _ = writeln!(
        page,
        "| `{}` | {rest} | {} | {} | {state} | {note} | {} |",
        command.command(),
        mark(Callers::CLIENT),
        mark(Callers::GUEST),
        command.doc,
    );
}
