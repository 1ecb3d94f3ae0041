use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The response body of a [`SessionService`](crate::SessionService): the body of the inner service, or the
    /// text of an error that stands in for it.
    ///
    /// The inner body may be of any type, because the layer never has to make one. The text is sent if the data
    /// of the body are [`Bytes`], as almost everywhere; otherwise the body of the error is empty.
    #[derive(Clone, Debug)]
    pub struct SessionBody<B> {
        #[pin]
        inner: Option<B>,
        // Empty if there is an inner body.
        text: &'static str,
    }
}

impl<B> SessionBody<B> {
    pub(crate) fn new(inner: B) -> Self {
        Self { inner: Some(inner), text: "" }
    }

    pub(crate) fn error(text: &'static str) -> Self {
        Self { inner: None, text }
    }

    /// The body of the inner service.
    ///
    /// # Errors
    ///
    /// The text that stands in for the body, if the commit failed.
    pub fn into_inner(self) -> Result<B, &'static str> {
        self.inner.ok_or(self.text)
    }
}

/// An empty body, for layers around the session layer that respond themselves, such as a timeout.
impl<B> Default for SessionBody<B> {
    fn default() -> Self {
        Self::error("")
    }
}

impl<B: Body<Data: 'static>> Body for SessionBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll_frame(context),
            None => Poll::Ready(data(std::mem::take(this.text)).map(|data| Ok(Frame::data(data)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Some(inner) => inner.is_end_stream(),
            None => data::<B::Data>(self.text).is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) => inner.size_hint(),
            None if self.is_end_stream() => SizeHint::with_exact(0),
            None => SizeHint::with_exact(self.text.len() as u64),
        }
    }
}

/// The text as data of a body; `None` for the empty text, and if the data are not [`Bytes`].
fn data<D: 'static>(text: &'static str) -> Option<D> {
    let mut data = (!text.is_empty()).then(|| Bytes::from_static(text.as_bytes()));
    (&mut data as &mut dyn Any).downcast_mut::<Option<D>>()?.take()
}
