use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;
use std::{io, mem};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout};

/// One connection. What requests that are ready at the same time have to send goes to the server in one
/// write, and is answered in one.
///
/// The client would write each as it comes: it wakes its writer at the first, and that one runs next. Here,
/// too, the first departs as the next thing that its thread does where nothing is under way, so that nobody
/// waits for company.
pub(crate) struct Batcher {
    connection: MultiplexedConnection,
    gathering: Mutex<Batch>,
    /// One that has been sent: its room is used again.
    spare: Mutex<Batch>,
    /// How many batches are not answered yet.
    under_way: AtomicUsize,
    ending: Option<Ending>,
    /// How long a request waits for its answer. The client has the same limit, for what was sent.
    limit: Duration,
    /// Where somebody looks whether a batch departs at all.
    home: runtime::Id,
}

/// What each batch ends with. The next one is gathered until it is answered: while it waits the server
/// answers nothing else on this connection, and the more it waits for at once the better.
struct Ending {
    command: Cmd,
    alone: tokio::sync::Mutex<()>,
}

/// What is sent together.
#[derive(Default)]
struct Batch {
    commands: Pipeline,
    requests: Vec<Request>,
    begun: Option<Instant>,
    /// Where somebody has the duty to send it. One place is not enough: a thread may be blocked and a
    /// runtime stand still, and nobody takes over what they were to do next.
    departures: Vec<Whereabouts>,
}

type Whereabouts = (runtime::Id, ThreadId);

/// The answer to each command, refusals among them; then that to what the batch ends with.
pub(crate) struct Answers {
    answers: oneshot::Receiver<RedisResult<Vec<Value>>>,
    /// For those on whom nobody has an eye.
    limit: Option<Duration>,
}

/// Who waits, and for how many answers.
struct Request {
    answers: usize,
    to: oneshot::Sender<RedisResult<Vec<Value>>>,
}

/// The duty to send what is gathered. Dropped undone, as it is by a runtime that ends, it leaves that to
/// others who have it; if there are none it lets the requests know.
struct Departure {
    batcher: Option<Arc<Batcher>>,
    from: Whereabouts,
}

/// Counts a batch until it is answered, or its departure dropped.
struct UnderWay {
    batcher: Arc<Batcher>,
    is_in_company: bool,
}

impl Batcher {
    pub(crate) fn new(
        connection: MultiplexedConnection,
        ending: Option<Cmd>,
        limit: Duration,
    ) -> Arc<Self> {
        let ending = ending.map(|command| Ending { command, alone: tokio::sync::Mutex::default() });
        let (gathering, spare) = (Mutex::default(), Mutex::default());
        let (under_way, home) = (AtomicUsize::new(0), Handle::current().id());
        let batcher =
            Arc::new(Self { connection, gathering, spare, under_way, ending, limit, home });
        tokio::spawn(watch(Arc::downgrade(&batcher), limit));
        batcher
    }

    /// Sends them with the next batch.
    pub(crate) fn send(self: &Arc<Self>, commands: impl IntoIterator<Item = Cmd>) -> Answers {
        let (to, answers) = oneshot::channel();
        let runtime = Handle::current();
        let from = (runtime.id(), thread::current().id());
        if self.gather(commands, to, from) {
            runtime.spawn(Departure { batcher: Some(Arc::clone(self)), from }.depart());
        }
        let is_watched = self.ending.is_none() && self.home == runtime.id();
        Answers { answers, limit: (!is_watched).then_some(self.limit) }
    }

    /// Whether it is the first of its batch here, and has to see to the departure.
    fn gather(
        &self,
        commands: impl IntoIterator<Item = Cmd>,
        to: oneshot::Sender<RedisResult<Vec<Value>>>,
        here: Whereabouts,
    ) -> bool {
        let mut batch = lock(&self.gathering);
        let before = batch.commands.len();
        for command in commands {
            batch.commands.add_command(command);
        }
        let answers = batch.commands.len() - before;
        batch.requests.push(Request { answers, to });
        batch.begun.get_or_insert_with(Instant::now);
        let is_first = !batch.departures.contains(&here);
        if is_first {
            batch.departures.push(here);
        }
        is_first
    }

    fn take(&self) -> Batch {
        let next = mem::take(&mut *lock(&self.spare));
        mem::replace(&mut *lock(&self.gathering), next)
    }

    /// Drops what should have departed long ago. When to look again.
    fn look_after(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut gathering = lock(&self.gathering);
        let end = gathering.begun.unwrap_or(now).checked_add(self.limit)?;
        if end > now {
            return Some(end);
        }
        // Under the same lock: it may depart at this moment, and another one begin.
        let overdue = mem::take(&mut *gathering);
        drop(gathering);
        for request in overdue.requests {
            let _ = request.to.send(Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        }
        now.checked_add(self.limit)
    }
}

fn lock(batch: &Mutex<Batch>) -> MutexGuard<'_, Batch> {
    batch.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has an eye on the departures, so that not every request needs a timer: threads may be blocked. A batch
/// that begins after one look ends after the next.
async fn watch(batcher: Weak<Batcher>, limit: Duration) {
    let mut next = Instant::now().checked_add(limit);
    while let Some(time) = next {
        sleep_until(time).await;
        let Some(batcher) = batcher.upgrade() else { return };
        next = batcher.look_after();
    }
}

impl Answers {
    pub(crate) async fn all(self) -> RedisResult<Vec<Value>> {
        let answers = match self.limit {
            None => self.answers.await,
            Some(limit) => match Box::pin(timeout(limit, self.answers)).await {
                Ok(answers) => answers,
                Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            },
        };
        answers.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::BrokenPipe).into()))
    }
}

impl UnderWay {
    fn begin(batcher: &Arc<Batcher>) -> Self {
        let others = batcher.under_way.fetch_add(1, Ordering::Relaxed);
        Self { batcher: Arc::clone(batcher), is_in_company: others > 0 }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.batcher.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Departure {
    async fn depart(mut self) {
        let Some(batcher) = self.batcher.clone() else { return };
        let under_way = UnderWay::begin(&batcher);
        if under_way.is_in_company {
            // Whoever is ready to run has something to send, as likely as not.
            yield_now().await;
        }
        let ending = batcher.ending.as_ref();
        let _alone = match ending {
            Some(ending) => Some(ending.alone.lock().await),
            None => None,
        };
        self.batcher = None;
        let mut batch = batcher.take();
        batch.send(batcher.connection.clone(), ending.map(|ending| &ending.command)).await;
        *lock(&batcher.spare) = batch;
    }
}

impl Batch {
    /// Leaves it empty.
    async fn send(&mut self, mut connection: MultiplexedConnection, ending: Option<&Cmd>) {
        self.begun = None;
        self.departures.clear();
        self.drop_abandoned();
        if self.requests.is_empty() {
            return;
        }
        let number = self.commands.len();
        let commands = &mut self.commands;
        let all = ending.into_iter().fold(commands, |all, ending| all.add_command(ending.clone()));
        let answers = connection.send_packed_commands(all, 0, all.len()).await;
        self.commands.clear();
        match answers {
            Ok(mut answers) => {
                let last = answers.split_off(number.min(answers.len()));
                let mut answers = answers.into_iter();
                for request in self.requests.drain(..) {
                    let own = answers.by_ref().take(request.answers);
                    let own = own.chain(last.iter().cloned()).collect();
                    // Nobody may be waiting any more.
                    let _ = request.to.send(Ok(own));
                }
            }
            Err(error) => {
                for request in self.requests.drain(..) {
                    let _ = request.to.send(Err(error.clone()));
                }
            }
        }
    }

    /// Whoever gave up may have done something else since, which a late write would undo.
    fn drop_abandoned(&mut self) {
        if !self.requests.iter().any(|request| request.to.is_closed()) {
            return;
        }
        let all = mem::take(&mut self.commands);
        let mut all = all.cmd_iter();
        self.requests.retain(|request| {
            let own = all.by_ref().take(request.answers);
            if request.to.is_closed() {
                own.for_each(drop);
                return false;
            }
            own.for_each(|command| _ = self.commands.add_command(command.clone()));
            true
        });
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        let Some(batcher) = self.batcher.take() else { return };
        let mut gathering = lock(&batcher.gathering);
        gathering.departures.retain(|from| *from != self.from);
        if gathering.departures.is_empty() {
            let undone = mem::take(&mut *gathering);
            drop(gathering);
            drop(undone);
        }
    }
}
