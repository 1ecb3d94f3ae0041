//! The routes on actix-web without sessions.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::web::{get, post};
use actix_web::{App, HttpServer};
use anyhow::Result;

use super::listen::announce;

static VISITS: AtomicU64 = AtomicU64::new(1);

pub(super) fn serve(workers: usize) -> Result<()> {
    let listener = announce()?;
    let app = || {
        App::new()
            .route("/untouched", get().to(async || "ok"))
            .route("/read", get().to(async || VISITS.load(Ordering::Relaxed).to_string()))
            .route("/write", post().to(visit))
            .route("/login", post().to(visit))
            .route("/first", post().to(async || "1"))
    };
    let server = HttpServer::new(app).workers(workers).disable_signals().listen(listener)?.run();
    Ok(actix_web::rt::System::new().block_on(server)?)
}

async fn visit() -> String {
    (VISITS.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}
