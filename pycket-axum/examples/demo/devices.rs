//! The sessions of the signed-in user: as JSON, and as forms of the page.

use axum::Json;
use axum::extract::{Form, Path};
use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use pycket_axum::pycket_core::{UserSession, UserSessionHandle, UserSessions};
use pycket_axum::{Session, SessionError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Failure;
use crate::form;

/// The form of one device.
#[derive(Deserialize)]
pub(crate) struct Device {
    handle: String,
}

/// What the client is called in the list, from its `User-Agent` header.
pub(crate) fn label(headers: &HeaderMap) -> String {
    let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first_of = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    // In this order, because browsers name the older ones that they are compatible with, too.
    let browser = first_of(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first_of(&[
        ("Windows", "Windows"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    let product = || agent.split(['/', ' ']).next().filter(|product| !product.is_empty());
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        _ => product().unwrap_or("Unknown device").to_owned(),
    }
}

pub(crate) async fn list(session: Session) -> Result<Json<Value>, Failure> {
    let sessions = of_user(&session)?.sessions().await?;
    Ok(Json(sessions.iter().map(as_json).collect()))
}

fn as_json(session: &UserSession) -> Value {
    json!({
        "handle": session.handle,
        "current": session.is_current,
        "label": session.label.as_deref().unwrap_or_default(),
        "signed_in_at": session.signed_in_at.unix_millis() / 1000,
        "last_seen_at": session.last_renewed.unix_millis() / 1000,
    })
}

pub(crate) async fn end(
    session: Session,
    Path(handle): Path<String>,
) -> Result<StatusCode, Failure> {
    of_user(&session)?;
    match end_device(&session, &handle).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Failure::NoSuchSession),
    }
}

pub(crate) async fn end_others(session: Session) -> Result<StatusCode, Failure> {
    of_user(&session)?.end_all_except(&session).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn submit_end(
    session: Session,
    Form(Device { handle }): Form<Device>,
) -> Result<Redirect, SessionError> {
    let is_current = session.handle().is_some_and(|own| own.to_string() == handle);
    let has_ended = end_device(&session, &handle).await?;
    Ok(form::redirect(match has_ended {
        true if is_current => form::SIGNED_OUT,
        true => form::DEVICE_SIGNED_OUT,
        false if session.user_id().is_none() => form::SESSION_ENDED,
        false => form::DEVICE_UNKNOWN,
    }))
}

pub(crate) async fn submit_end_others(session: Session) -> Result<Redirect, SessionError> {
    let Some(sessions) = session.user_sessions() else {
        return Ok(form::redirect(form::SESSION_ENDED));
    };
    sessions.end_all_except(&session).await?;
    Ok(form::redirect(form::OTHERS_SIGNED_OUT))
}

/// Ends a session of the signed-in user. The current one is destroyed, so that its cookie is removed, too.
async fn end_device(session: &Session, handle: &str) -> Result<bool, pycket_axum::Error> {
    let (Some(sessions), Ok(handle)) =
        (session.user_sessions(), handle.parse::<UserSessionHandle>())
    else {
        return Ok(false);
    };
    if session.handle() == Some(handle) {
        session.destroy();
        return Ok(true);
    }
    sessions.end(&handle).await
}

fn of_user(session: &Session) -> Result<UserSessions, Failure> {
    session.user_sessions().ok_or(Failure::NotSignedIn)
}
