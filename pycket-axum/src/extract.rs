use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::{SessionError, SessionHandle};

/// The visitor's session, as an axum extractor; all that it does is in [`pycket_core::Session`].
///
/// The session is loaded when the first extractor of a request runs, and every further one gets the
/// same. Without the [`SessionLayer`](crate::SessionLayer) it is rejected with a 500 that says so, with
/// the store down with a 503.
///
/// ```
/// use pycket_axum::{Session, SessionError};
///
/// async fn visits(session: Session) -> Result<String, SessionError> {
///     let visits = session.get_or("visits", 0)? + 1;
///     session.set("visits", &visits)?;
///     Ok(format!("You were here {visits} times."))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(visits));
/// ```
#[derive(Clone, Debug)]
pub struct Session(pycket_core::Session);

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        match parts.extensions.get::<SessionHandle>() {
            Some(handle) => Ok(Self(handle.session().await?)),
            None => Err(SessionError::missing_layer()),
        }
    }
}

impl Deref for Session {
    type Target = pycket_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
