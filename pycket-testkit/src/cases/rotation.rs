//! The calls of a rotation: a create under the new id, then a delete of the old one.

use pycket_core::{Changes, Creation, Record, SessionId, Update};

use tokio::task::yield_now;

use crate::Harness;
use crate::check::{answered, check, ensure};
use crate::fixtures::{HOUR, METADATA, all, number, open_two, put, record, stored, text};

/// The delete of the old id returns what others wrote after the record was read, so that the rotation can
/// write it to the new record.
pub async fn delete_of_the_old_id_returns_late_writes(harness: &dyn Harness) {
    let [one, two] = open_two(harness).await;
    let read = record([("user", "ann")]);
    let old = put(&one, &read, HOUR).await;
    let new = put(&one, &read, HOUR).await;

    let late = Changes::new().set("cart", text("apples")).remove("user");
    check("another server's update", two.update(&old, &late, None).await, Update::Applied);

    let remaining = record([("cart", "apples")]);
    check("the delete of the old id", one.delete(&old).await, Some(remaining.clone()));
    let carried_over = Changes::new().remove("user").set("cart", text("apples"));
    check("the update of the new id", one.update(&new, &carried_over, None).await, Update::Applied);
    check("the record under the new id", stored(&two, &new).await, Some(remaining));
    check("the record under the old id", stored(&two, &old).await, None);
}

/// After a rotation an update under the old id returns `Ended` and changes neither record.
pub async fn update_under_the_old_id_returns_ended(harness: &dyn Harness) {
    let [one, two] = open_two(harness).await;
    let rotated = record([("user", "ann")]);
    let old = put(&one, &rotated, HOUR).await;
    check("a load by the late writer", stored(&two, &old).await, Some(rotated.clone()));
    let new = SessionId::generate();
    check("the new id", one.create(&new, &rotated, HOUR).await, Creation::Created);
    check("the old id", one.delete(&old).await, Some(rotated.clone()));

    let late = Changes::new().set("cart", text("apples"));
    check("the late update", two.update(&old, &late, Some(HOUR)).await, Update::Ended);
    check("the late touch", two.update(&old, &Changes::new(), Some(HOUR)).await, Update::Ended);
    check("the record under the old id", stored(&two, &old).await, None);
    check("the record under the new id", stored(&two, &new).await, Some(rotated));
}

/// During a rotation every write is either in the record that the delete returns, or its answer was
/// `Ended`: no applied write is lost.
pub async fn rotation_loses_no_applied_write(harness: &dyn Harness) {
    const WRITERS: u64 = 16;
    let [one, two] = open_two(harness).await;
    for round in 0..10 {
        let old = put(&one, &record([]), HOUR).await;
        let writers = all((0..WRITERS).map(|writer| {
            let store = if writer % 2 == 0 { one.clone() } else { two.clone() };
            async move {
                let mut applied = Vec::new();
                for i in 0.. {
                    let name = format!("{writer} {i}");
                    let changes = Changes::new().set(name.as_str(), number(i));
                    match answered("a write", store.update(&old, &changes, None).await) {
                        Update::Applied => applied.push((name, number(i))),
                        Update::Ended => break,
                        Update::Conflict => panic!("a write without expectations: Conflict"),
                    }
                    // A store in memory never waits; without this no other task may run.
                    yield_now().await;
                }
                applied
            }
        }));
        let rotation = async {
            // Some rounds delete at once, others after several writes.
            while answered("a load", stored(&one, &old).await).is_some_and(|r| r.len() < round * 4)
            {
                yield_now().await;
            }
            answered("the delete of the old id", one.delete(&old).await)
        };
        let (applied, deleted) = tokio::join!(writers, rotation);
        let applied = Record::new(METADATA, applied.into_iter().flatten());
        check("the deleted record", Ok(deleted), Some(applied));
        ensure("a load", "nothing", "a record", answered("a load", one.load(&old).await).is_none());
    }
}
