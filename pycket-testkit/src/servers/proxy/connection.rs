use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::NetworkFault;
use super::plan::{Plan, Side};

pub(super) async fn serve_all(
    listener: std::net::TcpListener,
    upstream: SocketAddr,
    plan: Arc<Plan>,
) {
    let listener = TcpListener::from_std(listener).expect("the listener does not block");
    while let Ok((client, _)) = listener.accept().await {
        let connection =
            Connection { number: plan.open(), plan: plan.clone(), current: Mutex::default() };
        tokio::spawn(async move {
            tokio::select! {
                _ = connection.serve(client, upstream) => {}
                () = connection.plan.until(|state| connection.number < state.cut_below) => {}
            }
        });
    }
}

struct Connection {
    plan: Arc<Plan>,
    number: usize,
    /// The exchange that began last, and which side sent the last bytes; `None` before the first.
    current: Mutex<Option<(usize, Side)>>,
}

/// The request or answer that is passing.
#[derive(Default)]
struct Message {
    fault: Option<NetworkFault>,
    passed: usize,
}

impl Connection {
    /// Runs until both sides have ended, or until an error; then the connection is closed.
    async fn serve(&self, mut client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
        let mut server = TcpStream::connect(upstream).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::try_join!(
            self.pass(Side::Request, from_client, to_server),
            self.pass(Side::Answer, from_server, to_client),
        )?;
        Ok(())
    }

    async fn pass(
        &self,
        side: Side,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 65536];
        let mut message = Message::default();
        loop {
            // A client that has disconnected has sent all it had to send; the server may still answer.
            let length = from.read(&mut buffer).await.unwrap_or(0);
            let bytes = &mut buffer[..length];
            if bytes.is_empty() {
                return to.shutdown().await;
            }
            // Read before the fault, so that a heal after that ends the delay.
            let heals = self.plan.read(|state| state.heals);
            match self.begin(side, length) {
                // A swallowed direction loses the next message too, whatever fault was planned for it.
                Some(next) if message.fault == Some(NetworkFault::Swallow) => {
                    next.fault.iter().for_each(|_| self.plan.strike());
                }
                Some(next) => message = next,
                None => {}
            }
            let first = message.passed;
            message.passed += length;
            // A fault counts as struck before its effect can be seen.
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
                    self.plan.until(|state| state.heals > heals).await;
                    message.fault = None;
                    to.write_all(bytes).await?;
                }
                Some(NetworkFault::Corrupt { offset, mask }) => {
                    let index = offset.checked_sub(first);
                    if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
                        *byte ^= mask;
                        self.plan.strike();
                    }
                    to.write_all(bytes).await?;
                }
            }
        }
    }

    /// Counts what has arrived; returns the message that begins with it, if one does.
    fn begin(&self, side: Side, length: usize) -> Option<Message> {
        let mut current = self.current.lock().expect("no panic while it is locked");
        let fault = match (side, *current) {
            (Side::Request, None | Some((_, Side::Answer))) => {
                let (exchange, fault) = self.plan.begin_request(length);
                *current = Some((exchange, Side::Request));
                fault
            }
            (Side::Answer, Some((exchange, Side::Request))) => {
                *current = Some((exchange, Side::Answer));
                self.plan.count(exchange, side, length);
                self.plan.begin_answer(exchange)
            }
            (_, Some((exchange, _))) => {
                self.plan.count(exchange, side, length);
                return None;
            }
            (Side::Answer, None) => return None,
        };
        Some(Message { fault, passed: 0 })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let current = self.current.get_mut().ok().and_then(|current| *current);
        self.plan.change(|state| {
            if let Some((exchange, Side::Request)) = current {
                state.late.remove(&exchange);
            }
            state.open.remove(&self.number);
        });
    }
}
