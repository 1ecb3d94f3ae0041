use std::time::Duration;

use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::{Client, closed, timed_out};

/// Lets writes that wait for replicas share one `WAIT`.
///
/// While `WAIT` is in flight the server answers nothing else on the connection. Writes that arrive meanwhile
/// are sent together after it, followed by one `WAIT` for all of them.
#[derive(Clone)]
pub(super) struct GroupCommit {
    queue: mpsc::UnboundedSender<Write>,
    response_timeout: Duration,
}

struct Write {
    commands: Pipeline,
    answers: oneshot::Sender<RedisResult<Vec<Value>>>,
}

impl GroupCommit {
    pub(super) fn spawn(client: Client, wait: Cmd) -> Self {
        let (queue, writes) = mpsc::unbounded_channel();
        let response_timeout = client.response_timeout;
        tokio::spawn(send_groups(client, wait, writes));
        Self { queue, response_timeout }
    }

    /// Returns the answer to each command, then the answer to `WAIT`.
    pub(super) async fn send(&self, commands: Pipeline) -> RedisResult<Vec<Value>> {
        let (answers, receiver) = oneshot::channel();
        self.queue.send(Write { commands, answers }).map_err(|_| closed())?;
        match timeout(self.response_timeout, receiver).await {
            Ok(answers) => answers.unwrap_or_else(|_| Err(closed())),
            Err(_) => Err(timed_out()),
        }
    }
}

async fn send_groups(client: Client, wait: Cmd, mut writes: mpsc::UnboundedReceiver<Write>) {
    let mut group = Vec::new();
    while writes.recv_many(&mut group, usize::MAX).await > 0 {
        // A caller that gave up may have done something else since, which a late write would undo.
        group.retain(|write| !write.answers.is_closed());
        if group.is_empty() {
            continue;
        }
        let mut commands = Pipeline::new();
        for command in group.iter().flat_map(|write| write.commands.cmd_iter()) {
            commands.add_command(command.clone());
        }
        commands.add_command(wait.clone());
        let answers = client.send(&commands).await;
        let mut answers = answers.map(Vec::into_iter);
        let waited = answers.as_mut().ok().and_then(DoubleEndedIterator::next_back);
        for write in group.drain(..) {
            let own = answers.as_mut().map_err(|error| error.clone()).map(|answers| {
                let own = answers.by_ref().take(write.commands.len());
                own.chain(waited.clone()).collect()
            });
            // The caller may have given up meanwhile.
            let _ = write.answers.send(own);
        }
    }
}
