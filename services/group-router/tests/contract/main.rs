//! The group router through its contract, as gateways and presence call it, with the services that it
//! calls played in process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no users")]

mod annotations;
mod attach;
mod attributes;
mod audience;
mod beacons;
mod broadcast;
mod failures;
mod fields;
mod finds;
mod groups;
mod halves;
mod invitations;
mod kept;
mod limit;
mod listing;
mod lives;
mod members;
mod order;
mod ownership;
mod pins;
mod recall;
mod receipts;
mod refusals;
mod rights;
mod sending;
mod stored;
mod support;
mod takeover;
mod unseen;
