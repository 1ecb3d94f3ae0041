use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::cookie::time::Duration;
use actix_web::error::{ErrorConflict, ErrorServiceUnavailable};
use actix_web::web::{get, post};
use actix_web::{App, Error, HttpServer};
use anyhow::Result;

use super::listen::announce;
use super::{CSRF, IDLE, SECRET, USER, VISITS};

pub(super) fn serve(redis: &str, workers: usize) -> Result<()> {
    let ttl = Duration::seconds(IDLE.as_secs() as i64);
    let key = Key::derive_from(SECRET.as_bytes());
    actix_web::rt::System::new().block_on(async {
        let store = RedisSessionStore::new(redis).await?;
        let app = move || {
            let sessions = SessionMiddleware::builder(store.clone(), key.clone())
                .session_lifecycle(PersistentSession::default().session_ttl(ttl))
                .cookie_content_security(CookieContentSecurity::Signed);
            App::new()
                .wrap(sessions.build())
                .route("/untouched", get().to(async || "ok"))
                .route("/read", get().to(read))
                .route("/write", post().to(write))
                .route("/login", post().to(login))
                .route("/first", post().to(first))
        };
        let server = HttpServer::new(app).workers(workers).disable_signals().listen(announce()?)?;
        Ok(server.run().await?)
    })
}

async fn read(session: Session) -> Result<String, Error> {
    Ok(visits(&session)?.to_string())
}

async fn write(session: Session) -> Result<String, Error> {
    let visits = visits(&session)? + 1;
    session.insert(VISITS, visits).map_err(ErrorServiceUnavailable)?;
    Ok(visits.to_string())
}

async fn login(session: Session) -> Result<String, Error> {
    session.renew();
    write(session).await
}

async fn first(session: Session) -> Result<&'static str, Error> {
    for (name, value) in [USER, CSRF] {
        session.insert(name, value).map_err(ErrorServiceUnavailable)?;
    }
    session.insert(VISITS, 1_u64).map_err(ErrorServiceUnavailable)?;
    Ok("1")
}

fn visits(session: &Session) -> Result<u64, Error> {
    session.get(VISITS).map_err(ErrorServiceUnavailable)?.ok_or_else(|| ErrorConflict("no session"))
}
