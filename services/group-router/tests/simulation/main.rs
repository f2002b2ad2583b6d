//! Placement and group ownership under crashes, pauses, partitions, slow stores and wrong clocks:
//! many runs of a small world in virtual time, each made from a seed alone.
//!
//! After every step the invariants are checked that `docs/invariants.md` lists (a violation names its
//! id); when the faults have ended, everything has to be well again within bounded time. How a seed
//! is run again: `docs/placement.md`.

mod actor;
mod client;
mod clocks;
mod env;
mod faults;
mod gateway;
mod network;
mod oracle;
mod profile;
mod raft;
mod rng;
mod router;
mod search;
mod store;
mod times;
mod wire;
mod world;

use profile::Broken;
use search::{Found, search, setting, show};

#[test]
fn the_invariants_hold() {
    if let Some(seed) = setting("THRONG_SIM_SEED") {
        return show(seed);
    }
    let seeds = setting("THRONG_SIM_SEEDS").unwrap_or(2_000);
    let Found { violation, counts, healed_in } = search(0..seeds, Broken::default());
    if let Some((seed, _)) = violation {
        return show(seed);
    }
    eprintln!("{seeds} seeds; healed in {healed_in:?} ms (median, longest)");
    for (what, count) in counts {
        eprintln!("{count:>10} {what}");
        assert!(count > 0 || seeds < 2_000, "{what}: never, so nothing was seen of it");
    }
}

/// A rule that is broken has to be noticed within so many seeds.
fn finds(broken: Broken) {
    let Found { violation, counts, .. } = search(0..10_000, broken);
    let Some((seed, what)) = violation else { panic!("nothing is found in {counts:?}") };
    eprintln!("seed {seed}: {what}");
}

macro_rules! finds {
    ($($test:ident: $rule:ident,)+) => {$(
        #[test]
        fn $test() {
            finds(Broken { $rule: true, ..Broken::default() });
        }
    )+};
}

finds! {
    the_simulation_finds_leases_without_a_quorum: no_quorum,
    the_simulation_finds_a_new_leader_that_does_not_wait: no_wait_after_election,
    the_simulation_finds_decisions_of_another_term: any_term,
    the_simulation_finds_leases_that_count_from_the_answer: lease_from_answer,
    the_simulation_finds_two_lives_of_one_incarnation: same_incarnation,
    the_simulation_finds_clocks_that_run_apart: wild_clocks,
    the_simulation_finds_releases_before_the_end: early_release,
    the_simulation_finds_acknowledgements_without_a_second_look: unchecked_acknowledgement,
    the_simulation_finds_writes_without_fences: no_fencing,
    the_simulation_finds_write_times_without_a_floor: no_floor,
    the_simulation_finds_owners_without_notes: no_notes,
    the_simulation_finds_owners_that_do_not_read_back: no_read_back,
    the_simulation_finds_gateways_that_ignore_holes: ignore_holes,
    the_simulation_finds_rooms_without_beacons: no_beacons,
    the_simulation_finds_rooms_that_begin_in_silence: no_greeting,
}
