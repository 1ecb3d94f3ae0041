//! The server: a small application on axum whose sessions pycket keeps.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pycket_axum::{Session, SessionLayer};
use pycket_core::{Error, ErrorKind, Expiry, Outcome, SessionManager};

use crate::broken::Wrapped;
use crate::http::{AMBIGUOUS, FAILED};
use crate::store::{self, StoreKind};
use crate::{Result, ServeOptions};

const SECRET: &str = "for soak runs only: no application signs its cookies with it";

tokio::task_local! {
    /// How many calls of the store failed in this request, and how many of them with an unknown result.
    static FAILED_CALLS: Cell<(u32, u32)>;
}

/// Counts a store call of the current request that failed.
pub(crate) fn count_failed(error: &Error) {
    let ambiguous = u32::from(error.kind() == ErrorKind::Ambiguous);
    // A call that runs on after its request was dropped has no response to be counted in.
    let _ = FAILED_CALLS.try_with(|calls| {
        let (failed, so_far) = calls.get();
        calls.set((failed + 1, so_far + ambiguous));
    });
}

/// Listens, prints the address, and serves until standard input ends, and so with the program that started it.
pub(crate) fn serve(options: &ServeOptions) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = store::open(options.store, &options.url)?;
        let is_local = options.store == StoreKind::Memory;
        let store = Wrapped::new(store, is_local, options.broken);
        let idle = Duration::from_secs(options.idle);
        let expiry = Expiry::builder().idle_timeout(idle).absolute_timeout(idle * 20).build()?;
        let manager = SessionManager::builder(store).expiry(expiry).build()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        println!("{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        std::thread::spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Ok(axum::serve(listener, router(manager)?).await?)
    })
}

fn router(manager: SessionManager) -> Result<Router> {
    Ok(Router::new()
        .route("/state", get(state))
        .route("/sign-in/{user}", post(sign_in))
        .route("/sign-in-again", post(sign_in_again))
        .route("/rotate", post(rotate))
        .route("/sign-out", post(sign_out))
        .route("/end-all", post(end_all))
        .route("/end-others", post(end_others))
        .route("/listed", get(listed))
        .route("/increment", post(increment))
        .route("/set/{name}/{value}", post(set))
        .route("/push/{note}", post(push))
        .route("/read", post(read))
        .layer(SessionLayer::new(manager, SECRET)?)
        .layer(from_fn(report_failed)))
}

/// Tells the client how many store calls of its request failed, and how many of them with an unknown result.
async fn report_failed(request: Request, next: Next) -> Response {
    FAILED_CALLS
        .scope(Cell::default(), async {
            let mut response = next.run(request).await;
            let (failed, ambiguous) = FAILED_CALLS.with(Cell::get);
            response.headers_mut().insert(FAILED, HeaderValue::from(failed));
            response.headers_mut().insert(AMBIGUOUS, HeaderValue::from(ambiguous));
            response
        })
        .await
}

/// Why a request did not do what it was asked for.
enum Refusal {
    /// The client is not signed in.
    SignedOut,
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        use ErrorKind::{Ambiguous, Conflict, Ended, Full, Unavailable};
        match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, "signed out".to_owned()),
            Self::Failed(error) => {
                let status = match error.kind() {
                    Unavailable | Ambiguous | Full | Conflict => StatusCode::SERVICE_UNAVAILABLE,
                    Ended => StatusCode::CONFLICT,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                (status, format!("{:?}: {error}", error.kind()))
            }
        }
        .into_response()
    }
}

type Answer = std::result::Result<String, Refusal>;

fn check_user(session: &Session) -> std::result::Result<(), Refusal> {
    if session.user_id().is_some() { Ok(()) } else { Err(Refusal::SignedOut) }
}

/// Commits, so that the answer says whether the changes are stored.
async fn commit(session: &Session) -> std::result::Result<(), Refusal> {
    match session.commit().await? {
        Outcome::Ended => Err(Error::new(ErrorKind::Ended, "the session ended meanwhile").into()),
        _ => Ok(()),
    }
}

/// `name=value` for each value of the session, and its user.
async fn state(session: Session) -> Answer {
    check_user(&session)?;
    let mut words = vec![format!("user={}", session.user_id().unwrap_or_default())];
    for (name, value) in session.iter() {
        words.push(format!("{name}={}", value.decode::<u64>()?));
    }
    Ok(words.join(" "))
}

async fn sign_in(session: Session, Path(user): Path<String>) -> Answer {
    session.log_in_labelled(user, "soak")?;
    commit(&session).await?;
    Ok(String::new())
}

async fn sign_in_again(session: Session) -> Answer {
    let user = session.user_id().ok_or(Refusal::SignedOut)?;
    sign_in(session, Path(user.to_string())).await
}

async fn rotate(session: Session) -> Answer {
    check_user(&session)?;
    session.cycle_id();
    commit(&session).await?;
    Ok(String::new())
}

async fn sign_out(session: Session) -> Answer {
    check_user(&session)?;
    session.destroy();
    commit(&session).await?;
    Ok(String::new())
}

async fn end_all(session: Session) -> Answer {
    let sessions = session.user_sessions().ok_or(Refusal::SignedOut)?;
    Ok(sessions.end_all().await?.to_string())
}

async fn end_others(session: Session) -> Answer {
    let sessions = session.user_sessions().ok_or(Refusal::SignedOut)?;
    Ok(sessions.end_all_except(&session).await?.to_string())
}

/// Whether the session is among those of its user.
async fn listed(session: Session) -> Answer {
    let sessions = session.user_sessions().ok_or(Refusal::SignedOut)?.sessions().await?;
    let is_listed = sessions.iter().any(|session| session.is_current);
    Ok(if is_listed { "listed" } else { "not listed" }.to_owned())
}

async fn increment(session: Session) -> Answer {
    check_user(&session)?;
    let count = session.update("count", |count: Option<u64>| count.unwrap_or(0) + 1).await?;
    Ok(count.to_string())
}

async fn set(session: Session, Path((name, value)): Path<(String, u64)>) -> Answer {
    check_user(&session)?;
    session.set(&name, &value)?;
    commit(&session).await?;
    Ok(String::new())
}

async fn push(session: Session, Path(note): Path<u64>) -> Answer {
    check_user(&session)?;
    session.notifications().push("note", &note)?;
    commit(&session).await?;
    Ok(String::new())
}

/// The notifications that this request was handed, separated by spaces.
async fn read(session: Session) -> Answer {
    check_user(&session)?;
    let notes = session.notifications().drain().await?;
    if session.commit().await.is_err() {
        // The notifications are handed out, so the response must not become an error.
        let _ = session.abort().await;
    }
    let mut words = Vec::new();
    for (_, note) in notes {
        words.push(note.decode::<u64>()?.to_string());
    }
    Ok(words.join(" "))
}
