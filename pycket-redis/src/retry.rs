use std::time::Duration;

use redis::{RedisError, ServerErrorKind};
use tokio::time::{Instant, sleep};

use crate::address::NodeAddr;
use crate::error::{Access, Failure};

/// The time and the redirections that a request has left.
pub(crate) struct RetryBudget {
    end: Option<Instant>,
    redirections: u32,
    pauses: u32,
}

/// What to do after a failure.
pub(crate) enum Retry {
    /// Report the failure.
    No,
    /// Send the request again after a pause.
    Later,
    /// Send the request to this server, which has the key.
    Moved(NodeAddr),
    /// Send the request to this server, which is about to receive the key.
    Ask(NodeAddr),
}

impl RetryBudget {
    /// Servers that redirect a request more often in a row do not agree with each other.
    const MAX_REDIRECTIONS: u32 = 4;

    const FIRST_PAUSE: Duration = Duration::from_millis(10);
    const DOUBLINGS: u32 = 4;

    pub(crate) fn new(deadline: Duration) -> Self {
        Self { end: Instant::now().checked_add(deadline), redirections: 0, pauses: 0 }
    }

    pub(crate) fn allows_redirection(&mut self) -> bool {
        self.redirections += 1;
        self.redirections <= Self::MAX_REDIRECTIONS
    }

    /// Sends a request until it succeeds, fails for good, or the deadline passes.
    ///
    /// A read whose connection broke is sent again at once, whatever the deadline: the connection may have
    /// broken long ago, while it was idle.
    pub(crate) async fn retry<T, F>(
        mut self,
        access: Access,
        send: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut is_first = true;
        loop {
            let failure = match send().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let is_at_once = is_first && access == Access::Read && failure.is_break();
            is_first = false;
            // The pause is in a box, so that a request that succeeds needs no memory for it.
            if !matches!(Retry::after(&failure, access, None), Retry::Later)
                || !(is_at_once || Box::pin(self.pause()).await)
            {
                return Err(failure);
            }
        }
    }

    /// Sleeps, each time longer. Returns `false` if the deadline leaves no time for that.
    pub(crate) async fn pause(&mut self) -> bool {
        let pause = Self::FIRST_PAUSE * 2_u32.pow(self.pauses.min(Self::DOUBLINGS));
        self.pauses += 1;
        self.redirections = 0;
        if self.end.is_some_and(|end| Instant::now() + pause >= end) {
            return false;
        }
        sleep(pause).await;
        true
    }
}

impl Retry {
    /// `from` is the server that the failure came from, if it is known.
    pub(crate) fn after(failure: &Failure, access: Access, from: Option<&NodeAddr>) -> Self {
        if let Failure::Sent(error) = failure
            && let Some(redirection) = redirection(error, from)
        {
            return redirection;
        }
        let is_repeatable = access == Access::Read
            && failure.is_ambiguous()
            && !matches!(failure, Failure::Unconfirmed(_));
        if failure.is_transient() || is_repeatable { Self::Later } else { Self::No }
    }
}

fn redirection(error: &RedisError, from: Option<&NodeAddr>) -> Option<Retry> {
    let is_redirection =
        |kind: &ServerErrorKind| matches!(kind, ServerErrorKind::Moved | ServerErrorKind::Ask);
    let errors = error.clone().into_server_errors()?;
    let (_, first) = errors.first()?;
    let kind = first.kind().filter(is_redirection)?;
    let mut node = NodeAddr::parse(first.details()?.split_ascii_whitespace().nth(1)?)?;
    if node.host.is_empty() {
        // A server that does not know its own name leaves out the host.
        node.host.clone_from(&from?.host);
    }
    Some(if kind == ServerErrorKind::Ask { Retry::Ask(node) } else { Retry::Moved(node) })
}
