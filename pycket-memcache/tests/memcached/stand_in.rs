//! A listener in the place of a server, that does what no real one can be made to do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::*;

/// What becomes of a connection.
#[derive(Clone)]
pub(crate) enum Manner {
    /// It is taken, and nothing is ever said.
    Silent,
    /// Whatever is asked, this is the answer.
    Says(Arc<[u8]>),
    /// Whatever is asked is the answer.
    Echo,
    /// It is closed at once.
    Closes,
    /// It leads to that server.
    LeadsTo(SocketAddr),
}

pub(crate) struct StandIn {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
}

impl StandIn {
    /// Treats the first connections in these manners, one each, and all others in the last.
    pub(crate) async fn new(manners: impl Into<Vec<Manner>>) -> Self {
        let manners = manners.into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = taken.clone();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                match manners[count.min(manners.len() - 1)].clone() {
                    Manner::Silent => open.push(stream),
                    Manner::Closes => drop(stream),
                    manner => drop(tokio::spawn(serve(stream, manner))),
                }
            }
        });
        Self { address, taken }
    }

    /// Always gives the same answer.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        Self::new([Manner::Says(answer.into().into())]).await
    }

    /// For a store that takes this for its server.
    pub(crate) fn builder(&self) -> MemcacheStoreBuilder {
        MemcacheStore::builder().servers([self.address.to_string()])
    }

    /// How many connections there were.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, manner: Manner) {
    if let Manner::LeadsTo(server) = manner {
        let mut server = TcpStream::connect(server).await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut server).await;
        return;
    }
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let answer = match &manner {
            Manner::Says(answer) => answer,
            _ => &buffer[..length],
        };
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}
