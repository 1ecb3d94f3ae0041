use std::collections::HashSet;

use pycket_core::{Event, SessionId, SessionManager};

use crate::{manager, open, stored};

const VERSION_AND_VARIANT: u128 = 0x0000_0000_0000_f000_c000_0000_0000_0000;

fn bits(id: &SessionId) -> u128 {
    u128::from_str_radix(&id.expose().replace('-', ""), 16).unwrap()
}

/// By chance a bit is the same in all ids in one of 2^4000 runs.
#[test]
fn id_is_a_uuid_v4_with_122_random_bits() {
    let ids: Vec<u128> = (0..4096).map(|_| bits(&SessionId::generate())).collect();
    let ones = ids.iter().fold(0, |seen, id| seen | id);
    let zeros = ids.iter().fold(0, |seen, id| seen | !id);
    assert_eq!(ones & zeros, !VERSION_AND_VARIANT);
    assert_eq!((ones & zeros).count_ones(), 122);
    let fixed = 0x0000_0000_0000_4000_8000_0000_0000_0000;
    assert!(ids.iter().all(|id| id & VERSION_AND_VARIANT == fixed));
}

#[test]
fn one_million_ids_are_distinct() {
    const MILLION: usize = 1_000_000;
    let ids: HashSet<SessionId> = (0..MILLION).map(|_| SessionId::generate()).collect();
    assert_eq!(ids.len(), MILLION);
}

/// The sessions have the same user, the same values and the same time.
#[tokio::test]
async fn equal_sessions_have_unrelated_ids() {
    let manager = manager();
    let (one, two) = (stored(&manager).await, stored(&manager).await);
    let common = !(bits(&one) ^ bits(&two)) & !VERSION_AND_VARIANT;
    // About half of the 122 bits should agree. By chance 20 or fewer agree or differ in one of 10^13 runs.
    assert!((21..=101).contains(&common.count_ones()), "{common:#x}");
}

#[tokio::test]
async fn unknown_id_opens_an_empty_session() {
    let session = open(&manager(), SessionId::generate()).await;
    assert!(session.is_new() && session.is_empty() && session.keys().is_empty());
    assert_eq!(session.get::<String>("user").unwrap(), None);
}

/// A background job has no request and creates its own manager.
#[tokio::test]
async fn second_manager_on_the_store_reads_and_writes_its_sessions() {
    let store = std::sync::Arc::new(pycket_core::MemoryStore::new());
    let site = SessionManager::new(store.clone());
    let id = stored(&site).await;

    let job = SessionManager::new(store);
    let session = open(&job, id).await;
    assert_eq!(session.require::<String>("user").unwrap(), "ann");
    session.set("points", &7).unwrap();
    session.commit().await.unwrap();
    assert_eq!(open(&site, id).await.require::<u32>("points").unwrap(), 7);
}

#[tokio::test]
async fn unknown_id_emits_session_not_found_and_no_id_emits_nothing() {
    let (manager, events) = crate::events::observed(manager());
    manager.open(None).await.unwrap();
    assert!(events.take().is_empty());
    open(&manager, SessionId::generate()).await;
    assert_eq!(events.take(), [Event::SessionNotFound]);
}
