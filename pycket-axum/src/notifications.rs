use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::{Session, SessionError};

/// The notifications of the client, messages that are read once, as an axum extractor. Its methods are those
/// of [`pycket_core::Notifications`].
///
/// It loads the session as [`Session`] does, with the same errors. It loads a notification only when a
/// handler reads it.
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
#[doc(alias("flash", "IncomingFlashMessages", "Messages"))]
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
