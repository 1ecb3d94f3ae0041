//! A listener in the place of a server, or in front of one, that does what no real one can be made to do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{pause, resume};

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
    /// It leads to that server, which gets every request; so many of its answers come back, and then the
    /// connection is closed.
    Cut(SocketAddr, usize),
    /// The same, but the connection falls silent, and tokio's clock stands still until it is given up: so
    /// the timeout for which the other side waits is exact and takes no time.
    Muted(SocketAddr, usize),
}

pub(crate) struct StandIn {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl StandIn {
    /// Treats the first connections in these manners, one each, and all others in the last.
    pub(crate) async fn new(manners: impl Into<Vec<Manner>>) -> Self {
        let manners = manners.into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(AtomicUsize::new(0));
        let (counter, requests) = (taken.clone(), asked.clone());
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                match manners[count.min(manners.len() - 1)].clone() {
                    Manner::Silent => open.push(stream),
                    Manner::Closes => drop(stream),
                    manner => drop(tokio::spawn(serve(stream, manner, requests.clone()))),
                }
            }
        });
        Self { address, taken, asked }
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

    /// How many requests it led to a server.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, manner: Manner, asked: Arc<AtomicUsize>) {
    let mut buffer = vec![0; 65536];
    let (server, mut answers, is_closed) = match manner {
        Manner::Cut(server, answers) => (server, answers, true),
        Manner::Muted(server, answers) => (server, answers, false),
        manner => {
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                let answer = match &manner {
                    Manner::Says(answer) => answer,
                    _ => &buffer[..length],
                };
                if stream.write_all(answer).await.is_err() {
                    return;
                }
            }
            return;
        }
    };
    // Requests and answers of these tests are small: each comes in one piece.
    let mut server = TcpStream::connect(server).await.unwrap();
    let mut answer = vec![0; 65536];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        asked.fetch_add(1, Ordering::SeqCst);
        server.write_all(&buffer[..length]).await.unwrap();
        let length = server.read(&mut answer).await.unwrap();
        if answers == 0 {
            if !is_closed {
                pause();
                while let Ok(1..) = stream.read(&mut buffer).await {}
                resume();
            }
            return;
        }
        answers -= 1;
        if stream.write_all(&answer[..length]).await.is_err() {
            return;
        }
    }
}
