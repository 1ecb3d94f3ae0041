#![expect(clippy::print_stdout, reason = "whoever starts a server reads its address")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::Result;
use axum::Router;
use axum::serve::ListenerExt;

/// Serves with one worker thread, as every server here does: its processor time is then that of its
/// requests, and not of threads that hand them around.
pub(super) fn axum(router: impl Future<Output = Result<Router>>) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let router = router.await?;
        let listener = announce()?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let listener = listener.tap_io(|stream| {
            // Without it the answers wait for acknowledgements; a server where it fails is merely slow.
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, router).await }).await??;
        Ok(())
    })
}

/// Listens on a free port and says which. The process ends when its standard input does, so that no
/// server outlives the program that started it.
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
