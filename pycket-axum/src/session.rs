use std::fmt;
use std::ops::Deref;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::unfinished::Extracted;
use crate::{SessionError, SessionHandle};

/// The session of the client, as an axum extractor. Its methods are those of [`pycket_core::Session`].
///
/// The first extractor of a request loads the session; all extractors of a request share it. The rejection
/// is a [`SessionError`]: a 503 when the store is down, a 500 that names the missing
/// [`SessionLayer`](crate::SessionLayer), or a 500 if the session cannot be read.
///
/// ```
/// use pycket_axum::{Session, SessionError};
///
/// async fn visits(session: Session) -> Result<String, SessionError> {
///     let visits = session.update("visits", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
///     Ok(format!("You were here {visits} times."))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(visits));
/// ```
///
/// # Pages for signed-in and anonymous clients
///
/// `Option<Session>` is an extractor, too. `None` means that the client has no session: it sends no authentic
/// cookie or its session has ended, and this request has set no value either. A store that is down and a
/// missing layer are the same errors as for `Session`, and not `None`.
///
/// ```
/// use pycket_axum::{Session, SessionError};
///
/// async fn greet(session: Option<Session>) -> Result<String, SessionError> {
///     let user = match session {
///         Some(session) => session.get::<String>("user")?,
///         None => None,
///     };
///     Ok(format!("Hello, {}!", user.as_deref().unwrap_or("stranger")))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(greet));
/// ```
#[derive(Clone)]
#[doc(alias = "AuthSession")]
pub struct Session {
    session: pycket_core::Session,
    _extracted: Extracted,
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionError> {
        let handle = SessionHandle::from_request_parts(parts, state).await?;
        Ok(Self { session: handle.session().await?, _extracted: Extracted(handle) })
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, SessionError> {
        let session = <Self as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let is_present = !session.is_new() || !session.is_empty();
        Ok(is_present.then_some(session))
    }
}

impl Deref for Session {
    type Target = pycket_core::Session;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.session).finish()
    }
}
