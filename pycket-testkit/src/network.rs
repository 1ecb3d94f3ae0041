use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use pycket_core::SessionStore;

/// What [`faults!`](crate::faults!) must know of a driver of a network store: where its server is, and how
/// to open a store by another address.
#[async_trait]
pub trait NetworkHarness: Send + Sync {
    /// The server's own address. Many tests use it at the same time; none stops it.
    fn server(&self) -> SocketAddr;

    /// A handle of its own on `namespace` (up to 64 ASCII letters, digits and `-`) of the server that is
    /// reached by `address`: its own or that of a [`FaultProxy`](crate::FaultProxy) in front of it.
    ///
    /// Give it timeouts of 10 to 30 s: no answer of a busy machine is too late then. Nobody waits for
    /// them: where an answer does not come tokio's clock is paused, and runs ahead.
    async fn open_at(&self, address: SocketAddr, namespace: &str) -> Arc<dyn SessionStore>;
}
