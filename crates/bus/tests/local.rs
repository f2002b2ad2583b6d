//! The conformance suite against the bus of one process.

use std::sync::Arc;

use throng_bus::LocalBus;
use throng_bus::conformance::Pair;

async fn open() -> Option<(Pair, ())> {
    let bus = LocalBus::new();
    Some((Pair { here: Arc::new(bus.clone()), there: Arc::new(bus) }, ()))
}

throng_bus::bus_conformance_tests!(open);
