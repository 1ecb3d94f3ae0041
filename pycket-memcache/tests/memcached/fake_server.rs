//! A listener that takes the place of a server and does what no real server can be made to do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::*;

/// What happens to a connection.
#[derive(Clone)]
pub(crate) enum Behavior {
    /// It is accepted and never answered.
    Silent,
    /// Every request gets this answer.
    Answers(Arc<[u8]>),
    /// Every request is its own answer.
    Echo,
    /// It is closed immediately.
    Closes,
    /// It is forwarded to that server.
    ForwardsTo(SocketAddr),
}

pub(crate) struct FakeServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl FakeServer {
    /// Gives each of the first connections one of these behaviors, and every later one the last.
    pub(crate) async fn new(behaviors: impl Into<Vec<Behavior>>) -> Self {
        let behaviors = behaviors.into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                match behaviors[count.min(behaviors.len() - 1)].clone() {
                    Behavior::Silent => open.push(stream),
                    Behavior::Closes => drop(stream),
                    behavior => drop(tokio::spawn(serve(stream, behavior))),
                }
            }
        });
        Self { address, connections }
    }

    /// Gives every request this answer.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::new([Behavior::Answers(answer.into().into())]).await
    }

    /// For a store that uses this as its server.
    pub(crate) fn builder(&self) -> MemcacheStoreBuilder {
        MemcacheStore::builder().servers([self.address.to_string()])
    }

    /// The number of connections that were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, behavior: Behavior) {
    if let Behavior::ForwardsTo(server) = behavior {
        let mut server = TcpStream::connect(server).await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut server).await;
        return;
    }
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let answer = match &behavior {
            Behavior::Answers(answer) => answer,
            _ => &buffer[..length],
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}
