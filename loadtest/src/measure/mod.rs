//! What is measured: latencies from the intended moment of each send, what this tool itself used, and what
//! the server says of itself.

mod latency;
mod logins;
mod own;
mod target;
mod tick;
mod watched;

pub use latency::{Latency, Quantiles};
pub use logins::{LoginTimes, Logins};
pub use own::{Used, process_cpu, process_memory, raise_descriptors, thread_used};
pub use target::{Sample, TargetSample, parse_metrics};
pub use tick::{Second, Tick};
pub use watched::{ProcessUse, Watched, sum};
