#![expect(clippy::print_stdout, reason = "the parent process reads the address")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Result;
use axum::Router;
use axum::serve::ListenerExt;

/// Serves on one runtime with this number of worker threads, as `#[tokio::main]` does.
pub(super) fn axum(workers: usize, router: impl Future<Output = Result<Router>>) -> Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(workers).enable_all().build()?;
    runtime.block_on(async {
        let router = router.await?;
        let listener = announce()?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let listener = listener.tap_io(|stream| {
            // Otherwise responses wait for acknowledgements. If it fails, the server is only slower.
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, router).await }).await??;
        Ok(())
    })
}

/// Listens on a free port and prints the address. The process ends when its standard input ends, and so
/// with the program that started it.
pub(super) fn announce() -> Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    Ok(listener)
}
