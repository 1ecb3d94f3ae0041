//! The forms of the page. Each one redirects to the page.

use std::time::Duration;

use axum::extract::Form;
use axum::response::Redirect;
use pycket_axum::{Session, SessionError};
use serde::Deserialize;
use serde_json::Value;

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
    Form(SignIn { user, remember }): Form<SignIn>,
) -> Result<Redirect, SessionError> {
    if !user.trim().is_empty() {
        session.restart_timeouts();
        session.set("user", user.trim())?;
        if remember.is_some() {
            session.set_idle_timeout(REMEMBERED)?;
        }
        notify(&session, format!("Welcome, {}.", user.trim()))?;
    }
    Ok(Redirect::to("/"))
}

pub(crate) async fn sign_out(session: Session) -> Redirect {
    session.destroy();
    Redirect::to("/")
}

/// Stores a value that is valid JSON as JSON, and any other value as text.
pub(crate) async fn set(
    session: Session,
    Form(Item { name, value }): Form<Item>,
) -> Result<Redirect, SessionError> {
    if !name.is_empty() {
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        session.set(&name, &value)?;
        notify(&session, format!("{name} is set."))?;
    }
    Ok(Redirect::to("/"))
}

pub(crate) async fn remove(
    session: Session,
    Form(Name { name }): Form<Name>,
) -> Result<Redirect, SessionError> {
    for name in session.delete([name]) {
        notify(&session, format!("{name} is removed."))?;
    }
    Ok(Redirect::to("/"))
}

/// Leaves a message that the page shows once, after the redirect.
fn notify(session: &Session, message: String) -> Result<(), SessionError> {
    Ok(session.notifications().set("message", &message)?)
}
