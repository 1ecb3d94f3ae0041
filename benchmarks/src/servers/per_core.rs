//! A runtime with one thread for each core, as actix has it.

use std::net::{SocketAddr, TcpStream};
use std::thread;

use anyhow::Result;
use axum::Router;
use axum::serve::Listener;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::listen::announce;

/// Serves with a runtime, a router and a store for each worker. Each connection stays with one worker, and the
/// workers get them in turn.
pub(super) fn axum<F>(workers: usize, router: F) -> Result<()>
where
    F: AsyncFn() -> Result<Router> + Sync,
{
    let router = &router;
    thread::scope(|scope| {
        let mut senders = Vec::new();
        for _ in 0..workers {
            let (sender, connections) = mpsc::unbounded_channel();
            senders.push(sender);
            scope.spawn(move || serve(router, connections));
        }
        let listener = announce()?;
        for sender in senders.iter().cycle() {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            sender.send(stream)?;
        }
        Ok(())
    })
}

fn serve<F>(router: &F, connections: UnboundedReceiver<TcpStream>) -> Result<()>
where
    F: AsyncFn() -> Result<Router>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Ok(axum::serve(Connections(connections), router().await?).await?) })
}

struct Connections(UnboundedReceiver<TcpStream>);

impl Listener for Connections {
    type Io = tokio::net::TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Some(stream) = self.0.recv().await else { std::future::pending().await };
            let Ok(addr) = stream.peer_addr() else { continue };
            if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
                return (stream, addr);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}
