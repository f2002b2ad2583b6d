//! Real nodes on loopback. What always has to be so is checked all the while, in `witness`.

mod calls;
mod faults;
mod life;
mod log;
mod proxy;
mod random;
mod witness;
mod world;
