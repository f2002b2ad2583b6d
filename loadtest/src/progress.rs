//! The line that shows how a run goes: rewritten on a terminal, now and then a new one elsewhere.

use std::io::{IsTerminal as _, Write as _, stderr};

use throng_load::run::Stage;

/// Elsewhere than on a terminal every so many seconds are shown.
const SOME: i64 = 5;

/// Writes to stderr: stdout is for the report.
pub(crate) struct Progress {
    live: bool,
    clients: u32,
}

impl Progress {
    pub(crate) fn new(clients: u32) -> Self {
        Self { live: stderr().is_terminal(), clients }
    }

    pub(crate) fn show(&self, stage: &Stage<'_>) {
        let clients = self.clients;
        let (text, some) = match stage {
            Stage::Filling(present) => (format!("{present} of {clients} clients are in"), true),
            Stage::Second(second) => {
                let (at, sent, delivered) = (second.second, second.sent, second.delivered);
                let (p50, p99) = (second.delivery_p50_ms, second.delivery_p99_ms);
                let (present, dropped, failed) = (second.present, second.dropped, second.failed);
                let text = format!(
                    "{at:>4} s  {present} in  {sent}/s sent  {delivered}/s delivered  \
                     p50 {p50:.1} ms  p99 {p99:.1} ms  {dropped} dropped  {failed} failed"
                );
                (text, at % SOME == 0)
            }
        };
        let mut out = stderr().lock();
        // Nobody reads it: nothing to be done.
        let _ = if self.live {
            write!(out, "\r\x1b[2K{text}").and_then(|()| out.flush())
        } else if some {
            writeln!(out, "{text}")
        } else {
            Ok(())
        };
    }

    pub(crate) fn end(&self) {
        if self.live {
            let _ = writeln!(stderr());
        }
    }
}
