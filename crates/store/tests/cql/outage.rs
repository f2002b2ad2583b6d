//! A database that goes away and comes back, by a proxy in between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use throng_store::{CqlConfig, CqlStore, Key, Store, StoreError, key};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::model::SINGLE;
use crate::setup::Setup;

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Open,
    /// All are broken, new ones too.
    Cut,
    /// All stay, and nothing passes.
    Silent,
}

/// Passes connections on while the line is open.
async fn proxy(listener: TcpListener, target: String, line: watch::Receiver<Line>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let (mut line, target) = (line.clone(), target.clone());
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect(target).await else { return };
            loop {
                let now = *line.borrow_and_update();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far), if now == Line::Open => return,
                    changed = line.changed() => if changed.is_err() { return },
                    () = std::future::ready(()), if now == Line::Cut => return,
                }
            }
        });
    }
}

pub(crate) fn a_database_that_comes_back_is_used_again(setup: &Setup) -> anyhow::Result<()> {
    setup.runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let config = CqlConfig {
            nodes: vec![listener.local_addr()?.to_string()],
            request_timeout: Duration::from_millis(300),
            ..setup.config.clone()
        };
        let (line, state) = watch::channel(Line::Open);
        let proxy = tokio::spawn(proxy(listener, setup.config.nodes[0].clone(), state));
        let store = CqlStore::connect(&config, &[&SINGLE]).await?;
        let outcome = through_outages(&store, &line).await;
        proxy.abort();
        outcome
    })
}

async fn through_outages(store: &CqlStore, line: &watch::Sender<Line>) -> anyhow::Result<()> {
    let (partition, row) = (Arc::new(key![1u32, "outage"]), Key::new());
    for (outage, value) in [(Line::Cut, "first"), (Line::Silent, "second"), (Line::Cut, "third")] {
        store.put(&SINGLE, &partition, row.clone(), value.into()).await?;
        line.send_replace(outage);
        for _ in 0..3 {
            let began = Instant::now();
            let read = store.get(&SINGLE, &partition, &row).await;
            let written = store.put(&SINGLE, &partition, row.clone(), value.into()).await;
            let set = store.put_if_absent(&SINGLE, &partition, &row, "never".into()).await;
            for result in [read.map(drop), written, set.map(drop)] {
                let told = matches!(&result, Err(error @ StoreError::Unavailable { .. }) if error.is_transient());
                ensure!(told, "{outage:?}: {result:?}");
            }
            ensure!(began.elapsed() < Duration::from_secs(2), "{outage:?}: {:?}", began.elapsed());
        }
        line.send_replace(Line::Open);
        let back = Instant::now();
        let found = loop {
            match store.get(&SINGLE, &partition, &row).await {
                Ok(found) => break found,
                Err(error) => ensure!(back.elapsed() < Duration::from_secs(20), "{error}"),
            }
            sleep(Duration::from_millis(20)).await;
        };
        ensure!(found == Some(value.into()), "{found:?}");
    }
    Ok(())
}
