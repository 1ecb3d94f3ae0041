//! Calls whose future is dropped: before an exchange with the store, during it, or after it.

use std::pin::pin;
use std::task::Poll;

use pycket_core::{Changes, Creation, SessionId, Update};

use crate::Harness;
use crate::check::{answered, check};
use crate::fixtures::{HOUR, Store, all, number, open, open_two, put, record, stored, text};
use crate::observed::in_turn;

/// A dropped create happened whole or not at all, and a later create never overwrites it.
pub async fn dropped_create_is_atomic(harness: &dyn Harness) {
    let store = open(harness).await;
    let (first, second) = (record([("a", "1"), ("b", "1")]), record([("c", "2")]));
    for cut in Cut::all() {
        let id = SessionId::generate();
        cut.short(store.create(&id, &first, HOUR)).await;
        if let Some(found) = answered("a load", stored(&store, &id).await) {
            check("a record after a dropped create", Ok(Some(found)), Some(first.clone()));
        }
        // The dropped call may still arrive: the create that comes second is refused.
        let winner = match answered("another create", store.create(&id, &second, HOUR).await) {
            Creation::Created => &second,
            Creation::Taken => &first,
        };
        check(
            "the record of the create that succeeded",
            stored(&store, &id).await,
            Some(winner.clone()),
        );
    }
}

/// A dropped update happened whole or not at all, and does not block the next one.
pub async fn dropped_update_is_atomic(harness: &dyn Harness) {
    let store = open(harness).await;
    let changes = Changes::new().set("a", text("2")).set("b", text("2")).remove("c");
    let later = Changes::new().set("later", text("3"));
    for cut in Cut::all() {
        let mut before = record([("a", "1"), ("b", "1"), ("c", "1")]);
        let id = put(&store, &before, HOUR).await;
        cut.short(store.update(&id, &changes, Some(HOUR))).await;
        check("the next update", store.update(&id, &later, None).await, Update::Applied);
        before.apply(&later);
        let mut after = before.clone();
        after.apply(&changes);
        let found = answered("a load", stored(&store, &id).await);
        let expected = if found.as_ref() == Some(&before) { before } else { after };
        check("the record after a dropped update", Ok(found), Some(expected));
    }
}

/// A dropped delete happened whole or not at all.
pub async fn dropped_delete_is_atomic(harness: &dyn Harness) {
    let store = open(harness).await;
    let whole = record([("a", "1"), ("b", "1")]);
    for cut in Cut::all() {
        let id = put(&store, &whole, HOUR).await;
        cut.short(store.delete(&id)).await;
        if let Some(found) = answered("a load", stored(&store, &id).await) {
            check("the record after a dropped delete", Ok(Some(found)), Some(whole.clone()));
        }
        if let Some(found) = answered("the next delete", store.delete(&id).await) {
            check("the record that the next delete returned", Ok(Some(found)), Some(whole.clone()));
        }
        check("a load after it", stored(&store, &id).await, None);
    }
}

/// After a dropped call every later call on the same handle gets its own answer, not the one to the dropped
/// call.
pub async fn calls_after_a_dropped_call_get_their_own_answers(harness: &dyn Harness) {
    let store = open(harness).await;
    let (own, other) = (record([("of", "own")]), record([("of", "other")]));
    let id = put(&store, &own, HOUR).await;
    let other_id = put(&store, &other, HOUR).await;
    let changes = Changes::new().set("of", text("own"));
    for cut in Cut::all() {
        let to_delete = put(&store, &other, HOUR).await;
        cut.short(store.load(&other_id)).await;
        check("a load", stored(&store, &id).await, Some(own.clone()));
        cut.short(store.load(&SessionId::generate())).await;
        check("a load", stored(&store, &id).await, Some(own.clone()));
        cut.short(store.update(&other_id, &Changes::new(), None)).await;
        check("a create", store.create(&id, &other, HOUR).await, Creation::Taken);
        cut.short(store.create(&other_id, &own, HOUR)).await;
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        cut.short(store.delete(&to_delete)).await;
        check("a delete", store.delete(&SessionId::generate()).await, None);
        check("a load", stored(&store, &other_id).await, Some(other.clone()));
    }
}

/// While half of many callers drop their calls, the others, on the same handle, get their own answers.
pub async fn dropped_call_disturbs_no_other_caller(harness: &dyn Harness) {
    let store = open(harness).await;
    let callers = (0..32).map(|caller| busy_caller(store.clone(), caller));
    all(callers).await;
}

/// After a dropped call every write on the same handle reaches the other handles. A dropped call must not leave
/// a transaction open on a connection that a later call uses.
pub async fn writes_after_a_dropped_call_reach_every_handle(harness: &dyn Harness) {
    let stores = open_two(harness).await;
    let created = record([("a", "1")]);
    let changes = Changes::new().set("a", text("2"));
    for cut in Cut::all() {
        cut.short(stores[0].create(&SessionId::generate(), &created, HOUR)).await;
        check_writes(&stores).await;
        let id = put(&stores[0], &created, HOUR).await;
        cut.short(stores[0].update(&id, &changes, Some(HOUR))).await;
        check_writes(&stores).await;
        cut.short(stores[0].delete(&id)).await;
        check_writes(&stores).await;
    }
}

/// Every kind of write through the first handle is seen by the second.
async fn check_writes([one, two]: &[Store; 2]) {
    let (created, updated) = (record([("b", "1")]), record([("b", "2")]));
    let id = put(one, &created, HOUR).await;
    check("the created record", stored(two, &id).await, Some(created));
    let changes = Changes::new().set("b", text("2"));
    check("an update", one.update(&id, &changes, None).await, Update::Applied);
    check("the updated record", stored(two, &id).await, Some(updated.clone()));
    check("a delete", one.delete(&id).await, Some(updated));
    check("the deleted record", stored(two, &id).await, None);
}

async fn busy_caller(store: Store, caller: u64) {
    let id = put(&store, &record([("n", "")]), HOUR).await;
    for (round, cut) in (0..).zip(Cut::all()) {
        let changes = Changes::new().set("n", number(round)).set("caller", number(caller));
        if caller.is_multiple_of(2) {
            cut.short(store.update(&id, &changes, None)).await;
            cut.short(store.load(&id)).await;
            continue;
        }
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        let mut expected = record([]);
        expected.apply(&changes);
        check("a load", stored(&store, &id).await, Some(expected));
    }
}

/// When to drop a future: after so many polls, either at once or when it is woken again.
#[derive(Clone, Copy)]
struct Cut {
    polls: usize,
    woken: bool,
}

impl Cut {
    /// Up to more polls than a call needs, so that the last calls are not cut.
    fn all() -> impl Iterator<Item = Self> {
        (0..=12).flat_map(|polls| [false, true].map(|woken| Self { polls, woken }))
    }

    async fn short(self, call: impl Future) {
        let mut call = pin!(call);
        let mut left = self.polls;
        let polls = std::future::poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            match call.as_mut().poll(context) {
                Poll::Pending if left > 0 || self.woken => Poll::Pending,
                _ => Poll::Ready(()),
            }
        });
        // Only the store counts, not the wait for another case.
        in_turn(polls).await;
    }
}
