//! The directory as its neighbours see it: over its link, with a store in memory and a presence that
//! writes down what it is asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod accounts;
mod fixture;
mod presence;
mod profiles;
mod relations;
mod services;
