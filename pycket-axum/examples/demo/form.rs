use axum::extract::Form;
use axum::response::Redirect;
use pycket_axum::{Session, SessionError};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct SignIn {
    user: String,
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
    Form(SignIn { user }): Form<SignIn>,
) -> Result<Redirect, SessionError> {
    if !user.trim().is_empty() {
        session.restart_lifetime();
        session.set("user", user.trim())?;
    }
    Ok(Redirect::to("/"))
}

pub(crate) async fn sign_out(session: Session) -> Redirect {
    session.destroy();
    Redirect::to("/")
}

/// What reads as JSON is stored as such, all else as text.
pub(crate) async fn set(
    session: Session,
    Form(Item { name, value }): Form<Item>,
) -> Result<Redirect, SessionError> {
    if !name.is_empty() {
        let value = serde_json::from_str(&value).unwrap_or(Value::String(value));
        session.set(&name, &value)?;
    }
    Ok(Redirect::to("/"))
}

pub(crate) async fn remove(session: Session, Form(Name { name }): Form<Name>) -> Redirect {
    session.delete([name]);
    Redirect::to("/")
}
