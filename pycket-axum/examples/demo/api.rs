//! The JSON interface.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use pycket_axum::{Notifications, Session, SessionError, SessionHandle};
use pycket_core::{Error, ErrorKind, Outcome};
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::{devices, number};

/// The routes of the JSON interface.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/session", get(show))
        .route("/session/{name}", get(read).put(write).delete(remove))
        .route("/session/{name}/increment", post(increment))
        .route("/notifications", get(unread))
        .route("/notifications/{name}", get(take).put(leave))
        .route("/sessions", get(devices::list).delete(devices::end_others))
        .route("/sessions/{handle}", delete(devices::end))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
}

#[derive(Deserialize)]
struct Login {
    user: Value,
    /// The idle timeout of this session, in seconds.
    remember: Option<u64>,
}

async fn show(session: Session) -> Json<Value> {
    // A value that is no JSON, of another program, is shown as null.
    let values = session.iter().map(|(name, value)| (name, value.decode().unwrap_or_default()));
    let data: Map<String, Value> = values.collect();
    let expires_in = session.expires_in().map(|left| left.as_secs());
    Json(json!({ "new": session.is_new(), "expires_in": expires_in, "data": data }))
}

async fn read(session: Session, Path(name): Path<String>) -> Result<Json<Value>, Failure> {
    Ok(Json(session.require(&name)?))
}

async fn write(
    session: Session,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    session.set(&name, &parse::<Value>(&body)?)?;
    commit(&session).await
}

async fn remove(session: Session, Path(name): Path<String>) -> Result<StatusCode, Failure> {
    session.delete([name]);
    commit(&session).await
}

async fn increment(session: Session, Path(name): Path<String>) -> Result<Json<Number>, Failure> {
    match session.update(&name, number::increment).await {
        Err(error) if error.kind() == ErrorKind::Decode => Err(Failure::NotANumber(name)),
        result => Ok(Json(result?)),
    }
}

async fn unread(notifications: Notifications) -> Json<Vec<String>> {
    Json(notifications.keys())
}

async fn take(
    notifications: Notifications,
    Path(name): Path<String>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(notifications.require(&name).await?))
}

async fn leave(
    session: Session,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    session.notifications().set(&name, &parse::<Value>(&body)?)?;
    commit(&session).await
}

async fn log_in(session: Session, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Failure> {
    let Login { user, remember } = parse(&body)?;
    let id = user.as_str().map_or_else(|| user.to_string(), str::to_owned);
    session.log_in_labelled(id, devices::label(&headers)).map_err(Failure::OutOfRange)?;
    if let Some(seconds) = remember {
        session.set_idle_timeout(Duration::from_secs(seconds)).map_err(Failure::OutOfRange)?;
    }
    session.set("user", &user)?;
    commit(&session).await
}

async fn log_out(session: SessionHandle) -> Result<StatusCode, Failure> {
    session.destroy().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Commits the session, so that a 204 means that the change is stored. The layer commits, too, but does not
/// report a session that ended during the request.
async fn commit(session: &Session) -> Result<StatusCode, Failure> {
    match session.commit().await? {
        Outcome::Ended => Err(Failure::Ended),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(Failure::NotJson)
}

/// Why a request failed. The response says it as JSON.
pub(crate) enum Failure {
    NotJson(serde_json::Error),
    NotFound(Error),
    NotANumber(String),
    NotSignedIn,
    NoSuchSession,
    Ended,
    OutOfRange(Error),
    Session(SessionError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::KeyNotFound => Self::NotFound(error),
            ErrorKind::Ended => Self::Ended,
            _ => Self::Session(error.into()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NotJson(error) => {
                (StatusCode::BAD_REQUEST, format!("the body is not the JSON expected: {error}"))
            }
            Self::NotFound(error) => (StatusCode::NOT_FOUND, error.to_string()),
            Self::NotANumber(name) => (StatusCode::CONFLICT, format!("`{name}` is not a number")),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "no user is signed in".to_owned()),
            Self::NoSuchSession => {
                (StatusCode::NOT_FOUND, "you have no session with this handle".to_owned())
            }
            Self::Ended => {
                (StatusCode::CONFLICT, "the session ended while the request was running".to_owned())
            }
            Self::OutOfRange(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::Session(error) => return error.into_response(),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}
