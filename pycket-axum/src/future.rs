use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, StatusCode};
use pin_project_lite::pin_project;
use pycket_core::Error;

use crate::transport::IdHeader;
use crate::unfinished::{Phase, with_inner};
use crate::{SessionBody, SessionError, SessionHandle};

pin_project! {
    /// The response of a [`SessionService`](crate::SessionService), after the session is committed.
    pub struct SessionFuture<F, B, E> {
        // Dropped as soon as it returns: a timeout returns while it still holds the future of the handler,
        // and with it the session.
        #[pin]
        inner: Option<F>,
        // Absent if an outer layer with the same cookie commits the session.
        handle: Option<SessionHandle>,
        finishing: Option<(Result<Response<SessionBody<B>>, E>, Finishing)>,
    }

    // A client that disconnects gets no cookie. A task of the handler may go on with the session.
    impl<F, B, E> PinnedDrop for SessionFuture<F, B, E> {
        fn drop(this: Pin<&mut Self>) {
            if let (Some(handle), Some(_)) = (&this.handle, &this.inner) {
                handle.disconnect();
            }
        }
    }
}

type Finishing = Pin<Box<dyn Future<Output = (Option<IdHeader>, Result<(), Error>)> + Send>>;

impl<F, B, E> SessionFuture<F, B, E> {
    pub(crate) fn new(inner: F, handle: Option<SessionHandle>) -> Self {
        Self { inner: Some(inner), handle, finishing: None }
    }
}

impl<F, B, E> Future for SessionFuture<F, B, E>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<SessionBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(inner) = this.inner.as_mut().as_pin_mut() {
            let Some(handle) = this.handle else {
                return inner.poll(context).map_ok(|response| response.map(SessionBody::new));
            };
            let result = ready!(with_inner(handle, Phase::Polling, || inner.poll(context)));
            with_inner(handle, Phase::Dropping, || this.inner.set(None));
            let mut result = result.map(|response| response.map(SessionBody::new));
            if let Some(id) = handle.try_finish() {
                if let Ok(response) = &mut result
                    && handle.was_used()
                {
                    handle.add_headers(response.headers_mut(), id);
                }
                return Poll::Ready(result);
            }
            let is_failure = result.as_ref().map_or(true, |response| is_failure(response.status()));
            let finishing = handle.clone().finish(handle.is_aborted(is_failure));
            *this.finishing = Some((result, Box::pin(finishing)));
        }
        let Some((_, finishing)) = this.finishing else {
            return Poll::Pending;
        };
        let (id, stored) = ready!(finishing.as_mut().poll(context));
        let failure = stored.err().map(SessionError::from);
        let Some((result, _)) = this.finishing.take() else {
            return Poll::Pending;
        };
        if result.is_err() {
            // No response can report the failure.
            failure.iter().for_each(SessionError::log);
        }
        Poll::Ready(result.map(|mut response| {
            if let Some(failure) = failure {
                response = failure.replace(response);
            }
            if let Some(handle) = this.handle {
                handle.add_headers(response.headers_mut(), id);
            }
            response
        }))
    }
}

/// Whether the response says that the server did not do what the request asked for. A timeout inside the layer
/// responds with 408 for a handler that did not finish.
fn is_failure(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
}

impl<F, B, E> fmt::Debug for SessionFuture<F, B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").field("handle", &self.handle).finish_non_exhaustive()
    }
}
