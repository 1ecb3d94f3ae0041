use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use pycket_core::SessionStore;

/// What [`faults!`](crate::faults!) needs to know about the driver of a network store: the address of its
/// server, and how to open a store at another address.
#[async_trait]
pub trait NetworkHarness: Send + Sync {
    /// The address of the server. Many tests use it at the same time; none of them stops it.
    fn server(&self) -> SocketAddr;

    /// A new handle on `namespace` (up to 64 ASCII letters, digits and `-`) of the server behind `address`:
    /// the server's own address or that of a [`FaultProxy`](super::FaultProxy).
    ///
    /// Give it timeouts of 10 to 30 s, so that no answer of a busy machine comes too late. The tests do not
    /// wait for them: where no answer comes, tokio's clock is paused and runs ahead.
    async fn open_at(&self, address: SocketAddr, namespace: &str) -> Arc<dyn SessionStore>;
}
