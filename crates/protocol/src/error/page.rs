//! The documentation's page of error codes, made from the registry.

use std::fmt::Write as _;

use super::FAMILIES;

/// The text of `docs/error-codes.md`.
#[must_use]
pub fn error_codes_markdown() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Generated from the registry in `crates/protocol/src/error`; do not edit by hand.\n\n\
         An answer's `ErrorCode` is 0 for success or one of these. Names are ours, numbers and\n\
         meanings the vendor's: `CN n` and `INT n` are pages of its documentation. Besides these an\n\
         app's own webhooks may return 10100–10200 (groups), 38000–39000 (relations) and\n\
         120001–130000 (messages).\n",
    );
    for family in FAMILIES {
        let _ = write!(page, "\n## {}\n\n", family.title);
        page.push_str("| Code | Name | Meaning | Source |\n|---|---|---|---|\n");
        for entry in family.entries {
            let _ = writeln!(
                page,
                "| {} | `{}` | {} | {} |",
                entry.number, entry.name, entry.meaning, entry.source
            );
        }
    }
    page
}
