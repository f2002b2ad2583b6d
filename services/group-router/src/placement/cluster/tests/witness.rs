//! Looks at what all nodes, also dead ones, take themselves for, and works like the owners of groups:
//! keeps tenures, writes, and winds down when it has to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::super::super::Placement;
use super::super::super::tenure::{Tenure, TenureHold};
use super::world::{APP, groups};

pub(super) struct Witness {
    nodes: Arc<Mutex<Vec<(String, Placement)>>>,
    task: Option<JoinHandle<()>>,
    stop: tokio_util::sync::CancellationToken,
}

impl Witness {
    pub(super) fn start() -> Self {
        let nodes: Arc<Mutex<Vec<(String, Placement)>>> = Arc::default();
        let stop = tokio_util::sync::CancellationToken::new();
        let (seen, stopped) = (Arc::clone(&nodes), stop.clone());
        let task = tokio::spawn(async move {
            let mut eyes = Eyes { groups: groups(), ..Eyes::default() };
            while !stopped.is_cancelled() {
                let nodes = seen.lock().clone();
                eyes.look(&nodes);
                sleep(Duration::from_millis(1)).await;
            }
            assert!(eyes.writes > 0, "nobody ever wrote");
        });
        Self { nodes, task: Some(task), stop }
    }

    pub(super) fn add(&self, name: &str, placement: Placement) {
        self.nodes.lock().push((name.to_owned(), placement));
    }

    pub(super) async fn end(&mut self) {
        self.stop.cancel();
        self.task.take().unwrap().await.unwrap();
    }
}

#[derive(Default)]
struct Eyes {
    groups: Vec<String>,
    kept: HashMap<(usize, usize, u64), Kept>,
    /// The newest epoch that was current, and whose it was, by shard.
    newest: BTreeMap<usize, (u64, usize)>,
    /// The latest write time, by shard.
    written: BTreeMap<usize, i64>,
    writes: u64,
}

struct Kept {
    tenure: Tenure,
    hold: Option<TenureHold>,
}

impl Eyes {
    fn look(&mut self, nodes: &[(String, Placement)]) {
        for (number, (_, placement)) in nodes.iter().enumerate() {
            for (shard, group) in self.groups.iter().enumerate() {
                let Some(tenure) = placement.tenure_of(APP, group) else { continue };
                let key = (number, shard, tenure.epoch());
                self.kept.entry(key).or_insert_with(|| {
                    let hold = Some(tenure.hold());
                    Kept { tenure, hold }
                });
            }
        }
        // One look after the other: what was seen first was first.
        for (&(number, shard, epoch), kept) in &mut self.kept {
            if !kept.tenure.is_current() {
                continue;
            }
            let newest = self.newest.entry(shard).or_insert((epoch, number));
            let who = &nodes[number].0;
            assert!(
                (epoch, number) == *newest || epoch > newest.0,
                "OWN-1: {who} takes itself for the owner of {shard} in epoch {epoch}, \
                 after {} had it in epoch {}",
                nodes[newest.1].0,
                newest.0,
            );
            *newest = (epoch, number);
            if let Some(stamp) = kept.tenure.stamp() {
                let latest = self.written.insert(shard, stamp.0).unwrap_or(i64::MIN);
                assert!(
                    stamp.0 > latest,
                    "{who} writes to {shard} in epoch {epoch} at {}, after {latest}",
                    stamp.0
                );
                self.writes += 1;
            }
            if kept.tenure.ending().now_or_never().is_some() {
                kept.hold = None;
            }
        }
        self.kept.retain(|_, kept| !kept.tenure.is_over());
    }
}
