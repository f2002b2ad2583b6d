//! What decides, without tokio, I/O or a clock of its own: events and time in, decisions out.

pub mod addressees;
pub mod amended;
pub mod attributes;
pub mod audience;
pub mod counters;
pub mod dedupe;
pub mod extensions;
pub mod fields;
pub mod hot;
pub mod latest_members;
pub mod limiter;
pub mod marks;
pub mod mentions;
pub mod pins;
pub mod reactions;
pub mod recall_window;
pub mod receipts;
pub mod roster;
pub mod rules;
pub mod tip_pacer;
pub mod uncounted;
