use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A listener in the place of a server. It behaves as a real server cannot be made to behave.
#[derive(Debug)]
pub struct FakeServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// What a [`FakeServer`] does with a connection.
#[derive(Clone, Debug)]
pub enum Behavior {
    /// Accepts it and never answers.
    Silent,
    /// Answers every request with these bytes.
    Answers(Arc<[u8]>),
    /// Answers every request with the request.
    Echo,
    /// Closes it at once.
    Closes,
    /// Forwards it to this server.
    ForwardsTo(SocketAddr),
}

impl FakeServer {
    /// Gives each of the first connections one of these behaviors, and every later one the last. It listens
    /// for as long as the current tokio runtime runs.
    ///
    /// # Panics
    ///
    /// If no port is free or there is no behavior.
    pub async fn new(behaviors: impl Into<Vec<Behavior>>) -> Self {
        let behaviors = behaviors.into();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let last = behaviors.len().checked_sub(1).expect("there is at least one behavior");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, behaviors[count.min(last)].clone()));
            }
        });
        Self { address, connections }
    }

    /// Answers every request with these bytes.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::new([Behavior::Answers(answer.into().into())]).await
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

async fn serve(mut stream: TcpStream, behavior: Behavior) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let length = match behavior {
            Behavior::Closes => 0,
            Behavior::ForwardsTo(server) => {
                let mut server = TcpStream::connect(server).await?;
                copy_bidirectional(&mut stream, &mut server).await?;
                0
            }
            _ => stream.read(&mut buffer).await?,
        };
        match &behavior {
            _ if length == 0 => return Ok(()),
            Behavior::Answers(answer) => stream.write_all(answer).await?,
            Behavior::Echo => stream.write_all(&buffer[..length]).await?,
            _ => {}
        }
    }
}
