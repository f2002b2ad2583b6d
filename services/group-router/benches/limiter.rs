//! Cost of the live-room limit per offered message. Figures and conditions: `docs/limiter.md`.
//!
//! Time is simulated: each iteration offers one message and calls the limiter whenever it asked to
//! be called, as the room's actor does.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use throng_group_router::core::limiter::{Limiter, Priority, Verdict};

/// A message about as large as the handle that an actor keeps.
type Message = [u64; 8];

/// A stream of messages at a steady rate, of all priorities in turn.
struct Stream {
    limiter: Limiter<Message>,
    rng: SmallRng,
    /// Simulated time, microseconds.
    micros: u64,
    gap: u64,
    offered: u64,
    delivered: u64,
}

impl Stream {
    fn new(budget: u32, load: f64) -> Self {
        Self {
            limiter: Limiter::new(budget, budget),
            rng: SmallRng::seed_from_u64(7),
            micros: 0,
            gap: (1e6 / (f64::from(budget) * load)) as u64,
            offered: 0,
            delivered: 0,
        }
    }

    fn offer_next(&mut self) {
        self.micros += self.gap;
        let now = self.micros / 1_000;
        let delivered = &mut self.delivered;
        let mut out = |verdict| {
            if let Verdict::Deliver { item, .. } = verdict {
                black_box(item);
                *delivered += 1;
            }
        };
        while let Some(due) = self.limiter.next_deadline().filter(|due| *due <= now) {
            self.limiter.poll(due, &mut out);
        }
        let priority = Priority::ALL[(self.offered % 4) as usize];
        let message = black_box([self.offered; 8]);
        self.limiter.offer(now, priority, message, &mut self.rng, &mut out);
        self.offered += 1;
    }
}

fn offer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limiter/offer");
    group.throughput(Throughput::Elements(1));
    for budget in [40, 1_000] {
        for (name, load) in [("half_load", 0.5), ("overload_10x", 10.0)] {
            let id = BenchmarkId::new(name, budget);
            group.bench_function(id, |bencher| {
                let mut stream = Stream::new(budget, load);
                bencher.iter(|| stream.offer_next());
                assert!(stream.delivered > 0, "nothing was delivered");
            });
        }
    }
    group.finish();
}

criterion_group!(benches, offer);
criterion_main!(benches);
