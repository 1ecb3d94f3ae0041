use std::sync::Arc;

use pycket_core::{Changes, Creation, Error, Loaded, Record, SessionId, SessionStore, Ttl, Update};
use tokio::task::yield_now;

/// A store that pauses once before each call, so that other requests get their turn, as they do over a network.
///
/// Over a `MemoryStore` alone each request runs to its end before the next one begins. So a handler that reads a
/// value and sets another one passes its tests, and loses changes in production. Over this store two requests that
/// run in one `join!` take turns at every store call: both read before one of them writes. So the test fails, and it
/// fails each time.
///
/// ```
/// use std::sync::Arc;
///
/// use pycket_core::{Error, MemoryStore, Session, SessionId, SessionManager};
/// use pycket_testkit::PausingStore;
///
/// async fn racy(session: Session, item: &'static str) -> Result<(), Error> {
///     let mut cart: Vec<String> = session.get_or("cart", Vec::new())?;
///     cart.push(item.to_owned());
///     session.set("cart", &cart)
/// }
///
/// async fn safe(session: Session, item: &'static str) -> Result<(), Error> {
///     let add = |cart: Option<Vec<String>>| {
///         let mut cart = cart.unwrap_or_default();
///         cart.push(item.to_owned());
///         cart
///     };
///     session.update("cart", add).await.map(drop)
/// }
///
/// /// Two requests of one client at the same time. Returns the number of items in the cart then.
/// async fn items_after_two(
///     handler: impl AsyncFn(Session, &'static str) -> Result<(), Error>,
/// ) -> Result<usize, Error> {
///     let store = PausingStore::new(Arc::new(MemoryStore::new()));
///     let manager = SessionManager::new(store);
///     let first = manager.open(None).await?;
///     first.set("user", "ann")?;
///     first.commit().await?;
///
///     let request = async |item| {
///         let session = manager.open(first.id()).await?;
///         handler(session.clone(), item).await?;
///         session.commit().await
///     };
///     let (one, other) = tokio::join!(request("apple"), request("pear"));
///     one.and(other)?;
///     let cart = manager.open(first.id()).await?.require::<Vec<String>>("cart")?;
///     Ok(cart.len())
/// }
///
/// # pycket_testkit::block_on(async {
/// assert_eq!(items_after_two(racy).await?, 1); // One item is lost.
/// assert_eq!(items_after_two(safe).await?, 2);
/// # Ok::<(), Error>(())
/// # })?;
/// # Ok::<(), Error>(())
/// ```
///
/// The requests of the test must begin with the session. If they wait for something else before, for example for a
/// database, one may be late, and the test may pass by chance. [`every_order`](crate::every_order) tries every order
/// of the store calls, for requests that wait for nothing else.
#[derive(Debug)]
pub struct PausingStore {
    inner: Arc<dyn SessionStore>,
}

impl PausingStore {
    /// Pauses before each call of `inner`.
    pub fn new(inner: Arc<dyn SessionStore>) -> Self {
        Self { inner }
    }

    async fn around<T>(&self, _method: &str, call: impl Future<Output = T>) -> T {
        yield_now().await;
        call.await
    }
}

super::impl_session_store!(PausingStore);
