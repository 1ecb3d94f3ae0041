//! Calls whose future is dropped: in the middle of an exchange, before it, or after it.

use std::pin::pin;
use std::task::Poll;

use pycket_core::{Changes, Creation, SessionId, Update};

use crate::Harness;
use crate::check::{answered, check};
use crate::steps::{HOUR, Store, all, number, open, put, record, stored, text};

/// A create that was dropped happened whole or not at all, and is as final as any other.
pub async fn a_dropped_create_happened_whole_or_not_at_all(harness: &impl Harness) {
    let store = open(harness).await;
    let (first, second) = (record([("a", "1"), ("b", "1")]), record([("c", "2")]));
    for cut in Cut::all() {
        let id = SessionId::generate();
        cut.short(store.create(&id, &first, HOUR)).await;
        if let Some(found) = answered("a load", stored(&store, &id).await) {
            check("a record after a dropped create", Ok(found), first.clone());
        }
        // The dropped call may still be on its way: whichever create came first, the other is refused.
        let winner = match answered("another create", store.create(&id, &second, HOUR).await) {
            Creation::Created => &second,
            Creation::Taken => &first,
        };
        check("the record that won", stored(&store, &id).await, Some(winner.clone()));
    }
}

/// An update that was dropped happened whole or not at all, and keeps nobody from the next one.
pub async fn a_dropped_update_happened_whole_or_not_at_all(harness: &impl Harness) {
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

/// A delete that was dropped happened whole or not at all.
pub async fn a_dropped_delete_happened_whole_or_not_at_all(harness: &impl Harness) {
    let store = open(harness).await;
    let whole = record([("a", "1"), ("b", "1")]);
    for cut in Cut::all() {
        let id = put(&store, &whole, HOUR).await;
        cut.short(store.delete(&id)).await;
        if let Some(found) = answered("a load", stored(&store, &id).await) {
            check("the record after a dropped delete", Ok(found), whole.clone());
        }
        if let Some(found) = answered("the next delete", store.delete(&id).await) {
            check("the record that the next delete got", Ok(found), whole.clone());
        }
        check("a load after it", stored(&store, &id).await, None);
    }
}

/// After a call was dropped, every later call on the same handle gets its own answer, not the one that
/// nobody waited for.
pub async fn later_calls_get_their_own_answers(harness: &impl Harness) {
    let store = open(harness).await;
    let (own, other) = (record([("of", "own")]), record([("of", "other")]));
    let id = put(&store, &own, HOUR).await;
    let other_id = put(&store, &other, HOUR).await;
    let changes = Changes::new().set("of", text("own"));
    for cut in Cut::all() {
        let doomed = put(&store, &other, HOUR).await;
        cut.short(store.load(&other_id)).await;
        check("a load", stored(&store, &id).await, Some(own.clone()));
        cut.short(store.load(&SessionId::generate())).await;
        check("a load", stored(&store, &id).await, Some(own.clone()));
        cut.short(store.update(&other_id, &Changes::new(), None)).await;
        check("a create", store.create(&id, &other, HOUR).await, Creation::Taken);
        cut.short(store.create(&other_id, &own, HOUR)).await;
        check("an update", store.update(&id, &changes, None).await, Update::Applied);
        cut.short(store.delete(&doomed)).await;
        check("a delete", store.delete(&SessionId::generate()).await, None);
        check("a load", stored(&store, &other_id).await, Some(other.clone()));
    }
}

/// While half of many callers drop their calls, the other half, on the same handle, get their own answers.
pub async fn dropped_calls_disturb_no_other_caller(harness: &impl Harness) {
    let store = open(harness).await;
    let callers = (0..32).map(|caller| busy_caller(store.clone(), caller));
    all(callers).await;
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

/// When to drop a future: after so many polls, at once or when it is next ready to go on.
#[derive(Clone, Copy)]
struct Cut {
    polls: usize,
    woken: bool,
}

impl Cut {
    /// More polls than a call needs, so that the last cuts cut nothing.
    fn all() -> impl Iterator<Item = Self> {
        (0..=12).flat_map(|polls| [false, true].map(|woken| Self { polls, woken }))
    }

    async fn short(self, call: impl Future) {
        let mut call = pin!(call);
        let mut left = self.polls;
        std::future::poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            match call.as_mut().poll(context) {
                Poll::Pending if left > 0 || self.woken => Poll::Pending,
                _ => Poll::Ready(()),
            }
        })
        .await;
    }
}
