//! How an application tests that its handlers lose no change of a concurrent request.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::sync::Arc;

use pycket_core::{Error, MemoryStore, Session, SessionId, SessionManager, SessionStore};
use pycket_testkit::{PausingStore, Task, every_order};

#[derive(Clone, Copy)]
enum Handler {
    /// Reads, and then sets: loses what another request sets in between.
    Racy,
    /// Uses `update`.
    Safe,
}

impl Handler {
    async fn add_to_cart(self, session: &Session, item: &str) -> Result<(), Error> {
        let add = |cart: Option<Vec<String>>| {
            let mut cart = cart.unwrap_or_default();
            cart.push(item.to_owned());
            cart
        };
        match self {
            Self::Racy => session.set("cart", &add(session.get("cart")?)),
            Self::Safe => session.update("cart", add).await.map(drop),
        }
    }
}

/// A client with a session.
struct Client {
    manager: SessionManager,
    id: SessionId,
}

impl Client {
    async fn of(store: Arc<dyn SessionStore>) -> Self {
        let manager = SessionManager::new(store);
        let session = manager.open(None).await.unwrap();
        session.set("user", "ann").unwrap();
        session.commit().await.unwrap();
        Self { manager, id: session.id().unwrap() }
    }

    fn request(&self, handler: Handler, item: &'static str) -> Task {
        let (manager, id) = (self.manager.clone(), self.id);
        Box::pin(async move {
            let session = manager.open(Some(id)).await.unwrap();
            handler.add_to_cart(&session, item).await.unwrap();
            session.commit().await.unwrap();
        })
    }

    async fn cart(&self) -> Vec<String> {
        let session = self.manager.open(Some(self.id)).await.unwrap();
        let mut cart: Vec<String> = session.require("cart").unwrap();
        cart.sort();
        cart
    }
}

async fn cart_after_two_requests(handler: Handler, store: Arc<dyn SessionStore>) -> Vec<String> {
    let client = Client::of(store).await;
    tokio::join!(client.request(handler, "apple"), client.request(handler, "pear"));
    client.cart().await
}

fn pausing() -> Arc<dyn SessionStore> {
    Arc::new(PausingStore::new(Arc::new(MemoryStore::new())))
}

#[tokio::test]
async fn racy_handler_passes_over_a_store_that_does_not_pause() {
    let store = Arc::new(MemoryStore::new());
    assert_eq!(cart_after_two_requests(Handler::Racy, store).await, ["apple", "pear"]);
}

#[tokio::test]
async fn racy_handler_loses_an_item_over_a_pausing_store() {
    assert_eq!(cart_after_two_requests(Handler::Racy, pausing()).await.len(), 1);
}

#[tokio::test]
async fn handler_with_update_keeps_all_items_over_a_pausing_store() {
    assert_eq!(cart_after_two_requests(Handler::Safe, pausing()).await, ["apple", "pear"]);
}

#[test]
#[should_panic(expected = "in this order of the tasks: [0, 1, 0, 1]")]
fn racy_handler_loses_an_item_when_both_read_before_one_writes() {
    keeps_all_items_in_every_order(Handler::Racy);
}

#[test]
fn handler_with_update_keeps_all_items_in_every_order() {
    keeps_all_items_in_every_order(Handler::Safe);
}

fn keeps_all_items_in_every_order(handler: Handler) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    every_order(
        || runtime.block_on(Client::of(pausing())),
        |client| vec![client.request(handler, "apple"), client.request(handler, "pear")],
        |client| assert_eq!(runtime.block_on(client.cart()), ["apple", "pear"]),
    );
}
