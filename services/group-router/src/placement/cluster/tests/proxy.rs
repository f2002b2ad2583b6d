//! A way from one node to another that can be cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// One direction of dialling, from one node to another.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    cut: watch::Sender<bool>,
}

impl Proxy {
    pub(super) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cut, is_cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((inside, _)) = listener.accept().await {
                tokio::spawn(carry(inside, to, is_cut.clone()));
            }
        });
        Self { address, cut }
    }

    /// Lets nothing through any more, without a word, or everything again.
    pub(super) fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

async fn carry(mut inside: TcpStream, to: SocketAddr, mut is_cut: watch::Receiver<bool>) {
    // What was on its way when it was cut is lost, so the connection cannot go on afterwards.
    let open = async {
        let mut outside = TcpStream::connect(to).await?;
        copy_bidirectional(&mut inside, &mut outside).await
    };
    if !*is_cut.borrow_and_update() {
        tokio::select! {
            _ = open => return,
            _ = is_cut.wait_for(|cut| *cut) => {}
        }
    }
    let _ = is_cut.wait_for(|cut| !cut).await;
}
