//! The conformance suite against the backends that need no server.

#[path = "model/mod.rs"]
mod model;

use std::sync::Arc;

use throng_store::{ManualClock, Store};

const START: i64 = 1_750_000_000_000;

mod memory {
    use super::*;

    async fn open() -> (Arc<dyn Store>, ManualClock, ()) {
        let clock = ManualClock::at(START);
        (Arc::new(throng_store::MemoryStore::with_clock(Arc::new(clock.clone()))), clock, ())
    }

    throng_store::conformance_tests!(open);
}

mod embedded {
    use throng_store::{EmbeddedOptions, EmbeddedStore};

    use super::*;

    async fn open() -> (Arc<dyn Store>, ManualClock, tempfile::TempDir) {
        let clock = ManualClock::at(START);
        let directory = tempfile::tempdir().expect("a directory");
        let options = EmbeddedOptions { clock: Arc::new(clock.clone()), ..Default::default() };
        let store = EmbeddedStore::open_with(directory.path(), options).expect("opens");
        (Arc::new(store), clock, directory)
    }

    throng_store::conformance_tests!(open);

    #[test]
    fn it_does_what_the_model_does() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (store, _clock, _directory) = runtime.block_on(open());
        crate::model::it_does_what_the_model_does(runtime.handle(), &store, 200).unwrap();
    }
}
