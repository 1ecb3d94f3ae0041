use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A listener in the place of a server, for what no real server can be made to do.
#[derive(Debug)]
pub struct StandIn {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// How a [`StandIn`] treats a connection.
#[derive(Clone, Debug)]
pub enum Manner {
    /// Accepts it and never answers.
    Silent,
    /// Answers everything with these bytes.
    Says(Arc<[u8]>),
    /// Answers everything with what it received.
    Echo,
    /// Closes it at once.
    Closes,
    /// Connects it to this server.
    LeadsTo(SocketAddr),
}

impl StandIn {
    /// Treats the first connections in these manners, one each, and all later ones in the last. It listens
    /// for as long as the current tokio runtime runs.
    ///
    /// # Panics
    ///
    /// If no port is free or there is no manner.
    pub async fn new(manners: impl Into<Vec<Manner>>) -> Self {
        let manners = manners.into();
        assert!(!manners.is_empty(), "say how to treat the connections");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                match manners[count.min(manners.len() - 1)].clone() {
                    Manner::Silent => silent.push(stream),
                    Manner::Closes => drop(stream),
                    manner => drop(tokio::spawn(serve(stream, manner))),
                }
            }
        });
        Self { address, connections }
    }

    /// Answers everything with these bytes.
    pub async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        Self::new([Manner::Says(answer.into().into())]).await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, manner: Manner) {
    if let Manner::LeadsTo(server) = manner {
        if let Ok(mut server) = TcpStream::connect(server).await {
            let _ = copy_bidirectional(&mut stream, &mut server).await;
        }
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
