//! A small shop with pycket. `cargo run -- --help` lists the arguments.

mod accounts;
mod articles;
mod cart;
mod devices;
mod orders;
mod page;
mod same_origin;
mod sign_in;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware;
use axum::routing::{get, post};
use clap::Parser;
use pycket_axum::{
    Error, Expiry, KeyRing, MemoryStore, RedisStore, RequireUser, SessionLayer, SessionManager,
};
use tokio::net::TcpListener;

use accounts::Accounts;
use orders::Orders;

/// A small shop with pycket.
///
/// Set SHOP_SECRET to at least 32 random bytes, which sign the cookies. Without it, every start ends all sessions.
#[derive(Parser)]
struct Arguments {
    /// The address and port to listen on; port 0 chooses a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Keeps the sessions in this Redis, for example redis://127.0.0.1/. Without it they are in memory.
    #[arg(long)]
    redis: Option<String>,
}

/// What all requests share.
#[derive(Clone)]
struct Shop {
    accounts: Arc<Accounts>,
    orders: Arc<Orders>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let app = app(sessions(&arguments)?)?;
    let listener = TcpListener::bind(arguments.listen).await?;
    print_address(listener.local_addr()?);
    Ok(axum::serve(listener, app).with_graceful_shutdown(interrupted()).await?)
}

/// The session layer: where sessions are, when they end, and who signs their cookies.
fn sessions(arguments: &Arguments) -> Result<SessionLayer, Error> {
    let keys = match std::env::var("SHOP_SECRET") {
        Ok(secret) => KeyRing::new(secret)?,
        Err(_) => KeyRing::generate(),
    };
    let manager = match &arguments.redis {
        Some(url) => SessionManager::builder(RedisStore::builder(url).prefix("shop:").build()?),
        None => SessionManager::builder(MemoryStore::new()),
    };
    // An hour without a request, or a day in any case. `sign_in.rs` gives remembered sessions more.
    let manager = manager.expiry(Expiry::aal2()).build()?;
    SessionLayer::builder(manager).keys(keys).build()
}

fn app(sessions: SessionLayer) -> Result<Router, Box<dyn std::error::Error>> {
    let shop = Shop { accounts: Arc::new(Accounts::demo()?), orders: Arc::default() };
    Ok(Router::new()
        .route("/account", get(devices::show))
        .route("/account/devices/end", post(devices::end))
        .route("/account/devices/end-all", post(devices::end_all))
        .route("/order", post(orders::place))
        // The routes above are for users who are signed in, those below for all.
        .route_layer(RequireUser::or_redirect_to("/sign-in")?)
        .route("/", get(articles::show))
        .route("/cart", get(cart::show))
        .route("/cart/change", post(cart::change))
        .route("/cart/later", post(cart::save_for_later))
        .route("/cart/back", post(cart::move_back))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .with_state(shop)
        .layer(sessions)
        .layer(middleware::from_fn(same_origin::check))
        .layer(middleware::map_response(page::add_headers))
        .route("/style.css", get(style)))
}

async fn style() -> ([(axum::http::HeaderName, &'static str); 2], &'static str) {
    let headers = [(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, include_str!("style.css"))
}

#[expect(
    clippy::print_stdout,
    reason = "the caller of the program reads the address from standard output"
)]
fn print_address(address: SocketAddr) {
    println!("Listening on http://localhost:{} (Ctrl-C ends it)", address.port());
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
