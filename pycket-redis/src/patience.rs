use std::time::Duration;

use redis::{RedisError, ServerErrorKind};
use tokio::time::{Instant, sleep};

use crate::connection::{Failure, Timeouts};
use crate::error::Request;
use crate::place::Place;

/// How much longer a request may be tried again.
pub(crate) struct Patience {
    end: Option<Instant>,
    hops: u32,
    pauses: u32,
}

/// What is to be done after a failure.
pub(crate) enum Verdict {
    /// Nothing: it is settled, or may have happened.
    Final,
    /// It surely did not happen, or does no harm twice, and may go better a moment later.
    Again,
    /// The key is with that server.
    Moved(Place),
    /// The key is on its way to that server.
    Asking(Place),
}

impl Timeouts {
    /// How long one server may take for one question.
    pub(crate) fn both(self) -> Duration {
        self.connect.saturating_add(self.response)
    }
}

impl Patience {
    /// More than this many servers in a row do not send a request on to each other unless they disagree.
    const HOPS: u32 = 4;

    const FIRST_PAUSE: Duration = Duration::from_millis(10);
    const DOUBLINGS: u32 = 4;

    pub(crate) fn new(limit: Duration) -> Self {
        Self { end: Instant::now().checked_add(limit), hops: 0, pauses: 0 }
    }

    /// Whether a request may be sent on at once.
    pub(crate) fn allows_hop(&mut self) -> bool {
        self.hops += 1;
        self.hops <= Self::HOPS
    }

    /// After a failure: asks again until that goes well, fails for good, or takes too long.
    ///
    /// A reader whose connection broke asks again at once, whatever the limit: it may have stood idle
    /// and broken long ago.
    pub(crate) async fn insist<T, F>(
        mut self,
        mut failure: Failure,
        request: Request,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut is_at_once = request == Request::Read && failure.is_break();
        while matches!(Verdict::on(&failure, request, None), Verdict::Again)
            && (is_at_once || self.allows_pause().await)
        {
            is_at_once = false;
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(next) => failure = next,
            }
        }
        Err(failure)
    }

    /// Waits for a moment; `false` if there is no time left for that.
    pub(crate) async fn allows_pause(&mut self) -> bool {
        let pause = Self::FIRST_PAUSE * 2_u32.pow(self.pauses.min(Self::DOUBLINGS));
        self.pauses += 1;
        if self.end.is_some_and(|end| Instant::now() + pause >= end) {
            return false;
        }
        sleep(pause).await;
        true
    }
}

impl Verdict {
    /// `from` is who said it: a server that does not know its own name leaves the host out.
    pub(crate) fn on(failure: &Failure, request: Request, from: Option<&Place>) -> Self {
        let elsewhere = match failure {
            Failure::Sent(error) => redirection(error, from),
            Failure::Unsent(_) => None,
        };
        match elsewhere {
            Some(elsewhere) => elsewhere,
            None if failure.is_transient() => Self::Again,
            None if request == Request::Read && failure.is_open() => Self::Again,
            None => Self::Final,
        }
    }
}

fn redirection(error: &RedisError, from: Option<&Place>) -> Option<Verdict> {
    let errors = error.clone().into_server_errors()?;
    let (_, first) = errors.first()?;
    let kind = first.kind().filter(is_redirection)?;
    let mut place = Place::parse(first.details()?.split_ascii_whitespace().nth(1)?)?;
    if place.host.is_empty() {
        place.host.clone_from(&from?.host);
    }
    match kind {
        ServerErrorKind::Ask => Some(Verdict::Asking(place)),
        _ => Some(Verdict::Moved(place)),
    }
}

fn is_redirection(kind: &ServerErrorKind) -> bool {
    matches!(kind, ServerErrorKind::Moved | ServerErrorKind::Ask)
}
