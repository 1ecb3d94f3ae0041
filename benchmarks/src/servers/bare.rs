//! The routes on axum without sessions.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::{get, post};

use super::routes;

static VISITS: AtomicU64 = AtomicU64::new(1);

pub(super) fn router() -> Router {
    let read = get(async || VISITS.load(Ordering::Relaxed).to_string());
    routes(read, post(visit), post(visit), post(async || "1"))
}

async fn visit() -> String {
    (VISITS.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}
