//! What goes wrong, and that it ends.

use crate::env::{Event, MS};
use crate::world::World;

/// In the order of the weights in the profile.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Crash,
    Pause,
    Partition,
    WallClock,
    Drain,
    StoreStalls,
    CrashAll,
}

const FAULTS: [Fault; 7] = [
    Fault::Crash,
    Fault::Pause,
    Fault::Partition,
    Fault::WallClock,
    Fault::Drain,
    Fault::StoreStalls,
    Fault::CrashAll,
];

impl World {
    pub(crate) fn next_fault(&mut self) {
        let env = &mut self.env;
        if !env.chaos {
            return;
        }
        let pause = env.rng.between(50, env.profile.fault_pause_ms);
        env.after(pause * MS, Event::Fault);
        let all: u64 = env.profile.faults.iter().sum();
        if all == 0 {
            return;
        }
        let mut drawn = env.rng.below(all);
        for (fault, weight) in FAULTS.into_iter().zip(env.profile.faults) {
            if drawn < weight {
                return self.begin(fault);
            }
            drawn -= weight;
        }
    }

    fn begin(&mut self, fault: Fault) {
        let env = &mut self.env;
        let leader = self.routers.iter().position(|router| router.up && router.raft.leads());
        let victim = match leader {
            // What a leader believes is worth more than what others do.
            Some(leader) if env.rng.permille(400) => leader,
            _ => env.rng.place(self.routers.len()),
        };
        let length = env.rng.scaled(100, 5_000) * MS;
        let router = &mut self.routers[victim];
        match fault {
            Fault::Crash => self.crash(victim, length),
            Fault::CrashAll => {
                if env.rng.permille(300) {
                    for victim in 0..self.routers.len() {
                        let length = self.env.rng.scaled(100, 2_000) * MS;
                        self.crash(victim, length);
                    }
                }
            }
            Fault::Pause if router.up && !router.paused => {
                env.note(|| format!("router-{victim} stands still for {} ms", length / MS));
                env.counts.pauses += 1;
                router.paused = true;
                env.after(length, Event::Resume { router: victim, life: router.life });
            }
            Fault::Pause => {}
            Fault::Partition => {
                let (number, cut) = env.network.partition(&mut env.rng, victim);
                env.counts.partitions += 1;
                env.note(|| format!("{cut} for {} ms", length / MS));
                env.after(length, Event::HealLinks(number));
            }
            Fault::WallClock => {
                let most = env.profile.wall_skew.max(1_000_000);
                router.clock.set_wall(&mut env.rng, most);
                env.note(|| format!("router-{victim} gets another wall clock"));
            }
            Fault::Drain if router.up => {
                env.note(|| format!("router-{victim} is to leave"));
                router.draining = true;
            }
            Fault::Drain => {}
            Fault::StoreStalls => {
                env.note(|| format!("the store stands still for {} ms", length / MS));
                self.stalled.get_or_insert_default();
                env.after(length, Event::StoreBack);
            }
        }
    }

    fn crash(&mut self, victim: usize, length: u64) {
        let router = &mut self.routers[victim];
        if router.up {
            router.crash(&mut self.env);
            self.env.after(length, Event::Restart { router: victim, life: router.life });
        }
    }

    pub(crate) fn restart(&mut self, router: usize) {
        let router = &mut self.routers[router];
        if !router.up {
            router.restart(&mut self.env);
        }
    }

    /// A router that stood still goes on, with all that has come meanwhile.
    pub(crate) fn resume(&mut self, router: usize) {
        let router = &mut self.routers[router];
        if router.paused {
            self.env.note(|| format!("router-{} goes on", router.id));
            router.paused = false;
            let mut backlog = std::mem::take(&mut router.backlog);
            if self.env.rng.permille(500) {
                // It looks at what came before it looks at the clock.
                backlog.sort_by_key(|event| matches!(event, Event::RouterTick { .. }));
            }
            for event in backlog {
                self.env.after(0, event);
            }
        }
    }

    pub(crate) fn store_back(&mut self) {
        for request in self.stalled.take().unwrap_or_default() {
            self.env.after(0, Event::Store(request));
        }
    }

    /// All faults end.
    pub(crate) fn all_quiet(&mut self) {
        self.env.note(|| "all faults end".to_owned());
        self.env.chaos = false;
        self.env.network.heal_all();
        self.store_back();
        for router in 0..self.routers.len() {
            self.resume(router);
            self.restart(router);
        }
        for client in &mut self.clients {
            client.left += 2;
        }
    }
}
