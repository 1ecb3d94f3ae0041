use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::layer::Settings;
use crate::{SessionBody, SessionFuture, SessionHandle};

/// The service that [`SessionLayer`](crate::SessionLayer) puts around another one.
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    pub(crate) inner: S,
    pub(crate) settings: Arc<Settings>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<SessionBody<ResBody>>;
    type Error = S::Error;
    type Future = SessionFuture<S::Future, ResBody, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let outer = request.extensions().get::<SessionHandle>();
        let (handle, is_own) =
            SessionHandle::new(&self.settings, request.uri(), request.headers(), outer);
        request.extensions_mut().insert(handle.clone());
        SessionFuture::new(self.inner.call(request), is_own.then_some(handle))
    }
}
