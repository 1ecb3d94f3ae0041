//! What the store holds of a user, as `docs/wire-format.md` describes it.

use std::sync::Arc;

use pycket_core::{Changes, Clock, Record, SessionManager, SessionStore, Value};
use pycket_testkit::ManualClock;

use crate::watched::Watched;
use crate::{DAY, over};

async fn record(store: &Watched, id: &pycket_core::SessionId) -> Record {
    store.load(id).await.unwrap().unwrap().record
}

fn manager(store: &Arc<Watched>, clock: &ManualClock) -> SessionManager {
    over(store.clone()).to_builder().clock(clock.clone()).build().unwrap()
}

#[tokio::test]
async fn the_list_of_a_users_sessions_is_stored_as_the_wire_format_says() {
    let clock = ManualClock::new();
    let store = Arc::new(Watched::new(&clock));
    let session = manager(&store, &clock).open(None).await.unwrap();
    session.log_in_labelled("ann", "Firefox").unwrap();
    session.commit().await.unwrap();
    let before = session.id().unwrap();
    session.cycle_id();
    session.commit().await.unwrap();

    let id = session.id().unwrap();
    let handle = session.handle().unwrap().to_string();
    let millis = |duration| u64::try_from(std::time::Duration::as_millis(&duration)).unwrap();
    let now = clock.now().unix_millis();
    let (ends_at, until) = (now + millis(DAY), now + millis(DAY + DAY / 4));

    type User = (String, String, u64, Option<String>, Vec<String>, [u64; 2]);
    let user = record(&store, &id).await.get("\0pycket:user").unwrap().decode::<User>().unwrap();
    let label = Some("Firefox".to_owned());
    let earlier = vec![before.expose()];
    let expected = ("ann".to_owned(), handle.clone(), now, label, earlier, [ends_at, until]);
    assert_eq!(user, expected);

    let [index] = store.indexes()[..] else { panic!() };
    assert_eq!(index.expose(), "3959e801-f1af-8ae9-a79b-9bace7a42bc2");
    let index = record(&store, &index).await;
    let names: Vec<_> = index.names().collect();
    let [session, sequence] = ["session", "sequence"].map(|kind| format!("{kind}:{handle}"));
    assert_eq!(names, ["\0pycket:index", &*sequence, &*session]);
    let (version, last, _) =
        index.get("\0pycket:index").unwrap().decode::<(u8, u64, u64)>().unwrap();
    assert_eq!((version, last), (1, 1));
    assert_eq!(index.get(&sequence).unwrap().decode::<u64>().unwrap(), 1);
    let entry = index.get(&session).unwrap().decode::<(Vec<String>, u64, u64)>().unwrap();
    assert_eq!(entry, (vec![before.expose(), id.expose()], ends_at, until));
}

/// The store may hold anything.
#[tokio::test]
async fn a_sign_in_succeeds_after_the_last_sequence() {
    let clock = ManualClock::new();
    let store = Arc::new(Watched::new(&clock));
    let manager = manager(&store, &clock);
    for signed_in in 1..=2 {
        let session = manager.open(None).await.unwrap();
        session.log_in("ann").unwrap();
        session.commit().await.unwrap();
        assert_eq!(manager.user("ann").unwrap().sessions().await.unwrap().len(), signed_in);
        let header = Value::encode(&(1, u64::MAX, 7)).unwrap();
        let changes = Changes::new().set("\0pycket:index", header);
        let _ = store.update(&store.indexes()[0], &changes, None).await.unwrap();
    }
}

#[tokio::test]
async fn the_namespace_is_part_of_the_id_of_the_list() {
    let clock = ManualClock::new();
    let store = Arc::new(Watched::new(&clock));
    let manager = manager(&store, &clock).to_builder().user_namespace("shop").build().unwrap();
    let session = manager.open(None).await.unwrap();
    session.log_in("ann").unwrap();
    session.commit().await.unwrap();
    assert_eq!(store.indexes()[0].expose(), "bc472ae1-060e-850d-9734-2db490b896d0");
}
