use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

use super::ConnectionSettings;
use super::protocol::{Reply, Request, is_usable_after};
use crate::error::Failure;

/// Maximum size of all requests that wait on one connection. A larger request waits until it is the only one.
const MAX_BYTES: usize = 4 << 20;

/// What each request counts at least, so that at most 1024 wait.
const MIN_BYTES: usize = 4 << 10;

/// How many bytes are gathered before a write starts in any case.
const WRITE_SIZE: usize = 64 << 10;

/// One connection to a server, which any number of concurrent requests share. Its task connects, writes the requests
/// and reads the replies. So a caller that is no longer polled delays no other caller.
#[derive(Clone)]
pub(super) struct Connection {
    queue: UnboundedSender<Pending>,
    room: Arc<Semaphore>,
    settings: ConnectionSettings,
}

/// A request without a reply.
struct Pending {
    request: Request,
    caller: oneshot::Sender<Result<Reply, Failure>>,
    /// When it was put into the queue, and from then on when it was written.
    since: Instant,
    _room: Option<OwnedSemaphorePermit>,
}

/// The requests that were written, in this order.
#[derive(Default)]
struct Sent(Mutex<VecDeque<Pending>>);

impl Connection {
    pub(super) fn open(addr: String, settings: ConnectionSettings) -> Self {
        let (queue, receiver) = mpsc::unbounded_channel();
        tokio::spawn(run(addr, settings, receiver));
        Self { queue, room: Arc::new(Semaphore::new(MAX_BYTES)), settings }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.queue.same_channel(&other.queue)
    }

    /// The timeouts are for a task that stands still. The task itself ends requests earlier.
    pub(super) async fn send(&self, request: Request) -> Result<Reply, Failure> {
        let ConnectionSettings { connect_timeout, response_timeout, .. } = self.settings;
        let bytes = request.bytes.len().clamp(MIN_BYTES, MAX_BYTES);
        let room = self.room.clone().acquire_many_owned(bytes.try_into().unwrap_or(u32::MAX));
        let room = timeout(connect_timeout, room).await;
        // `acquire` fails only after `Semaphore::close`, which is never called.
        let _room = room.map_err(|error| Failure::NotDone(error.into()))?.ok();
        let (caller, reply) = oneshot::channel();
        let pending = Pending { request, caller, since: Instant::now(), _room };
        self.queue.send(pending).map_err(|_| Failure::NotDone(aborted()))?;
        match timeout(connect_timeout.saturating_add(response_timeout), reply).await {
            // Without a result, the runtime of the task ended.
            Ok(result) => result.unwrap_or_else(|_| Err(Failure::Unanswered(aborted()))),
            Err(error) => Err(Failure::Unanswered(error.into())),
        }
    }
}

async fn run(addr: String, settings: ConnectionSettings, mut queue: UnboundedReceiver<Pending>) {
    let sent = Sent::default();
    let stream = timeout(settings.connect_timeout, TcpStream::connect(addr)).await;
    let error = match stream.map_err(io::Error::from).flatten() {
        Ok(stream) => serve(stream, &settings, &mut queue, &sent).await,
        Err(error) => error,
    };
    let copy = || io::Error::new(error.kind(), error.to_string());
    queue.close();
    while let Some(pending) = sent.next() {
        let is_overdue = pending.left(settings.response_timeout).is_zero();
        let error = if is_overdue { io::ErrorKind::TimedOut.into() } else { copy() };
        let _ = pending.caller.send(Err(Failure::Unanswered(error)));
    }
    while let Some(pending) = queue.recv().await {
        let _ = pending.caller.send(Err(Failure::NotDone(copy())));
    }
}

/// Returns why the connection ended.
async fn serve(
    mut stream: TcpStream,
    settings: &ConnectionSettings,
    queue: &mut UnboundedReceiver<Pending>,
    sent: &Sent,
) -> io::Error {
    // Requests are small, and each waits for its answer, so delaying them gains nothing.
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.split();
    let mut read = pin!(read(reader, settings, sent));
    let mut write = pin!(write(writer, queue, sent));
    poll_fn(|context| match read.as_mut().poll(context) {
        Poll::Pending => write.as_mut().poll(context),
        end => end,
    })
    .await
    .err()
    .unwrap_or_else(aborted)
}

async fn write(
    mut stream: WriteHalf<'_>,
    queue: &mut UnboundedReceiver<Pending>,
    sent: &Sent,
) -> io::Result<()> {
    let mut output = Vec::new();
    while let Some(first) = queue.recv().await {
        sent.add(first, &mut output);
        // While other requests are under way, other ready tasks run first, so that their requests join this write.
        if sent.lock().len() > 1 {
            yield_now().await;
        }
        while output.len() < WRITE_SIZE
            && let Ok(next) = queue.try_recv()
        {
            sent.add(next, &mut output);
        }
        stream.write_all(&output).await?;
        output.clear();
        output.shrink_to(2 * WRITE_SIZE);
    }
    // No caller is left.
    Ok(())
}

async fn read(stream: ReadHalf<'_>, settings: &ConnectionSettings, sent: &Sent) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let limit = settings.response_timeout;
    loop {
        while stream.buffer().is_empty() {
            match timeout(sent.left(limit), stream.fill_buf()).await {
                Ok(Ok([])) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(input) => drop(input?),
                Err(_) if sent.left(limit).is_zero() => return Err(aborted()),
                Err(_) => {}
            }
        }
        let Some(oldest) = sent.next() else { return Err(io::ErrorKind::InvalidData.into()) };
        let reply = oldest.request.read_reply(&mut stream, settings.max_response_bytes);
        let result = timeout(oldest.left(limit), reply).await;
        let result = result.unwrap_or_else(|error| Err(Failure::Unanswered(error.into())));
        let is_usable = is_usable_after(&result);
        let _ = oldest.caller.send(result);
        if !is_usable {
            return Err(aborted());
        }
    }
}

impl Sent {
    /// Adds the request to the output, unless its caller is gone.
    fn add(&self, mut pending: Pending, output: &mut Vec<u8>) {
        if !pending.caller.is_closed() {
            output.append(&mut pending.request.bytes);
            pending.since = Instant::now();
            self.lock().push_back(pending);
        }
    }

    fn next(&self) -> Option<Pending> {
        self.lock().pop_front()
    }

    /// How long to wait for the next reply.
    fn left(&self, limit: Duration) -> Duration {
        self.lock().front().map_or(limit, |oldest| oldest.left(limit))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Pending>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn left(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.since.elapsed())
    }
}

fn aborted() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
