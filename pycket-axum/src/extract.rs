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

/// The visitor's read-once notifications, as an axum extractor; all that it does is in
/// [`pycket_core::Notifications`]. It opens the session, as [`Session`] does, and loads no notification
/// until one is asked for.
///
/// ```
/// use axum::response::Redirect;
/// use pycket_axum::{Notifications, SessionError};
///
/// async fn save(notifications: Notifications) -> Result<Redirect, SessionError> {
///     notifications.set("info", "Saved.")?;
///     Ok(Redirect::to("/"))
/// }
///
/// async fn home(notifications: Notifications) -> Result<String, SessionError> {
///     Ok(notifications.get_or("info", String::new()).await?)
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(home).post(save));
/// ```
#[derive(Clone, Debug)]
pub struct Notifications(pycket_core::Notifications);

impl<S: Send + Sync> FromRequestParts<S> for Notifications {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionError> {
        let session = Session::from_request_parts(parts, state).await?;
        Ok(Self(session.notifications()))
    }
}

impl Deref for Notifications {
    type Target = pycket_core::Notifications;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
