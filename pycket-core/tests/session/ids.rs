use std::collections::HashSet;

use pycket_core::{Event, SessionId, SessionManager};

use crate::{manager, open, stored};

const VERSION_AND_VARIANT: u128 = 0x0000_0000_0000_f000_c000_0000_0000_0000;

fn bits(id: &SessionId) -> u128 {
    u128::from_str_radix(&id.expose().replace('-', ""), 16).unwrap()
}

/// That a bit is the same in all of them happens by chance in one of 2^4000 runs.
#[test]
fn an_id_is_a_uuid_of_version_4_all_of_whose_other_122_bits_vary() {
    let ids: Vec<u128> = (0..4096).map(|_| bits(&SessionId::generate())).collect();
    let ones = ids.iter().fold(0, |seen, id| seen | id);
    let zeros = ids.iter().fold(0, |seen, id| seen | !id);
    assert_eq!(ones & zeros, !VERSION_AND_VARIANT);
    assert_eq!((ones & zeros).count_ones(), 122);
    let fixed = 0x0000_0000_0000_4000_8000_0000_0000_0000;
    assert!(ids.iter().all(|id| id & VERSION_AND_VARIANT == fixed));
}

#[test]
fn a_million_ids_are_distinct() {
    const MILLION: usize = 1_000_000;
    let ids: HashSet<SessionId> = (0..MILLION).map(|_| SessionId::generate()).collect();
    assert_eq!(ids.len(), MILLION);
}

/// The same user, the same data, the same moment.
#[tokio::test]
async fn equal_sessions_have_ids_with_nothing_in_common() {
    let manager = manager();
    let (one, two) = (stored(&manager).await, stored(&manager).await);
    let common = !(bits(&one) ^ bits(&two)) & !VERSION_AND_VARIANT;
    // Half of 122 is expected; 20 or fewer on either side happens once in 10^13 runs.
    assert!((21..=101).contains(&common.count_ones()), "{common:#x}");
}

#[tokio::test]
async fn a_missing_record_is_an_empty_session() {
    let session = open(&manager(), SessionId::generate()).await;
    assert!(session.is_new() && session.is_empty() && session.keys().is_empty());
    assert_eq!(session.get::<String>("user").unwrap(), None);
}

/// A job or a shell has no request, and makes a manager of its own.
#[tokio::test]
async fn a_manager_made_ad_hoc_reads_and_writes_what_a_request_stored() {
    let store = std::sync::Arc::new(pycket_core::MemoryStore::new());
    let site = SessionManager::new(store.clone());
    let id = stored(&site).await;

    let ad_hoc = SessionManager::new(store);
    let session = open(&ad_hoc, id).await;
    assert_eq!(session.require::<String>("user").unwrap(), "ann");
    session.set("points", &7).unwrap();
    session.commit().await.unwrap();
    assert_eq!(open(&site, id).await.require::<u32>("points").unwrap(), 7);
}

#[tokio::test]
async fn an_id_that_no_store_knows_raises_an_event_and_no_id_raises_none() {
    let (manager, events) = crate::events::observed(manager());
    manager.open(None).await.unwrap();
    assert!(events.take().is_empty());
    open(&manager, SessionId::generate()).await;
    assert_eq!(events.take(), [Event::SessionNotFound]);
}
