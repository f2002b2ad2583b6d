//! The CQL store against a real database, where there is one: `THRONG_TEST_CQL=127.0.0.1:9042`. Without
//! it all tests are reported as ignored. `deploy/local/cassandra start` runs one.
//!
//! All tests share one keyspace, because changing the schema is the slow part; it is dropped at the
//! end.

mod limits;
#[path = "../model/mod.rs"]
mod model;
mod outage;
mod schema;
mod setup;
mod writes;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use throng_store::Store;
use throng_store::conformance::{self, RealTime};

use self::setup::{Setup, VARIABLE};

type Test = fn(&Setup) -> anyhow::Result<()>;

const TESTS: &[(&str, Test)] = &[
    ("limits::what_has_no_place_in_time_is_refused", limits::what_has_no_place_in_time_is_refused),
    ("limits::nobody_there_is_told_in_time", limits::nobody_there_is_told_in_time),
    ("limits::the_largest_batches_are_taken", limits::the_largest_batches_are_taken),
    (
        "outage::a_database_that_comes_back_is_used_again",
        outage::a_database_that_comes_back_is_used_again,
    ),
    ("schema::applying_again_changes_nothing", schema::applying_again_changes_nothing),
    ("schema::missing_tables_are_told_or_made", schema::missing_tables_are_told_or_made),
    ("schema::a_table_of_other_columns_is_refused", schema::a_table_of_other_columns_is_refused),
    ("schema::a_changed_ttl_is_applied", schema::a_changed_ttl_is_applied),
    ("writes::a_write_has_the_time_that_it_brings", writes::a_write_has_the_time_that_it_brings),
    ("model::it_does_what_the_model_does", |setup| {
        let store: Arc<dyn Store> = setup.store.clone();
        model::it_does_what_the_model_does(setup.runtime.handle(), &store, 60)
    }),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let address = std::env::var(VARIABLE).ok();
    if address.is_none() {
        eprintln!("{VARIABLE} is not set: the tests against a CQL database are skipped");
    }
    // Connecting costs a second: only when a test will run.
    let setup = address.filter(|_| !arguments.list).map(|address| Setup::new(&address));
    let trials = trials(setup.as_ref());
    let conclusion: Conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(setup) = setup {
        setup.end();
    }
    conclusion.exit_code()
}

fn trials(setup: Option<&Setup>) -> Vec<Trial> {
    let ignored = setup.is_none();
    let mut trials = Vec::new();
    for (name, case) in conformance::cases() {
        let setup = setup.cloned();
        let run = move || {
            let setup = setup.ok_or_else(|| Failed::from("no database"))?;
            let store: Arc<dyn Store> = setup.store.clone();
            setup.runtime.block_on(case(store, &RealTime)).map_err(Failed::from)
        };
        trials.push(Trial::test(format!("conformance::{name}"), run).with_ignored_flag(ignored));
    }
    for &(name, test) in TESTS {
        let setup = setup.cloned();
        let run = move || {
            let setup = setup.ok_or_else(|| Failed::from("no database"))?;
            test(&setup).map_err(|error| Failed::from(format!("{error:#}")))
        };
        trials.push(Trial::test(name, run).with_ignored_flag(ignored));
    }
    trials
}
