//! A small application with sessions in memory, Redis or memcached: a page at `/` for browsers, a JSON
//! interface under `/api` for programs.
//!
//! `cargo run -p pycket-axum --example demo -- --help` lists the arguments.

mod api;
mod arguments;
mod devices;
mod form;
mod key_file;
mod number;
mod page;
mod settings;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use axum::routing::{get, post};
use clap::Parser;
use pycket_axum::SessionLayer;
use pycket_cookie::KeyRing;
use tokio::net::TcpListener;

use arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match serve(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    let app = app(arguments)?;
    let to_message = |error| format!("--listen {}: {error}", arguments.listen);
    let listener = TcpListener::bind(arguments.listen).await.map_err(to_message)?;
    print_address(listener.local_addr().map_err(to_message)?);
    let served = axum::serve(listener, app).with_graceful_shutdown(shutdown_signal()).await;
    served.map_err(to_message)
}

fn app(arguments: &Arguments) -> Result<Router, String> {
    let (manager, cookies) = arguments.settings()?;
    let keys = match &arguments.key_file {
        Some(path) => key_file::read_or_create(path)
            .and_then(|key| KeyRing::new(key).map_err(io::Error::other))
            .map_err(|error| format!("--key-file {}: {error}", path.display()))?,
        None => KeyRing::generate(),
    };
    let sessions = SessionLayer::builder(manager).keys(keys).cookie(cookies).build();
    let sessions = sessions.map_err(|error| error.to_string())?;
    Ok(Router::new()
        .route("/", get(page::show))
        .route("/sign-in", post(form::sign_in))
        .route("/sign-out", post(form::sign_out))
        .route("/devices/end", post(devices::submit_end))
        .route("/devices/end-others", post(devices::submit_end_others))
        .route("/values", post(form::set))
        .route("/values/remove", post(form::remove))
        .nest("/api", api::routes())
        .layer(sessions)
        .route("/health", get("ok")))
}

#[expect(
    clippy::print_stdout,
    reason = "the caller of the program reads the address from standard output"
)]
fn print_address(address: SocketAddr) {
    println!("Listening on http://{address} (Ctrl-C ends it)");
}

async fn shutdown_signal() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C does not shut the program down gracefully");
        std::future::pending::<()>().await;
    }
}
