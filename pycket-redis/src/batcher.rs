use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, mem};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;

/// One connection. What requests that are ready at the same time have to send goes to the server in one
/// write, and is answered in one.
///
/// The client would write each as it comes: it wakes its writer at the first, and that one runs next. Here
/// too the first is sent at once where nothing is under way, so that nobody waits for company.
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
    /// The runtime that it departs from.
    home: Option<runtime::Id>,
}

/// The answer to each command, refusals among them; then that to what the batch ends with.
pub(crate) struct Answers {
    answers: oneshot::Receiver<RedisResult<Vec<Value>>>,
    /// For whoever waits for another batch, or for a runtime in which nothing may run any more. Other batches
    /// depart at once, and the client's limit is enough.
    limit: Option<Duration>,
}

/// Who waits, and for how many answers.
struct Request {
    answers: usize,
    to: oneshot::Sender<RedisResult<Vec<Value>>>,
}

/// The duty to send what is gathered. Dropped undone, as it is by a runtime that ends, it lets the
/// requests know.
struct Departure(Option<Arc<Batcher>>);

impl Batcher {
    pub(crate) fn new(
        connection: MultiplexedConnection,
        ending: Option<Cmd>,
        limit: Duration,
    ) -> Self {
        let ending = ending.map(|command| Ending { command, alone: tokio::sync::Mutex::default() });
        let (gathering, spare) = (Mutex::default(), Mutex::default());
        Self { connection, gathering, spare, under_way: AtomicUsize::new(0), ending, limit }
    }

    /// Sends them with the next batch.
    pub(crate) fn send(self: &Arc<Self>, commands: impl IntoIterator<Item = Cmd>) -> Answers {
        let (to, answers) = oneshot::channel();
        let runtime = Handle::current();
        let (is_first, home) = self.gather(commands, to, runtime.id());
        if is_first {
            runtime.spawn(Departure(Some(Arc::clone(self))).depart());
        }
        let departs_at_once = self.ending.is_none() && home == runtime.id();
        Answers { answers, limit: (!departs_at_once).then_some(self.limit) }
    }

    /// Whether it is the first of its batch, and has to see to the departure; and from which runtime that is.
    fn gather(
        &self,
        commands: impl IntoIterator<Item = Cmd>,
        to: oneshot::Sender<RedisResult<Vec<Value>>>,
        here: runtime::Id,
    ) -> (bool, runtime::Id) {
        let mut batch = lock(&self.gathering);
        let before = batch.commands.len();
        for command in commands {
            batch.commands.add_command(command);
        }
        let answers = batch.commands.len() - before;
        batch.requests.push(Request { answers, to });
        (before == 0, *batch.home.get_or_insert(here))
    }

    fn take(&self) -> Batch {
        let next = mem::take(&mut *lock(&self.spare));
        mem::replace(&mut *lock(&self.gathering), next)
    }
}

fn lock(batch: &Mutex<Batch>) -> MutexGuard<'_, Batch> {
    batch.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Departure {
    async fn depart(mut self) {
        let Some(batcher) = self.0.clone() else { return };
        if batcher.under_way.fetch_add(1, Ordering::Relaxed) > 0 {
            // Whoever is ready to run has something to send, as likely as not.
            yield_now().await;
        }
        let ending = batcher.ending.as_ref();
        let _alone = match ending {
            Some(ending) => Some(ending.alone.lock().await),
            None => None,
        };
        self.0 = None;
        let mut batch = batcher.take();
        batch.send(batcher.connection.clone(), ending.map(|ending| &ending.command)).await;
        *lock(&batcher.spare) = batch;
        batcher.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Batch {
    /// Leaves it empty.
    async fn send(&mut self, mut connection: MultiplexedConnection, ending: Option<&Cmd>) {
        let number = self.commands.len();
        let commands = &mut self.commands;
        let all = ending.into_iter().fold(commands, |all, ending| all.add_command(ending.clone()));
        let answers = connection.send_packed_commands(all, 0, all.len()).await;
        self.commands.clear();
        self.home = None;
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
}

impl Drop for Departure {
    fn drop(&mut self) {
        if let Some(batcher) = self.0.take() {
            drop(batcher.take());
        }
    }
}
