//! How many messages one group takes: the whole of its owner from the command to the answer, with the
//! real history on the real embedded store, every append synced to the disk. Only the directory and
//! presence are stubs, and no connection is behind it. Figures and conditions:
//! `docs/performance.md`.

mod load;
mod measure;
mod slow;
mod stubs;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

use load::{Closed, Open, closed_loop, open_loop};
use measure::{Counts, syncs_alone};
use world::{Kind, Size, World};

/// How many messages one group takes.
#[derive(Debug, Parser)]
struct Args {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Where the store lies while it is measured; default: the build's folder for such things.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Only these parts.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Messages on their way at once, one line of the table each.
    #[arg(long, value_delimiter = ',', default_values_t = [64, 256, 1024])]
    in_flight: Vec<u32>,
    /// Messages a second of the open loop, one line of the table each.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 5000])]
    rate: Vec<u32>,
    /// Members of the group.
    #[arg(long, default_value_t = 200)]
    members: u32,
    /// Bytes of each text.
    #[arg(long, default_value_t = 250)]
    bytes: usize,
    /// Milliseconds by which each durable write takes longer than the disk does.
    #[arg(long, default_value_t = 0)]
    slower_by: u64,
    /// Cargo says so.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// A live room that keeps nothing.
    Room,
    /// A live room that keeps its messages for a day.
    KeptRoom,
    /// A durable group, as fast as it can.
    Durable,
    /// A durable group at given rates.
    Paced,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let counts = Counts::install()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(run(&args, &counts))
}

async fn run(args: &Args, counts: &Counts) -> anyhow::Result<()> {
    let place = match &args.dir {
        Some(dir) => dir.clone(),
        None => PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
    };
    let seconds = Duration::from_secs(args.seconds.max(1));
    let slower_by = Duration::from_millis(args.slower_by);
    let size = Size { members: args.members.max(1), bytes: args.bytes, slower_by };
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    println!("store in {}", place.display());
    println!("the disk alone: {:.0} syncs/s of 4 KiB, one after the other", syncs_alone(&place)?);
    println!(
        "{} members, texts of {} bytes, {slower_by:?} more each write",
        size.members, size.bytes
    );
    let closed = [
        (Part::Room, Kind::Room { keeps: false }),
        (Part::KeptRoom, Kind::Room { keeps: true }),
        (Part::Durable, Kind::Durable),
    ];
    Closed::head();
    for (_, kind) in closed.into_iter().filter(|(part, _)| wanted(*part)) {
        for in_flight in &args.in_flight {
            let dir = tempfile::tempdir_in(&place).context("a folder for the store")?;
            let world = World::start(dir.path(), kind, size).await?;
            closed_loop(&world, kind, *in_flight, seconds, counts).await?.print();
            world.end().await;
        }
    }
    if wanted(Part::Paced) {
        Open::head();
        for rate in &args.rate {
            let dir = tempfile::tempdir_in(&place).context("a folder for the store")?;
            let world = World::start(dir.path(), Kind::Durable, size).await?;
            open_loop(&world, *rate, seconds, counts).await?.print();
            world.end().await;
        }
    }
    Ok(())
}
