//! What one run is like, drawn from its seed: how many nodes, which faults, how bad. Runs differ in
//! the kinds of faults that they have at all, so that rare mixtures come up too.

use crate::rng::Rng;

/// Rules that a run breaks on purpose, to see that the checks notice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The leader grants leases without asking a quorum whether it still leads.
    pub(crate) no_quorum: bool,
    /// A new leader gives its predecessor up at once.
    pub(crate) no_wait_after_election: bool,
    /// A leader's decision counts in whatever term it gets into the log.
    pub(crate) any_term: bool,
    /// A node counts its lease from the answer.
    pub(crate) lease_from_answer: bool,
    /// A restarted process goes on under the name and number of the one before.
    pub(crate) same_incarnation: bool,
    /// Shards are released before what was begun is carried out.
    pub(crate) early_release: bool,
    /// Owners acknowledge without looking at their lease again.
    pub(crate) unchecked_acknowledgement: bool,
    /// The store lets the write win that comes last.
    pub(crate) no_fencing: bool,
    /// Owners stamp writes with their wall clock alone.
    pub(crate) no_floor: bool,
    /// Owners of stored groups take what they find for the history, and leave no note of their own.
    pub(crate) no_notes: bool,
    /// New owners do not read which messages there are.
    pub(crate) no_read_back: bool,
    /// Gateways take events as they come.
    pub(crate) ignore_holes: bool,
    /// Owners do not tell where a room stands that fell silent.
    pub(crate) no_beacons: bool,
    /// A room that is read again is silent until something happens in it.
    pub(crate) no_greeting: bool,
    /// Monotonic clocks run apart by more than the margin allows.
    pub(crate) wild_clocks: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) broken: Broken,
    pub(crate) routers: usize,
    /// The first ones vote, the others learn.
    pub(crate) voters: usize,
    pub(crate) shards: u32,
    pub(crate) gateways: usize,
    pub(crate) clients: usize,
    /// Messages that each client sends.
    pub(crate) messages: u32,
    /// Of a thousand messages so many go to the first group.
    pub(crate) focus: u64,
    /// Groups whose messages are stored for good; of the others there are as many.
    pub(crate) stored_groups: usize,
    /// How long faults go on, milliseconds.
    pub(crate) chaos_ms: u64,
    /// Pause between two faults at most, milliseconds.
    pub(crate) fault_pause_ms: u64,
    /// Weights of the kinds of faults, in the order of `faults.rs`.
    pub(crate) faults: [u64; 7],
    /// Of a thousand messages between processes so many are lost…
    pub(crate) lost: u64,
    /// …and so many are slow.
    pub(crate) slow: u64,
    /// Of a thousand room events so many are lost on the bus.
    pub(crate) bus_lost: u64,
    /// Of a thousand requests to the store so many arrive late, perhaps very late…
    pub(crate) store_slow: u64,
    /// …and so many of requests or answers never.
    pub(crate) store_lost: u64,
    /// Time that owners give the store for an answer, milliseconds.
    pub(crate) store_ms: u64,
    /// Of a thousand decisions of leaders so many reach the log late.
    pub(crate) slow_proposals: u64,
    /// By how much monotonic clocks may differ from true time, millionths.
    pub(crate) drift_ppm: u64,
    /// By how much wall clocks may be wrong, microseconds.
    pub(crate) wall_skew: u64,
}

impl Profile {
    /// Three routers, and nothing that goes wrong by itself.
    pub(crate) fn calm() -> Self {
        Self {
            broken: Broken::default(),
            routers: 3,
            voters: 3,
            shards: 8,
            gateways: 2,
            clients: 2,
            messages: 0,
            focus: 0,
            stored_groups: 2,
            chaos_ms: 60_000,
            fault_pause_ms: 1_000,
            faults: [0; 7],
            lost: 0,
            slow: 0,
            bus_lost: 0,
            store_slow: 0,
            store_lost: 0,
            store_ms: 1_000,
            slow_proposals: 0,
            drift_ppm: 1_000,
            wall_skew: 1_000_000,
        }
    }

    pub(crate) fn draw(seed: u64, broken: Broken) -> Self {
        let mut rng = Rng::new(seed ^ 0x70_72_6F_66_69_6C_65);
        let mut some = |chance: u64, most: u64| {
            if rng.permille(chance) { rng.between(1, most) } else { 0 }
        };
        let faults = [
            some(700, 4),
            some(700, 4),
            some(700, 4),
            some(400, 3),
            some(300, 2),
            some(300, 2),
            some(300, 2),
        ];
        let lost = some(400, 40);
        let slow = some(500, 60);
        let bus_lost = some(600, 200);
        let store_slow = some(700, 300);
        let focus = some(500, 900);
        let store_lost = some(400, 40);
        let slow_proposals = some(500, 700);
        let wall_skew = some(600, 30_000_000);
        let voters = if rng.permille(700) { 3 } else { 5 };
        let routers = if voters == 3 { voters + rng.place(3) } else { voters };
        let drawn = Self {
            broken,
            routers,
            voters,
            clients: 2 + rng.place(4),
            messages: 8,
            focus,
            chaos_ms: rng.between(4_000, 9_000),
            fault_pause_ms: rng.scaled(300, 3_000),
            faults,
            lost,
            slow,
            bus_lost,
            store_slow,
            store_lost,
            store_ms: rng.scaled(500, 4_000),
            slow_proposals,
            drift_ppm: if broken.wild_clocks { 400_000 } else { 1_000 },
            wall_skew,
            ..Self::calm()
        };
        // What a broken rule leads to is to be seen in few runs.
        if seed % 4 == 3 || broken != Broken::default() { drawn.rough() } else { drawn }
    }

    /// Much of everything goes wrong.
    fn rough(self) -> Self {
        let [crash, pause, partition, ..] = &self.faults;
        let mut faults = self.faults;
        faults[..3].copy_from_slice(&[crash + 1, pause + 2, partition + 2]);
        Self {
            faults,
            fault_pause_ms: 700,
            clients: 5,
            lost: 20,
            slow: 60,
            bus_lost: 200,
            store_slow: 250,
            store_lost: 20,
            slow_proposals: 600,
            ..self
        }
    }

    pub(crate) fn groups(&self) -> usize {
        2 * self.stored_groups
    }

    pub(crate) fn is_stored(&self, group: usize) -> bool {
        group < self.stored_groups
    }

    pub(crate) fn shard_of(&self, group: usize) -> u32 {
        u32::try_from(group).expect("few groups") % self.shards
    }
}
