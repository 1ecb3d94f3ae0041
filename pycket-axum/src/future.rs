use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use pycket_core::Error;

use crate::headers::finish;
use crate::{SessionError, SessionHandle};

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService).
    pub struct SessionFuture<F, B, E> {
        // Until it has answered. It goes then, and with it whatever still holds the session: a timeout
        // answers for a handler that it merely stops polling.
        #[pin]
        handling: Option<F>,
        handle: SessionHandle,
        // The answer, and what is still stored before it leaves.
        answered: Option<(Result<Response<B>, E>, Closing)>,
    }
}

type Closing = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl<F, B, E> SessionFuture<F, B, E> {
    pub(crate) fn new(handling: F, handle: SessionHandle) -> Self {
        Self { handling: Some(handling), handle, answered: None }
    }
}

impl<F, B, E> Future for SessionFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<&'static str>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (answer, mut closing) = match this.answered.take() {
            Some(answered) => answered,
            None => {
                let Some(handling) = this.handling.as_mut().as_pin_mut() else {
                    return Poll::Pending;
                };
                let answer = ready!(handling.poll(context));
                this.handling.set(None);
                if !this.handle.was_asked_for() {
                    return Poll::Ready(answer);
                }
                if !this.handle.needs_commit() {
                    return Poll::Ready(answer.map(|response| finish(response, this.handle)));
                }
                let failed = answer.as_ref().map_or(true, |r| r.status().is_server_error());
                let handle = this.handle.clone();
                let closing: Closing = Box::pin(async move { handle.close(failed).await });
                (answer, closing)
            }
        };
        let Poll::Ready(closed) = closing.as_mut().poll(context) else {
            *this.answered = Some((answer, closing));
            return Poll::Pending;
        };
        let failure = closed.err().map(SessionError::from);
        Poll::Ready(match (answer, failure) {
            (Ok(response), None) => Ok(finish(response, this.handle)),
            (Ok(response), Some(failure)) => Ok(finish(failure.replace(response), this.handle)),
            (Err(error), failure) => {
                // There is no response that could tell of it.
                if let Some(failure) = failure {
                    failure.report();
                }
                Err(error)
            }
        })
    }
}

impl<F, B, E> std::fmt::Debug for SessionFuture<F, B, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionFuture").field("handle", &self.handle).finish_non_exhaustive()
    }
}
