use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use pycket_core::{
    Error, ErrorKind, IdChange, MemoryStore, Outcome, Session, SessionId, SessionManager, Values,
};
use pycket_testkit::{Fault, FaultyStore, ManualClock};

use crate::{manager, open, over, stored};

/// The error of an application.
#[derive(Debug, PartialEq)]
enum AppError {
    SoldOut,
    Session(ErrorKind),
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Session(error.kind())
    }
}

fn increment(n: Option<u32>) -> u32 {
    n.unwrap_or(0) + 1
}

/// Removes one from the stock, and the name with the last one.
fn sell(stock: Option<u32>) -> Result<Option<u32>, AppError> {
    let stock = stock.ok_or(AppError::SoldOut)?;
    Ok((stock > 1).then(|| stock - 1))
}

/// Moves one from `from` to `to`.
fn move_one(values: &mut Values) -> Result<(), AppError> {
    let from: u32 = values.get("from")?.ok_or(AppError::SoldOut)?;
    let to: u32 = values.get("to")?.unwrap_or(0);
    values.set("from", &(from - 1))?;
    values.set("to", &(to + 1))?;
    Ok(())
}

async fn with<const N: usize>(manager: &SessionManager, values: [(&str, u32); N]) -> SessionId {
    let session = manager.open(None).await.unwrap();
    for (name, value) in values {
        session.set(name, &value).unwrap();
    }
    session.commit().await.unwrap();
    session.id().unwrap()
}

/// Runs `work` in 64 requests of one session at the same time.
async fn in_64_requests<F, T>(
    manager: &SessionManager,
    id: SessionId,
    work: impl Fn(Session) -> F + Copy + Send + Sync + 'static,
) -> Vec<T>
where
    F: Future<Output = T> + Send,
    T: Send + 'static,
{
    let request = |_| {
        let manager = manager.clone();
        tokio::spawn(async move { work(open(&manager, id).await).await })
    };
    let mut results = Vec::new();
    for task in (0..64).map(request).collect::<Vec<_>>() {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_concurrent_increments_count_sixty_four() {
    let manager = manager();
    let id = stored(&manager).await;
    in_64_requests(&manager, id, |session| async move {
        session.update("n", increment).await.unwrap();
    })
    .await;
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_increments_of_one_request_count_sixty_four() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.update("n", increment).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(open(&manager, session.id().unwrap()).await.require::<u32>("n").unwrap(), 64);
}

#[tokio::test]
async fn update_is_stored_before_it_returns() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    assert_eq!(session.update("n", increment).await.unwrap(), 1);
    assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), 1);
    assert!(!session.is_changed());
    assert_eq!(session.id_change(), IdChange::Renewed(id));
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn update_starts_from_the_uncommitted_value() {
    let manager = manager();
    let session = open(&manager, stored(&manager).await).await;
    session.set("n", &10).unwrap();
    assert_eq!(session.update("n", increment).await.unwrap(), 11);
    assert!(!session.is_changed());
    assert_eq!(open(&manager, session.id().unwrap()).await.require::<u32>("n").unwrap(), 11);
}

#[tokio::test]
async fn update_of_a_deleted_name_survives_the_commit() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.delete(["user"]);
    assert_eq!(session.update("user", increment).await.unwrap(), 1);
    assert_eq!(session.require::<u32>("user").unwrap(), 1);
    session.commit().await.unwrap();
    assert_eq!(open(&manager, id).await.require::<u32>("user").unwrap(), 1);
}

#[tokio::test]
async fn update_commits_earlier_changes_first() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    session.set("draft", &1).unwrap();
    session.update("n", increment).await.unwrap();
    assert_eq!(open(&manager, id).await.keys(), ["draft", "n", "user"]);
    assert_eq!(session.commit().await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn update_after_cycle_id_is_stored_under_the_new_id() {
    let manager = manager();
    let old = stored(&manager).await;
    let session = open(&manager, old).await;
    session.cycle_id();
    session.update("n", increment).await.unwrap();
    assert_ne!(session.id().unwrap(), old);
    assert!(open(&manager, old).await.is_new());
    assert_eq!(open(&manager, session.id().unwrap()).await.keys(), ["n", "user"]);
}

#[tokio::test]
async fn update_of_an_ended_session_fails_and_stores_nothing() {
    let manager = manager();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();
    assert_eq!(late.update("n", increment).await.unwrap_err().kind(), ErrorKind::Ended);
    assert!(open(&manager, id).await.is_new());
    assert_eq!(late.id_change(), IdChange::Unchanged);
}

#[tokio::test]
async fn update_of_a_value_of_another_type_fails_and_changes_nothing() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    assert_eq!(session.update("user", increment).await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(open(&manager, id).await.require::<String>("user").unwrap(), "ann");
}

#[tokio::test]
async fn failed_first_update_leaves_the_session_unchanged() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let session = over(store.clone()).open(None).await.unwrap();
    store.fail_nth(0, Fault::Before);
    let error = session.update("n", increment).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(!session.contains("n") && !session.is_changed());
}

#[tokio::test]
async fn update_that_changes_no_value_writes_nothing_and_does_not_renew() {
    let clock = ManualClock::new();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let manager = SessionManager::builder(store).clock(clock.clone()).build().unwrap();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    clock.advance(Duration::from_secs(3600));
    session.update("user", |user: Option<String>| user.unwrap()).await.unwrap();
    assert_eq!(session.take::<u32>("nothing").await.unwrap(), None);
    session.commit().await.unwrap();
    let left = Duration::from_secs(23 * 3600);
    assert_eq!(open(&manager, id).await.expires_in(), Some(left));
    assert_eq!(session.id_change(), IdChange::Unchanged);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_concurrent_buyers_as_many_succeed_as_there_are_items() {
    let manager = manager();
    let id = with(&manager, [("stock", 5), ("other", 0)]).await;
    let results =
        in_64_requests(
            &manager,
            id,
            |session| async move { session.try_update("stock", sell).await },
        )
        .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
    assert!(results.iter().all(|result| !matches!(result, Err(AppError::Session(_)))));
    assert_eq!(open(&manager, id).await.keys(), ["other"]);
}

#[tokio::test]
async fn try_update_that_fails_stores_nothing_and_returns_its_error() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    assert_eq!(session.try_update("stock", sell).await, Err(AppError::SoldOut));
    assert_eq!(open(&manager, id).await.keys(), ["user"]);
    assert!(!session.is_changed());
}

#[tokio::test]
async fn try_update_does_not_fail_because_of_a_value_that_has_changed() {
    let manager = manager();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    open(&manager, id).await.update("stock", |_| 7).await.unwrap();
    assert_eq!(late.try_update("stock", sell).await, Ok(Some(6)));
}

#[tokio::test]
async fn try_update_of_an_ended_session_fails_with_ended() {
    let manager = manager();
    let id = stored(&manager).await;
    let late = open(&manager, id).await;
    let logout = open(&manager, id).await;
    logout.destroy();
    logout.commit().await.unwrap();
    let ended = AppError::Session(ErrorKind::Ended);
    assert_eq!(late.try_update("stock", sell).await, Err(ended));
}

#[tokio::test]
async fn try_update_that_fails_in_a_new_session_creates_none() {
    let store = Arc::new(MemoryStore::new());
    let session = over(store.clone()).open(None).await.unwrap();
    assert_eq!(session.try_update("stock", sell).await, Err(AppError::SoldOut));
    assert_eq!(session.take::<u32>("stock").await.unwrap(), None);
    assert!(session.is_new() && store.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn update_all_by_64_requests_loses_none_and_doubles_none() {
    let manager = manager();
    let id = with(&manager, [("from", 100)]).await;
    in_64_requests(&manager, id, |session| async move {
        session.update_all(move_one).await.unwrap();
    })
    .await;
    let session = open(&manager, id).await;
    assert_eq!(["from", "to"].map(|name| session.require::<u32>(name).unwrap()), [36, 64]);
}

#[tokio::test]
async fn first_update_counts_from_what_another_task_sets_meanwhile() {
    let session = manager().open(None).await.unwrap();
    let other_task = session.clone();
    let add = |n: Option<u32>| {
        if n.is_none() {
            other_task.set("n", &5).unwrap();
        }
        increment(n)
    };
    assert_eq!(session.update("n", add).await.unwrap(), 6);
    assert_eq!(session.require::<u32>("n").unwrap(), 6);
}

#[tokio::test]
async fn update_all_that_fails_after_a_change_stores_none_of_them() {
    let manager = manager();
    let id = with(&manager, [("from", 1)]).await;
    let session = open(&manager, id).await;
    let fails = |values: &mut Values| {
        values.delete("from");
        values.set("to", &1)?;
        assert_eq!((values.get::<u32>("from")?, values.get("to")?), (None, Some(1)));
        Err::<(), _>(AppError::SoldOut)
    };
    assert_eq!(session.update_all(fails).await, Err(AppError::SoldOut));
    assert_eq!(session.keys(), ["from"]);
    assert_eq!(open(&manager, id).await.keys(), ["from"]);
}

#[tokio::test]
async fn update_all_that_fails_after_a_change_creates_no_session() {
    let store = Arc::new(MemoryStore::new());
    let session = over(store.clone()).open(None).await.unwrap();
    let fails = |values: &mut Values| {
        values.set("to", &1)?;
        Err::<(), _>(AppError::SoldOut)
    };
    assert_eq!(session.update_all(fails).await, Err(AppError::SoldOut));
    assert!(session.is_empty() && !session.is_changed());
    assert!(store.is_empty());
}

#[tokio::test]
async fn update_all_starts_again_only_if_a_name_that_it_uses_has_changed() {
    for (changed, calls, result) in [("limit", 2, 9), ("n", 2, 5), ("other", 1, 5)] {
        let manager = manager();
        let id = with(&manager, [("limit", 5)]).await;
        let late = open(&manager, id).await;
        open(&manager, id).await.update(changed, |_: Option<u32>| 9).await.unwrap();
        let called = AtomicUsize::new(0);
        let fill = |values: &mut Values| {
            called.fetch_add(1, Relaxed);
            let limit: Option<u32> = values.get("limit")?;
            values.set("n", &limit)?;
            Ok::<_, Error>(limit)
        };
        assert_eq!(late.update_all(fill).await.unwrap(), Some(result), "{changed}");
        assert_eq!(called.into_inner(), calls, "{changed}");
        assert_eq!(open(&manager, id).await.require::<u32>("n").unwrap(), result, "{changed}");
    }
}

#[tokio::test]
async fn failed_first_update_all_leaves_the_session_unchanged() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let session = over(store.clone()).open(None).await.unwrap();
    store.fail_nth(0, Fault::Before);
    let fill = |values: &mut Values| {
        values.set("a", &1)?;
        values.set("b", &2)?;
        Ok::<_, Error>(())
    };
    assert!(session.update_all(fill).await.is_err());
    assert!(session.is_empty() && !session.is_changed());
    session.update_all(fill).await.unwrap();
    assert_eq!(session.keys(), ["a", "b"]);
}

#[tokio::test]
async fn values_hide_and_refuse_reserved_names() {
    let manager = manager();
    let session = open(&manager, stored(&manager).await).await;
    session.notifications().set("info", "unread").unwrap();
    session.commit().await.unwrap();
    let reserved = "\0pycket:t";
    session.set_idle_timeout(Duration::from_secs(60)).unwrap();
    let misuse = |values: &mut Values| {
        values.delete(reserved);
        assert_eq!(values.get::<u32>(reserved)?, None);
        values.set(reserved, &1)
    };
    let error = session.update_all(misuse).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    assert_eq!(session.take::<u32>(reserved).await.unwrap(), None);
    session.commit().await.unwrap();
    let later = open(&manager, session.id().unwrap()).await;
    assert!(later.expires_in().unwrap() <= Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_requests_that_take_a_value_one_gets_it() {
    let manager = manager();
    let id = stored(&manager).await;
    let taken = in_64_requests(&manager, id, |session| async move {
        session.take::<String>("user").await.unwrap()
    })
    .await;
    assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), ["ann"]);
    assert!(open(&manager, id).await.is_empty());
}

#[tokio::test]
async fn take_of_a_value_of_another_type_leaves_it() {
    let manager = manager();
    let id = stored(&manager).await;
    let session = open(&manager, id).await;
    assert_eq!(session.take::<u32>("user").await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(open(&manager, id).await.keys(), ["user"]);
}

#[tokio::test]
async fn update_of_a_session_begun_after_a_destroy_is_seen() {
    let manager = manager();
    let session = open(&manager, stored(&manager).await).await;
    session.destroy();
    session.set("theme", "dark").unwrap();
    session.commit().await.unwrap();
    assert_eq!(session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap(), 1);
    assert_eq!(session.require::<u32>("n").unwrap(), 1);
}
