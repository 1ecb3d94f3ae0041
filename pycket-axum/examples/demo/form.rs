//! The forms of the page. Each one redirects to the page, which then says what happened.

use std::time::Duration;

use axum::extract::Form;
use axum::http::HeaderMap;
use axum::response::Redirect;
use pycket_axum::{Session, SessionError, SessionHandle};
use pycket_core::Outcome;
use serde::Deserialize;
use serde_json::Value;

use crate::devices;
use crate::page::shortened;

// Messages that the redirect carries as its query. They need no session, so nothing is stored for them.
pub(crate) const SIGNED_OUT: &str = "signed-out";
pub(crate) const SESSION_ENDED: &str = "session-ended";
pub(crate) const DEVICE_SIGNED_OUT: &str = "device-signed-out";
pub(crate) const DEVICE_UNKNOWN: &str = "device-unknown";
pub(crate) const OTHERS_SIGNED_OUT: &str = "others-signed-out";
const ALREADY_REMOVED: &str = "already-removed";
const NAME_MISSING: &str = "name-missing";

/// The idle timeout of a remembered session: 30 days.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Deserialize)]
pub(crate) struct SignIn {
    user: String,
    /// A checkbox: present if it is checked.
    remember: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Item {
    name: String,
    value: String,
}

#[derive(Deserialize)]
pub(crate) struct Name {
    name: String,
}

pub(crate) async fn sign_in(
    session: Session,
    headers: HeaderMap,
    Form(SignIn { user, remember }): Form<SignIn>,
) -> Result<Redirect, SessionError> {
    let user = user.trim();
    if user.is_empty() {
        return Ok(redirect(NAME_MISSING));
    }
    session.log_in_labelled(user, devices::label(&headers))?;
    session.set("user", user)?;
    if remember.is_some() {
        session.set_idle_timeout(REMEMBERED)?;
    }
    commit(&session, format!("Welcome, {}.", shortened(user, 40))).await
}

pub(crate) async fn sign_out(handle: SessionHandle) -> Result<Redirect, SessionError> {
    let had_ended = handle.session().await.is_ok_and(|session| session.is_new());
    handle.destroy().await?;
    Ok(redirect(if had_ended { SESSION_ENDED } else { SIGNED_OUT }))
}

/// Stores a value that is valid JSON as JSON, and any other value as text.
pub(crate) async fn set(
    session: Session,
    Form(Item { name, value }): Form<Item>,
) -> Result<Redirect, SessionError> {
    if name.is_empty() {
        return Ok(redirect(NAME_MISSING));
    }
    let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
    session.set(&name, &value)?;
    // The page that sent the form may have shown a session that has ended.
    let new_session = if session.is_new() { " This started a new session." } else { "" };
    commit(&session, format!("{} is set.{new_session}", shortened(&name, 40))).await
}

pub(crate) async fn remove(
    session: Session,
    Form(Name { name }): Form<Name>,
) -> Result<Redirect, SessionError> {
    match session.delete([&name]).is_empty() {
        false => commit(&session, format!("{} is removed.", shortened(&name, 40))).await,
        true if session.is_new() => Ok(redirect(SESSION_ENDED)),
        true => Ok(redirect(ALREADY_REMOVED)),
    }
}

/// Commits the changes and a message that the page shows once, and redirects to the page.
async fn commit(session: &Session, message: String) -> Result<Redirect, SessionError> {
    session.notifications().set("message", &message)?;
    match session.commit().await? {
        Outcome::Ended => Ok(redirect(SESSION_ENDED)),
        _ => Ok(Redirect::to("/")),
    }
}

pub(crate) fn redirect(message: &str) -> Redirect {
    Redirect::to(&format!("/?{message}"))
}

/// The message that the query of the page stands for. A client that has a session again, for example after
/// "back", sees no message that says that it has none.
pub(crate) fn message(query: Option<&str>, session: &Session) -> Option<&'static str> {
    match query? {
        SIGNED_OUT if session.is_new() => {
            Some("You are signed out. The server has deleted your session.")
        }
        SESSION_ENDED if session.is_new() => Some("Your session has ended. Nothing was changed."),
        DEVICE_SIGNED_OUT => Some("The device is signed out."),
        DEVICE_UNKNOWN => Some("This device was already signed out."),
        OTHERS_SIGNED_OUT => Some("All other devices are signed out."),
        ALREADY_REMOVED => Some("This value was already removed."),
        NAME_MISSING => Some("Enter a name. Nothing was changed."),
        _ => None,
    }
}
