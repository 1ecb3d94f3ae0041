use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::{SessionError, SessionHandle};

/// The session of the client, as an axum extractor. Its methods are those of [`pycket_core::Session`].
///
/// The first extractor of a request loads the session; all extractors of a request share it. The rejection
/// is a [`SessionError`]: a 503 when the store is down, or a 500 that names the missing
/// [`SessionLayer`](crate::SessionLayer).
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
#[doc(alias = "AuthSession")]
pub struct Session(pycket_core::Session);

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        match parts.extensions.get::<SessionHandle>() {
            Some(handle) => Ok(Self(handle.session().await?)),
            None => Err(SessionError::MissingLayer),
        }
    }
}

impl Deref for Session {
    type Target = pycket_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
