use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::NetworkFault;
use super::plan::Plan;

pub(super) async fn serve_all(
    listener: std::net::TcpListener,
    upstream: SocketAddr,
    plan: Arc<Plan>,
) {
    let listener = TcpListener::from_std(listener).expect("a listener that does not block");
    while let Ok((client, _)) = listener.accept().await {
        let connection = Connection {
            plan: plan.clone(),
            number: plan.open(),
            turn: Mutex::new(Turn::Server { exchange: None }),
        };
        tokio::spawn(async move {
            tokio::select! {
                _ = connection.serve(client, upstream) => {}
                () = connection.plan.cut(connection.number) => {}
            }
        });
    }
}

struct Connection {
    plan: Arc<Plan>,
    number: usize,
    turn: Mutex<Turn>,
}

/// Who spoke last, and in which exchange.
#[derive(Clone, Copy)]
enum Turn {
    Client { exchange: usize },
    Server { exchange: Option<usize> },
}

#[derive(Clone, Copy)]
enum Direction {
    Request,
    Answer,
}

/// The message that is passing.
#[derive(Default)]
struct Message {
    fault: Option<NetworkFault>,
    passed: usize,
}

impl Connection {
    /// Until both sides have ended, or an error; whatever is left of the connection is closed then.
    async fn serve(&self, mut client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
        let mut server = TcpStream::connect(upstream).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::try_join!(
            self.pass(Direction::Request, from_client, to_server),
            self.pass(Direction::Answer, from_server, to_client),
        )?;
        Ok(())
    }

    async fn pass(
        &self,
        direction: Direction,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 65536];
        let mut message = Message::default();
        loop {
            // A client that is gone has said all that it had to say; the server may yet answer.
            let length = from.read(&mut buffer).await.unwrap_or(0);
            let bytes = &mut buffer[..length];
            if bytes.is_empty() {
                return to.shutdown().await;
            }
            // Before the look at the plan, so that no heal comes in between. And a fault counts as struck
            // before anybody can see it.
            let healed = self.plan.next_heal();
            match self.begin(direction, length) {
                // It is lost with the one before, whatever else was to become of it.
                Some(next) if message.fault == Some(NetworkFault::Swallow) => {
                    next.fault.iter().for_each(|_| self.plan.strike());
                }
                Some(next) => message = next,
                None => {}
            }
            let first = message.passed;
            message.passed += length;
            match message.fault {
                None => to.write_all(bytes).await?,
                Some(NetworkFault::Cut) => {
                    self.plan.strike();
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Some(NetworkFault::Truncate { after }) if after <= message.passed => {
                    self.plan.strike();
                    to.write_all(&bytes[..after - first]).await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Some(NetworkFault::Truncate { .. }) => to.write_all(bytes).await?,
                Some(NetworkFault::Swallow) if first == 0 => self.plan.strike(),
                Some(NetworkFault::Swallow) => {}
                Some(NetworkFault::Delay) => {
                    self.plan.strike();
                    healed.await;
                    message.fault = None;
                    to.write_all(bytes).await?;
                }
                Some(NetworkFault::Corrupt { offset, mask }) => {
                    let byte = offset.checked_sub(first).and_then(|index| bytes.get_mut(index));
                    let is_here = byte.is_some();
                    byte.into_iter().for_each(|byte| *byte ^= mask);
                    if is_here {
                        self.plan.strike();
                    }
                    to.write_all(bytes).await?;
                }
            }
        }
    }

    /// Notes what was said; the message that begins with it, if one does.
    fn begin(&self, direction: Direction, length: usize) -> Option<Message> {
        let mut turn = self.turn.lock().expect("nobody panics while holding the turn");
        match (direction, *turn) {
            (Direction::Request, Turn::Client { exchange }) => {
                self.plan.note(exchange, length, 0);
                None
            }
            (Direction::Request, Turn::Server { .. }) => {
                let (exchange, fault) = self.plan.begin(length);
                *turn = Turn::Client { exchange };
                Some(Message { fault, passed: 0 })
            }
            (Direction::Answer, Turn::Client { exchange }) => {
                *turn = Turn::Server { exchange: Some(exchange) };
                self.plan.note(exchange, 0, length);
                Some(Message { fault: self.plan.begin_answer(exchange), passed: 0 })
            }
            (Direction::Answer, Turn::Server { exchange }) => {
                exchange.into_iter().for_each(|exchange| self.plan.note(exchange, 0, length));
                None
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Ok(Turn::Client { exchange }) = self.turn.get_mut().map(|turn| *turn) {
            self.plan.settle(exchange);
        }
        self.plan.close(self.number);
    }
}
