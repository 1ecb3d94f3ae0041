use std::sync::Arc;

use async_trait::async_trait;
use pycket_core::{KeySpace, SessionManager, SessionStore};
use pycket_testkit::{Harness, Time, block_on, cases};

use crate::file::File;

/// A namespace is a dataset; all of them are in one file.
struct OneFile(File);

#[async_trait]
impl Harness for OneFile {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        Arc::new(self.0.builder().dataset(namespace).build().unwrap())
    }

    fn time(&self) -> Time {
        Time::Real
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        None
    }
}

#[test]
fn datasets_of_one_file_share_no_records() {
    block_on(cases::isolation::namespaces_share_no_records(&OneFile(File::new())));
}

#[test]
fn sessions_and_notifications_share_a_file() {
    let file = File::new();
    let notifications = file.builder().dataset(KeySpace::NOTIFICATIONS).build().unwrap();
    let manager =
        SessionManager::builder(file.store()).notifications(notifications).build().unwrap();
    block_on(async {
        let session = manager.open(None).await.unwrap();
        session.set("user", "ann").unwrap();
        session.notifications().set("message", "Welcome.").unwrap();
        session.commit().await.unwrap();

        let session = manager.open(session.id()).await.unwrap();
        assert_eq!(session.require::<String>("user").unwrap(), "ann");
        let message = session.notifications().get::<String>("message").await.unwrap();
        assert_eq!(message.as_deref(), Some("Welcome."));
        let again = session.notifications().get::<String>("message").await.unwrap();
        assert_eq!(again, None);
    });
}
