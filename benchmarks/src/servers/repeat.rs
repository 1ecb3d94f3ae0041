use anyhow::{Context, Result, ensure};
use axum::body::Body;
use axum::http::{Request, header};
use tower::ServiceExt;

use super::{Server, router};
use crate::bench::Route;

/// Calls a route one after another, on one thread, as one client.
pub(crate) fn repeat(
    server: Server,
    store: Option<&str>,
    route: Route,
    times: usize,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = router(server, store).await?;
        let first = Request::post("/first").body(Body::empty())?;
        let response = router.clone().oneshot(first).await?;
        let cookie = response.headers().get(header::SET_COOKIE);
        let cookie = cookie.map_or(Ok("none=none"), |cookie| cookie.to_str())?;
        let cookie = cookie.split(';').next().context("the cookie is empty")?.to_owned();
        let request = match route {
            Route::Untouched | Route::Read => Request::get(route.path()),
            Route::Write | Route::Login | Route::First => Request::post(route.path()),
        };
        let request = request.header(header::COOKIE, &cookie).body(())?;
        for _ in 0..times {
            let request = request.clone().map(|()| Body::empty());
            let response = router.clone().oneshot(request).await?;
            ensure!(response.status().is_success(), "the response is {}", response.status());
        }
        Ok(())
    })
}
