use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::timeout;

/// One connection. What requests that are ready at the same time have to send goes to the server in one
/// write, and is answered in one.
///
/// The client would write each as it comes: it wakes its writer at the first, and that one runs next.
pub(crate) struct Batcher {
    connection: MultiplexedConnection,
    gathering: Mutex<Batch>,
    ending: Option<Ending>,
    /// How long a request waits for its answer. The client has the same limit, for what was sent: whoever
    /// waits for another batch, or for a runtime in which nothing runs, has not been sent.
    limit: Duration,
}

/// What each batch ends with. The next one is gathered until it is answered: while it waits the server
/// answers nothing else on this connection, and the more it waits for at once the better.
struct Ending {
    command: Cmd,
    alone: tokio::sync::Mutex<()>,
}

/// What is sent together.
struct Batch {
    commands: Pipeline,
    requests: Vec<Request>,
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
        Self { connection, gathering: Mutex::new(Batch::for_about(1)), ending, limit }
    }

    /// The answer to each command, refusals among them; then that to what the batch ends with.
    pub(crate) async fn ask(
        self: &Arc<Self>,
        commands: impl IntoIterator<Item = Cmd>,
    ) -> RedisResult<Vec<Value>> {
        let (to, answers) = oneshot::channel();
        if self.gather(commands, to) {
            tokio::spawn(Departure(Some(Arc::clone(self))).depart());
        }
        match timeout(self.limit, answers).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(_)) => Err(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    /// Whether it is the first of its batch, and has to see to the departure.
    fn gather(
        &self,
        commands: impl IntoIterator<Item = Cmd>,
        to: oneshot::Sender<RedisResult<Vec<Value>>>,
    ) -> bool {
        let mut batch = self.gathering();
        let before = batch.commands.len();
        for command in commands {
            batch.commands.add_command(command);
        }
        let answers = batch.commands.len() - before;
        batch.requests.push(Request { answers, to });
        before == 0
    }

    fn gathering(&self) -> MutexGuard<'_, Batch> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Departure {
    async fn depart(mut self) {
        // Whoever is ready to run has something to send, as likely as not.
        yield_now().await;
        let Some(batcher) = self.0.clone() else { return };
        let ending = batcher.ending.as_ref();
        let _alone = match ending {
            Some(ending) => Some(ending.alone.lock().await),
            None => None,
        };
        self.0 = None;
        let batch = batcher.gathering().take();
        batch.send(batcher.connection.clone(), ending.map(|ending| &ending.command)).await;
    }
}

impl Batch {
    fn for_about(requests: usize) -> Self {
        Self { commands: Pipeline::with_capacity(requests), requests: Vec::with_capacity(requests) }
    }

    /// Leaves room for as many.
    fn take(&mut self) -> Self {
        let next = Self::for_about(self.requests.len());
        std::mem::replace(self, next)
    }

    async fn send(mut self, mut connection: MultiplexedConnection, ending: Option<&Cmd>) {
        let number = self.commands.len();
        let commands = &mut self.commands;
        let all = ending.into_iter().fold(commands, |all, ending| all.add_command(ending.clone()));
        match connection.send_packed_commands(all, 0, all.len()).await {
            Ok(mut answers) => {
                let last = answers.split_off(number.min(answers.len()));
                let mut answers = answers.into_iter();
                for request in self.requests {
                    let own = answers.by_ref().take(request.answers);
                    let own = own.chain(last.iter().cloned()).collect();
                    // Nobody may be waiting any more.
                    let _ = request.to.send(Ok(own));
                }
            }
            Err(error) => {
                for request in self.requests {
                    let _ = request.to.send(Err(error.clone()));
                }
            }
        }
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        if let Some(batcher) = self.0.take() {
            drop(batcher.gathering().take());
        }
    }
}
