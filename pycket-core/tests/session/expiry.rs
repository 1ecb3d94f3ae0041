use std::sync::Arc;
use std::time::Duration;

use pycket_core::{
    Changes, Clock, Creation, Error, ErrorKind, Expiry, IdChange, Loaded, MemoryStore, Outcome,
    Record, Renew, SessionId, SessionManager, SessionStore, Ttl, Update,
};
use pycket_testkit::{Fault, FaultyStore, ManualClock};

use crate::{open, stored};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn timed(expiry: Expiry) -> (ManualClock, SessionManager) {
    let clock = ManualClock::new();
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = MemoryStore::builder().clock(shared.clone()).build().unwrap();
    (clock, SessionManager::builder(store).expiry(expiry).clock(shared).build().unwrap())
}

/// With the timeouts of NIST SP 800-63B-4, section 5.2.
#[test]
fn level_equals_one_that_a_builder_makes() {
    let level = |idle, absolute| {
        let builder = Expiry::builder().idle_timeout(idle).absolute_timeout(absolute);
        builder.renew(Renew::OnAccess).build().unwrap()
    };
    assert_eq!(Expiry::aal1(), level(30 * DAY, 30 * DAY));
    assert_eq!(Expiry::aal2(), level(60 * MINUTE, DAY));
    assert_eq!(Expiry::aal3(), level(15 * MINUTE, DAY / 2));
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
async fn aborted_request_does_not_renew_a_session() {
    let (clock, manager) = timed(Expiry::builder().renew(Renew::OnAccess).build().unwrap());
    let reader = open(&manager, stored(&manager).await).await;
    clock.advance(DAY / 2);
    assert_eq!(reader.abort().await.unwrap(), Outcome::Unchanged);
    assert_eq!(reader.expires_in(), Some(DAY / 2));
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

fn with_idle_timeout(manager: &SessionManager, idle: Duration, renew: Renew) -> SessionManager {
    let expiry = Expiry::builder().idle_timeout(idle).renew(renew).build().unwrap();
    manager.to_builder().expiry(expiry).build().unwrap()
}

fn with_thirty_days() -> (ManualClock, SessionManager) {
    timed(Expiry::builder().idle_timeout(30 * DAY).build().unwrap())
}

#[tokio::test]
async fn shorter_idle_timeout_ends_sessions_that_were_not_renewed_for_longer() {
    for renew in [Renew::OnChange, Renew::OnAccess] {
        let (clock, before) = with_thirty_days();
        let id = stored(&before).await;
        clock.advance(20 * DAY);
        let after = with_idle_timeout(&before, 15 * MINUTE, renew);
        let session = open(&after, id).await;
        assert!(session.is_new());
        assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
        assert!(open(&after, id).await.is_new());
    }
}

#[tokio::test]
async fn shorter_idle_timeout_applies_to_other_sessions_with_one_touch() {
    for renew in [Renew::OnChange, Renew::OnAccess] {
        let (clock, before) = with_thirty_days();
        let id = stored(&before).await;
        clock.advance(10 * MINUTE);
        let after = with_idle_timeout(&before, 15 * MINUTE, renew);
        let session = open(&after, id).await;
        assert!(session.needs_commit());
        assert_eq!(session.commit().await.unwrap(), Outcome::Touched);
        assert_eq!(session.expires_in(), Some(15 * MINUTE));
        assert_eq!(open(&after, id).await.commit().await.unwrap(), Outcome::Unchanged);
        clock.advance(15 * MINUTE);
        assert!(open(&before, id).await.is_new());
    }
}

#[tokio::test]
async fn shorter_idle_timeout_applies_to_a_request_that_is_running() {
    let (clock, before) = with_thirty_days();
    let id = stored(&before).await;
    let after = with_idle_timeout(&before, 15 * MINUTE, Renew::OnChange);
    let session = open(&after, id).await;
    assert_eq!(session.update("n", |n: Option<u8>| n.unwrap_or(0) + 1).await.unwrap(), 1);
    assert_eq!(open(&after, id).await.commit().await.unwrap(), Outcome::Unchanged);
    clock.advance(15 * MINUTE);
    assert!(open(&before, id).await.is_new());
}

#[tokio::test]
async fn longer_idle_timeout_applies_from_the_next_change() {
    let (clock, before) = timed(Expiry::default());
    let id = stored(&before).await;
    let after = with_idle_timeout(&before, 30 * DAY, Renew::OnChange);
    let session = open(&after, id).await;
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    session.set("age", &30).unwrap();
    session.commit().await.unwrap();
    clock.advance(29 * DAY);
    assert!(!open(&after, id).await.is_new());
}

#[tokio::test]
async fn own_idle_timeout_is_independent_of_the_applications() {
    let (clock, before) = timed(Expiry::default());
    let session = open(&before, stored(&before).await).await;
    session.set_idle_timeout(30 * DAY).unwrap();
    session.commit().await.unwrap();
    clock.advance(20 * DAY);
    let after = with_idle_timeout(&before, 15 * MINUTE, Renew::OnChange);
    let later = open(&after, session.id().unwrap()).await;
    assert_eq!(later.commit().await.unwrap(), Outcome::Unchanged);
    assert_eq!(later.expires_in(), Some(10 * DAY));
}

#[tokio::test]
async fn same_idle_timeout_again_is_no_change_and_survives_a_restart() {
    let (_, manager) = timed(Expiry::default());
    let session = open(&manager, stored(&manager).await).await;
    session.set_idle_timeout(30 * DAY).unwrap();
    session.commit().await.unwrap();
    session.set_idle_timeout(30 * DAY).unwrap();
    assert!(!session.is_changed());
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
    session.restart_timeouts();
    session.commit().await.unwrap();
    assert_eq!(session.expires_in(), Some(30 * DAY));
    // A later sign-in that does not set it gets the timeout of the application.
    session.restart_timeouts();
    session.commit().await.unwrap();
    assert_eq!(session.expires_in(), Some(DAY));
}

#[tokio::test]
async fn restart_timeouts_forgets_an_idle_timeout_that_an_update_has_stored() {
    let (_, manager) = timed(Expiry::default());
    let session = manager.open(None).await.unwrap();
    session.set_idle_timeout(30 * DAY).unwrap();
    session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
    assert_eq!(session.expires_in(), Some(30 * DAY));
    session.restart_timeouts();
    session.commit().await.unwrap();
    assert_eq!(session.expires_in(), Some(DAY));
}

#[tokio::test]
async fn time_of_the_last_renewal_is_known_also_near_the_absolute_timeout() {
    let (clock, manager) = timed(Expiry::aal1());
    let id = stored(&manager).await;
    let began = clock.now();
    clock.advance(29 * DAY);
    let writer = open(&manager, id).await;
    assert_eq!(writer.last_renewed(), Some(began));
    writer.set("age", &30).unwrap();
    writer.commit().await.unwrap();
    let renewed = clock.now();
    clock.advance(10 * MINUTE);
    assert_eq!(open(&manager, id).await.last_renewed(), Some(renewed));
    // So a shorter idle timeout ends only sessions that are not in use.
    let after = with_idle_timeout(&manager, 15 * MINUTE, Renew::OnAccess);
    assert_eq!(open(&after, id).await.commit().await.unwrap(), Outcome::Touched);
}

#[tokio::test]
async fn own_idle_timeout_is_kept_by_a_request_that_runs_at_the_same_time() {
    let (clock, manager) = timed(Expiry::aal1());
    let id = stored(&manager).await;
    clock.advance(DAY);
    let (writer, updater) = (open(&manager, id).await, open(&manager, id).await);
    let other = open(&manager, id).await;
    other.set_idle_timeout(DAY).unwrap();
    other.commit().await.unwrap();
    writer.set("age", &30).unwrap();
    writer.commit().await.unwrap();
    updater.update("n", |n: Option<u8>| n.unwrap_or(0) + 1).await.unwrap();
    let later = open(&manager, id).await;
    later.set("age", &31).unwrap();
    later.commit().await.unwrap();
    assert_eq!(later.expires_in(), Some(DAY));
}

/// A store that knows the remaining time in whole seconds, rounded down.
#[derive(Debug)]
struct WholeSeconds(MemoryStore);

#[async_trait::async_trait]
impl SessionStore for WholeSeconds {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.0.create(id, record, ttl).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let rounded = |found: Loaded| {
            Loaded::new(found.record, Duration::from_secs(found.expires_in.as_secs()))
        };
        Ok(self.0.load(id).await?.map(rounded))
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
async fn remaining_time_in_whole_seconds_neither_touches_nor_ends_a_session() {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let manager = SessionManager::builder(WholeSeconds(store)).clock(clock.clone());
    let manager = manager.build().unwrap();
    let id = stored(&manager).await;
    clock.advance(Duration::from_millis(1));
    assert_eq!(open(&manager, id).await.commit().await.unwrap(), Outcome::Unchanged);
    clock.advance(DAY - Duration::from_millis(2));
    let last = open(&manager, id).await;
    assert_eq!(last.expires_in(), Some(Duration::ZERO));
    assert!(!last.is_new());
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
