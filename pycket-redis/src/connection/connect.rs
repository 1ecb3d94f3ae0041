use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub, PubSubStream};
use redis::io::tcp::socket2::{SockRef, TcpKeepalive};
use redis::{AsyncConnectionConfig, Cmd, RedisError, RedisResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

use super::group_commit::GroupCommit;
use super::kills::Kills;
use super::response_limit::ResponseLimit;
use super::{Client, Connection, ConnectionSettings, Driver};
use crate::address::{Endpoint, NodeAddr, ServerAddr};

/// Routers and firewalls drop connections that are silent for some minutes, without closing them.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// How many requests may be queued for one write. More wait for a place in the queue.
const QUEUE: usize = 1024;

/// How many bytes are gathered before a write starts in any case.
const WRITE_SIZE: usize = 64 * 1024;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl ConnectionSettings {
    /// Connects, logs in and closes old connections. If there is a `WAIT` command, it follows each group of commands.
    pub(super) async fn connect(
        self,
        endpoint: Arc<Endpoint>,
        wait: Option<Cmd>,
        kills: Kills,
    ) -> RedisResult<Connection> {
        let login = endpoint.login().await?;
        let stream = ResponseLimit::new(self.open(&endpoint).await?, self.max_response_bytes);
        let is_exceeded = stream.is_exceeded();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE)
            .set_write_backpressure_boundary(WRITE_SIZE);
        let connected = MultiplexedConnection::new_with_config(&login, stream, config).await;
        let (requests, driver) =
            connected.map_err(|error| without_password(error, login.password()))?;
        let waiting = Arc::new(());
        let task = tokio::spawn(gather(driver, Arc::clone(&waiting))).abort_handle();
        let driver = Arc::new(Driver { task, waiting });
        let client = Client { requests, driver, response_timeout: self.timeouts.response };
        let server_client = Arc::new(Mutex::new(kills.send(&client).await?));
        let group_commit = wait.map(|wait| GroupCommit::spawn(client.clone(), wait));
        Ok(Connection { client, group_commit, is_exceeded, server_client })
    }

    /// Opens a connection that only receives what the server publishes on these channels.
    pub(super) async fn subscribe(
        &self,
        endpoint: &Endpoint,
        channels: &[&str],
    ) -> RedisResult<PubSubStream> {
        let login = endpoint.login().await?;
        let stream = ResponseLimit::new(self.open(endpoint).await?, self.max_response_bytes);
        let subscription = PubSub::new(&login, stream).await;
        let mut subscription =
            subscription.map_err(|error| without_password(error, login.password()))?;
        subscription.subscribe(channels).await?;
        Ok(subscription.split().1)
    }

    async fn open(&self, endpoint: &Endpoint) -> io::Result<Box<dyn Stream>> {
        match &endpoint.addr {
            #[cfg(unix)]
            ServerAddr::Unix(path) => Ok(Box::new(tokio::net::UnixStream::connect(path).await?)),
            #[cfg(not(unix))]
            ServerAddr::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            ServerAddr::Tcp(node) => {
                let stream = connect_tcp(node).await?;
                #[cfg(feature = "tls")]
                if let Some(tls) = self.tls.as_ref().filter(|_| endpoint.uses_tls) {
                    return tls.connect(&node.host, stream).await;
                }
                Ok(Box::new(stream))
            }
        }
    }
}

/// Tries all addresses of the host at once: one of them may never answer.
async fn connect_tcp(node: &NodeAddr) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    for addr in lookup_host((node.host.as_str(), node.port)).await? {
        attempts.spawn(TcpStream::connect(addr));
    }
    let mut error = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    while let Some(attempt) = attempts.join_next().await {
        match attempt.map_err(io::Error::from).flatten() {
            Ok(stream) => {
                // Without it a request on an idle connection is sent at once, and those that come before the server
                // confirms it are sent together then. That saves both sides processor time. Systems other than
                // Linux would also hold back the end of a request that needs two packets.
                stream.set_nodelay(!cfg!(target_os = "linux"))?;
                let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
                SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
                return Ok(stream);
            }
            Err(failed) => error = failed,
        }
    }
    Err(error)
}

/// Lets all requests that are ready at the same time join one write: each time the driver is woken, the other
/// ready tasks run first. Not for a single request, because to yield wakes another worker of the runtime, which
/// takes longer than the write.
fn gather(driver: impl Future<Output = ()>, waiting: Arc<()>) -> impl Future<Output = ()> {
    let mut driver = Box::pin(driver);
    let mut has_yielded = false;
    poll_fn(move |context| {
        // Beside the clone of this task and that of the `Driver`.
        let requests = Arc::strong_count(&waiting) - 2;
        has_yielded = !has_yielded && requests > 1;
        if has_yielded {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        driver.as_mut().poll(context)
    })
}

/// A server may repeat the password in its refusal.
fn without_password(error: RedisError, password: Option<&str>) -> RedisError {
    match password {
        Some(password) if error.to_string().contains(password) => {
            (error.kind(), "the server refused the login").into()
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Result;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Context;

    use redis::Pipeline;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf};

    use super::*;
    use crate::connection::tests::multiplexed;

    struct Counting {
        stream: DuplexStream,
        writes: Arc<AtomicUsize>,
    }

    impl AsyncRead for Counting {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<Result<()>> {
            Pin::new(&mut self.stream).poll_read(context, buffer)
        }
    }

    impl AsyncWrite for Counting {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<Result<usize>> {
            self.writes.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut self.stream).poll_write(context, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.stream).poll_flush(context)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.stream).poll_shutdown(context)
        }
    }

    /// Sends one request and then, while it is not answered, so many more at once. Returns the number of writes.
    async fn writes_for(requests: usize) -> usize {
        const ANSWER: &[u8] = b"+PONG\r\n";
        let (stream, mut server) = tokio::io::duplex(WRITE_SIZE);
        let writes = Arc::new(AtomicUsize::new(0));
        let stream = Counting { stream, writes: Arc::clone(&writes) };
        let (connection, driver) = multiplexed(stream).await;
        let waiting = Arc::new(());
        let task = tokio::spawn(gather(driver, Arc::clone(&waiting))).abort_handle();
        let driver = Arc::new(Driver { task, waiting });
        let response_timeout = Duration::from_secs(60);
        let client = Client { requests: connection, driver, response_timeout };
        let mut ping = Pipeline::new();
        ping.cmd("PING");
        let mut calls = JoinSet::new();
        for count in [1, requests] {
            for _ in 0..count {
                let (client, ping) = (client.clone(), ping.clone());
                calls.spawn(async move { client.send(&ping).await });
            }
            let mut received = vec![0; ping.get_packed_pipeline().len() * count];
            server.read_exact(&mut received).await.unwrap();
        }
        server.write_all(&ANSWER.repeat(1 + requests)).await.unwrap();
        assert!(calls.join_all().await.into_iter().all(|answer| answer.is_ok()));
        writes.load(Ordering::Relaxed)
    }

    /// On one thread of a runtime with several: there a task that is woken runs next, so that without gathering each
    /// request would be written on its own. Over TCP the system may gather them as well.
    #[test]
    fn driver_writes_the_requests_of_ready_tasks_together() {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let writes = runtime.block_on(async { tokio::spawn(writes_for(32)).await.unwrap() });
        assert!(writes <= 3, "{writes} writes");
    }
}
