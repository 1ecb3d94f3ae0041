use std::fmt;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::unfinished::Extracted;
use crate::{SessionError, SessionHandle};

/// The notifications of the client, messages that are read once, as an axum extractor. Its methods are those
/// of [`pycket_core::Notifications`].
///
/// It loads the session as [`Session`](crate::Session) does, with the same errors. It loads a notification only when a
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
#[derive(Clone)]
#[doc(alias("flash", "IncomingFlashMessages", "Messages"))]
pub struct Notifications {
    notifications: pycket_core::Notifications,
    _extracted: Extracted,
}

impl<S: Send + Sync> FromRequestParts<S> for Notifications {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionError> {
        let handle = SessionHandle::from_request_parts(parts, state).await?;
        let notifications = handle.session().await?.notifications();
        Ok(Self { notifications, _extracted: Extracted(handle) })
    }
}

impl Deref for Notifications {
    type Target = pycket_core::Notifications;

    fn deref(&self) -> &Self::Target {
        &self.notifications
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Notifications").field(&self.notifications).finish()
    }
}
