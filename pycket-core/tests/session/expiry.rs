use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Changes, Clock, Creation, Error, ErrorKind, Expiry, IdChange, Loaded, MemoryStore, Outcome,
    Record, Renew, SessionId, SessionManager, SessionStore, Ttl, Update,
};
use pycket_testkit::{Fault, FaultyStore, ManualClock};

use crate::{open, stored};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

fn timed(expiry: Expiry) -> (ManualClock, SessionManager) {
    let clock = ManualClock::new();
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = MemoryStore::builder().clock(shared.clone()).build().unwrap();
    (clock, SessionManager::builder(store).expiry(expiry).clock(shared).build().unwrap())
}

#[tokio::test]
async fn default_expiry_is_one_day_after_the_last_change() {
    let (clock, manager) = timed(Expiry::default());
    let id = stored(&manager).await;
    clock.advance(DAY - SECOND);
    let reader = open(&manager, id).await;
    assert_eq!(reader.expires_in(), Some(SECOND));
    assert_eq!(reader.commit().await.unwrap(), Outcome::Unchanged);
    clock.advance(SECOND);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn change_restarts_the_idle_timeout() {
    let (clock, manager) = timed(Expiry::default());
    let id = stored(&manager).await;
    clock.advance(DAY - SECOND);
    let writer = open(&manager, id).await;
    writer.set("age", &30).unwrap();
    writer.commit().await.unwrap();
    assert_eq!(writer.expires_in(), Some(DAY));
    clock.advance(DAY - SECOND);
    assert!(!open(&manager, id).await.is_new());
}

#[tokio::test]
async fn delete_of_missing_names_writes_and_renews_nothing() {
    let (clock, manager) = timed(Expiry::default());
    let id = stored(&manager).await;
    clock.advance(DAY - SECOND);
    let session = open(&manager, id).await;
    assert_eq!(session.delete(["nothing"]), [""; 0]);
    assert_eq!(session.delete([""; 0]), [""; 0]);
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(open(&manager, id).await.expires_in(), Some(SECOND));
}

#[tokio::test]
async fn restart_timeouts_rotates_and_restarts_both_timeouts() {
    let (clock, manager) = timed(Expiry::aal3());
    let before = stored(&manager).await;
    let session = open(&manager, before).await;
    let whole = (session.expires_in(), session.absolute_expires_in());
    clock.advance(Duration::from_secs(14 * 60));
    session.restart_timeouts();
    session.commit().await.unwrap();
    assert_eq!((session.expires_in(), session.absolute_expires_in()), whole);
    assert!(open(&manager, before).await.is_new());
    let after = open(&manager, session.id().unwrap()).await;
    assert_eq!((after.expires_in(), after.absolute_expires_in()), whole);
}

#[tokio::test]
async fn renew_on_access_keeps_a_read_session_live() {
    let (clock, manager) = timed(Expiry::builder().renew(Renew::OnAccess).build().unwrap());
    let id = stored(&manager).await;
    for _ in 0..5 {
        clock.advance(DAY - SECOND);
        let reader = open(&manager, id).await;
        assert_eq!(reader.commit().await.unwrap(), Outcome::Touched);
        assert_eq!(reader.id_change(), IdChange::Renewed(id));
    }
    clock.advance(DAY);
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn nothing_extends_the_absolute_timeout() {
    let expiry =
        Expiry::builder().absolute_timeout(2 * DAY).renew(Renew::OnAccess).build().unwrap();
    let (clock, manager) = timed(expiry);
    let mut id = stored(&manager).await;
    for hour in 0..48 {
        let session = open(&manager, id).await;
        assert!(!session.is_new(), "the session ended after {hour} hours");
        match hour % 3 {
            0 => session.set("hour", &hour).unwrap(),
            1 => session.cycle_id(),
            _ => session.set_idle_timeout(30 * DAY).unwrap(),
        }
        session.commit().await.unwrap();
        id = session.id().unwrap();
        assert!(session.expires_in().unwrap() <= session.absolute_expires_in().unwrap());
        clock.advance(Duration::from_secs(3600));
    }
    assert!(open(&manager, id).await.is_new());
}

#[tokio::test]
async fn request_past_the_absolute_timeout_stores_nothing() {
    let (clock, manager) = timed(Expiry::builder().absolute_timeout(DAY).build().unwrap());
    let id = stored(&manager).await;
    let slow = open(&manager, id).await;
    slow.set("age", &30).unwrap();
    clock.advance(DAY);
    assert_eq!(slow.commit().await.unwrap(), Outcome::Ended);
    let error = slow.update("n", |n: Option<u8>| n.unwrap_or(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ended);
}

#[tokio::test]
async fn shortened_absolute_timeout_applies_to_stored_sessions() {
    let (clock, manager) = timed(Expiry::default());
    let id = stored(&manager).await;
    clock.advance(Duration::from_secs(7200));
    let stricter = manager
        .to_builder()
        .expiry(Expiry::builder().absolute_timeout(Duration::from_secs(3600)).build().unwrap())
        .build()
        .unwrap();
    assert!(open(&stricter, id).await.is_new());
}

#[tokio::test]
async fn own_idle_timeout_survives_later_writes_and_rotations() {
    let (clock, manager) = timed(Expiry::default());
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set_idle_timeout(30 * DAY).unwrap();
    assert_eq!(session.commit().await.unwrap(), Outcome::Updated);
    clock.advance(20 * DAY);
    let writer = open(&manager, id).await;
    writer.set("age", &30).unwrap();
    writer.commit().await.unwrap();
    writer.cycle_id();
    writer.commit().await.unwrap();
    assert_eq!(writer.expires_in(), Some(30 * DAY));
}

#[tokio::test]
async fn timeouts_out_of_range_are_errors() {
    let (_, manager) = timed(Expiry::default());
    let session = manager.open(None).await.unwrap();
    for idle in [Duration::ZERO, Duration::MAX] {
        assert_eq!(session.set_idle_timeout(idle).unwrap_err().kind(), ErrorKind::InvalidSetting);
        assert!(Expiry::builder().idle_timeout(idle).build().is_err());
        assert!(Expiry::builder().absolute_timeout(idle).build().is_err());
    }
}

#[tokio::test]
async fn failed_renewal_is_no_error_for_a_reading_request() {
    let clock = ManualClock::new();
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let manager = SessionManager::builder(store.clone())
        .expiry(Expiry::builder().renew(Renew::OnAccess).build().unwrap())
        .clock(shared)
        .build()
        .unwrap();
    let id = stored(&manager).await;
    let reader = open(&manager, id).await;
    clock.advance(DAY / 2);
    store.fail_nth(0, Fault::Before);
    assert_eq!(reader.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(reader.commit().await.unwrap(), Outcome::Touched);
}

#[tokio::test]
async fn assurance_levels_have_the_timeouts_of_nist() {
    const HOUR: Duration = Duration::from_secs(3600);
    for (expiry, idle, absolute) in [
        (Expiry::aal1(), 30 * DAY, 30 * DAY),
        (Expiry::aal2(), HOUR, 24 * HOUR),
        (Expiry::aal3(), HOUR / 4, 12 * HOUR),
    ] {
        let (clock, manager) = timed(expiry);
        let session = open(&manager, stored(&manager).await).await;
        assert_eq!(session.expires_in(), Some(idle));
        assert_eq!(session.absolute_expires_in(), Some(absolute));
        let id = session.id().unwrap();
        clock.advance(idle);
        assert!(open(&manager, id).await.is_new());
    }
}

#[test]
fn expiry_is_read_from_a_settings_file() {
    let read = |text| toml::from_str::<Expiry>(text).map_err(|error| error.message().to_owned());
    assert_eq!(read("").unwrap(), Expiry::default());
    let expected = Expiry::builder()
        .idle_timeout(Duration::from_secs(900))
        .absolute_timeout(Duration::from_secs(43_200))
        .renew(Renew::OnAccess)
        .build()
        .unwrap();
    assert_eq!(read("idle = 900\nabsolute = 43200\nrenew = \"access\"").unwrap(), expected);
    assert!(read("idle = 0").unwrap_err().contains("at most ten years"));
    assert!(read("idel = 1").unwrap_err().contains("unknown field `idel`, expected one of"));
    assert!(read("renew = \"never\"").unwrap_err().contains("expected `change` or `access`"));
}

/// A store whose records never expire, like an engine without ttls.
#[derive(Debug)]
struct WithoutExpiry(MemoryStore);

#[async_trait::async_trait]
impl SessionStore for WithoutExpiry {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.0.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let loaded = self.0.load(id).await?;
        Ok(loaded.map(|loaded| Loaded::new(loaded.record, Duration::MAX)))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.0.update(id, changes, ttl).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.0.delete(id).await
    }
}

#[tokio::test]
async fn record_without_expiry_in_the_store_is_an_ordinary_session() {
    let manager = SessionManager::new(Arc::new(WithoutExpiry(MemoryStore::new())));
    let session = open(&manager, stored(&manager).await).await;
    assert!(session.expires_in().unwrap() > DAY);
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
}
