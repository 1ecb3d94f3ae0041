use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;
use pycket_core::Error;

use crate::response_headers::add_headers;
use crate::{SessionError, SessionHandle};

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService), after the session is committed.
    pub struct SessionFuture<F, B, E> {
        // Dropped as soon as it returns: a timeout returns while it still holds the future of the handler,
        // and with it the session.
        #[pin]
        inner: Option<F>,
        handle: SessionHandle,
        committing: Option<(Result<Response<B>, E>, Commit)>,
    }
}

type Commit = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

impl<F, B, E> SessionFuture<F, B, E> {
    pub(crate) fn new(inner: F, handle: SessionHandle) -> Self {
        Self { inner: Some(inner), handle, committing: None }
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
        if let Some(inner) = this.inner.as_mut().as_pin_mut() {
            let result = ready!(inner.poll(context));
            this.inner.set(None);
            if !this.handle.was_used() {
                return Poll::Ready(result);
            }
            if !this.handle.needs_commit() {
                return Poll::Ready(result.map(|response| add_headers(response, this.handle)));
            }
            let failed = result.as_ref().map_or(true, |r| r.status().is_server_error());
            let commit = this.handle.clone().commit(failed);
            *this.committing = Some((result, Box::pin(commit)));
        }
        let Some((_, commit)) = this.committing else {
            return Poll::Pending;
        };
        let failure = ready!(commit.as_mut().poll(context)).err().map(SessionError::from);
        let Some((result, _)) = this.committing.take() else {
            return Poll::Pending;
        };
        Poll::Ready(match (result, failure) {
            (Ok(response), None) => Ok(add_headers(response, this.handle)),
            (Ok(response), Some(failure)) => {
                Ok(add_headers(failure.replace(response), this.handle))
            }
            // No response can report the failure.
            (Err(error), failure) => {
                failure.iter().for_each(SessionError::log);
                Err(error)
            }
        })
    }
}

impl<F, B, E> fmt::Debug for SessionFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").field("handle", &self.handle).finish_non_exhaustive()
    }
}
