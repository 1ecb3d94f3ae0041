//! A listener in the place of a server. It does what a real server cannot be made to do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// What the listener does with a connection.
#[derive(Clone)]
pub(crate) enum Manner {
    /// Accepts it and never answers.
    Silent,
    /// Answers everything with these bytes.
    Says(Arc<[u8]>),
    /// Answers everything with the same bytes.
    Echo,
    /// Closes it at once.
    Closes,
    /// Forwards it to this server.
    LeadsTo(SocketAddr),
    /// Forwards it to this server when the flag is set.
    LeadsToOnce(Arc<AtomicBool>, SocketAddr),
}

pub(crate) struct StandIn {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
}

impl StandIn {
    /// Treats the first connections in these manners, one each, and all others in the last one.
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

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// How many connections there were.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, manner: Manner) {
    if let Manner::LeadsToOnce(opens, _) = &manner {
        while !opens.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }
    if let Manner::LeadsTo(server) | Manner::LeadsToOnce(_, server) = manner {
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
