//! What always holds, by its ids: the one list that the docs, debug assertions, the metric, the
//! simulation and tests use. The sentences themselves, and what proves them, are in
//! `docs/invariants.md`.

use std::fmt;

/// Counts violations by id; all ids are there from the start, at 0.
const VIOLATIONS: &str = "throng_invariant_violations_total";

/// A sentence that holds at every moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// At most one node may write and acknowledge for a shard.
    Own1,
    /// The sequence of a group rises, without gaps where messages are stored for good.
    Ord1,
    /// What is acknowledged is kept.
    Dur1,
    /// One `Random`, one message.
    Dup1,
    /// Every drop is counted.
    Drp1,
    /// No silent hole in a room's stream.
    Rec1,
    /// Never more messages than the budget.
    Lim1,
}

impl Invariant {
    /// All, in the order of the docs.
    pub const ALL: [Self; 7] =
        [Self::Own1, Self::Ord1, Self::Dur1, Self::Dup1, Self::Drp1, Self::Rec1, Self::Lim1];

    /// Its name outside of the code.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Own1 => "OWN-1",
            Self::Ord1 => "ORD-1",
            Self::Dur1 => "DUR-1",
            Self::Dup1 => "DUP-1",
            Self::Drp1 => "DRP-1",
            Self::Rec1 => "REC-1",
            Self::Lim1 => "LIM-1",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Lets the metrics show every id, at 0. Call it once metrics are recorded.
pub fn export() {
    for invariant in Invariant::ALL {
        metrics::counter!(VIOLATIONS, "id" => invariant.id()).absolute(0);
    }
}

/// Something that always holds does not: counts and logs it.
///
/// # Panics
/// In debug builds: a test must not go on.
pub fn violated(invariant: Invariant, what: fmt::Arguments<'_>) {
    metrics::counter!(VIOLATIONS, "id" => invariant.id()).increment(1);
    tracing::error!(id = invariant.id(), "invariant violated: {what}");
    if cfg!(debug_assertions) {
        panic!("{invariant}: {what}");
    }
}

/// Checks an invariant where it could break: `invariant!(Ord1, next > last, "{next} after {last}")`.
/// A violation is counted and logged, and panics in debug builds. The condition is looked at in all
/// builds, so it has to be cheap.
#[macro_export]
macro_rules! invariant {
    ($id:ident, $holds:expr, $($what:tt)+) => {
        if !$holds {
            $crate::invariant::violated(
                $crate::invariant::Invariant::$id,
                ::std::format_args!($($what)+),
            );
        }
    };
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn every_id_has_its_section_in_the_docs_and_no_other_has_one() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/invariants.md");
        let page = std::fs::read_to_string(page).unwrap();
        let sections: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .filter_map(|title| title.split_once(" – "))
            .map(|(id, _)| id)
            .collect();
        assert_eq!(sections, Invariant::ALL.map(Invariant::id));
    }

    #[test]
    fn violations_are_counted_by_id_and_end_a_test() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            export();
            invariant!(Own1, 1 + 1 == 2, "never seen");
            let caught = catch_unwind(|| invariant!(Rec1, 1 + 1 == 3, "{} is missing", 7));
            let panic = caught.unwrap_err().downcast::<String>().unwrap();
            assert_eq!(*panic, "REC-1: 7 is missing");
        });
        let shown = recorder.handle().render();
        for invariant in Invariant::ALL {
            let count = u32::from(invariant == Invariant::Rec1);
            let line = format!("{VIOLATIONS}{{id=\"{invariant}\"}} {count}\n");
            assert!(shown.contains(&line), "{line} is not in {shown}");
        }
    }
}
