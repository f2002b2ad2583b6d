//! Who reaches whom, and how long it takes.

use crate::env::{MS, Time};
use crate::profile::Profile;
use crate::rng::Rng;
use crate::wire::{Body, Peer};

#[derive(Debug)]
pub(crate) struct Network {
    routers: usize,
    ends: usize,
    /// By sender and receiver: the number of the partition that cuts it, or 0.
    cut: Vec<u64>,
    partitions: u64,
    lost: u64,
    slow: u64,
    bus_lost: u64,
}

impl Network {
    pub(crate) fn new(profile: &Profile) -> Self {
        let ends = profile.routers + profile.gateways;
        Self {
            routers: profile.routers,
            ends,
            cut: vec![0; ends * ends],
            partitions: 0,
            lost: profile.lost,
            slow: profile.slow,
            bus_lost: profile.bus_lost,
        }
    }

    /// Time that a message takes, or `None` if it is lost.
    pub(crate) fn delay(
        &self,
        rng: &mut Rng,
        chaos: bool,
        from: Peer,
        to: Peer,
        body: &Body,
    ) -> Option<Time> {
        if from == to {
            return Some(rng.between(10, 100));
        }
        let is_event = matches!(body, Body::Event(_));
        if chaos {
            let lost = if is_event { self.bus_lost } else { self.lost };
            // The bus has connections of its own.
            let cut = !is_event && self.is_cut(self.end(from), self.end(to));
            if cut || rng.permille(lost) {
                return None;
            }
            if rng.permille(self.slow) {
                return Some(rng.scaled(5 * MS, 3_000 * MS));
            }
        }
        Some(rng.between(200, 4 * MS))
    }

    fn end(&self, peer: Peer) -> usize {
        match peer {
            Peer::Router(router) => router,
            Peer::Gateway(gateway) | Peer::Client { gateway, .. } => self.routers + gateway,
        }
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut[from * self.ends + to] != 0
    }

    /// Cuts one router off, or any ways between processes. The number ends it again.
    pub(crate) fn partition(&mut self, rng: &mut Rng, router: usize) -> (u64, String) {
        self.partitions += 1;
        let alone = rng.permille(500);
        let side: Vec<bool> = (0..self.ends)
            .map(|end| if alone { end == router } else { rng.permille(500) })
            .collect();
        let one_way = rng.permille(400);
        let cuts = |from: usize, to: usize| {
            if one_way { side[from] && !side[to] } else { side[from] != side[to] }
        };
        for from in 0..self.ends {
            for to in 0..self.ends {
                if cuts(from, to) {
                    self.cut[from * self.ends + to] = self.partitions;
                }
            }
        }
        let way = if one_way { "one way" } else { "both ways" };
        (self.partitions, format!("partition {} {way}: {side:?}", self.partitions))
    }

    pub(crate) fn heal(&mut self, partition: u64) {
        for cut in &mut self.cut {
            if *cut == partition {
                *cut = 0;
            }
        }
    }

    pub(crate) fn heal_all(&mut self) {
        self.cut.fill(0);
    }
}
