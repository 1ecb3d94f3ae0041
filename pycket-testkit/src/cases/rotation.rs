//! A session that changes its id: a create under the new one, then a delete under the old one.

use pycket_core::{Changes, Creation, Record, SessionId, Update};

use tokio::task::yield_now;

use crate::Harness;
use crate::check::{answered, check, ensure};
use crate::steps::{HOUR, METADATA, all, number, open_two, put, record, stored, text};

/// The delete that ends a rotation returns what others wrote under the old id since it was read, so that
/// it can be carried over to the new one.
pub async fn a_rotation_sees_what_others_wrote_in_between(harness: &impl Harness) {
    let [one, two] = open_two(harness).await;
    let read = record([("user", "ann")]);
    let old = put(&one, &read, HOUR).await;
    let new = put(&one, &read, HOUR).await;

    let late = Changes::new().set("cart", text("apples")).remove("user");
    check("another server's update", two.update(&old, &late, None).await, Update::Applied);

    let left = record([("cart", "apples")]);
    check("the delete of the old id", one.delete(&old).await, Some(left.clone()));
    let carried = Changes::new().remove("user").set("cart", text("apples"));
    check("the update of the new id", one.update(&new, &carried, None).await, Update::Applied);
    check("the record under the new id", stored(&two, &new).await, Some(left));
    check("the record under the old id", stored(&two, &old).await, None);
}

/// Who still writes under the old id after a rotation is told `Ended`, and changes neither record.
pub async fn a_writer_under_the_old_id_is_told_gone(harness: &impl Harness) {
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

/// While a rotation goes on, every write is either in the record that its delete returns or was told
/// `Ended`: none is applied and lost.
pub async fn no_applied_write_is_lost_in_a_rotation(harness: &impl Harness) {
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
                    // A store in memory never makes its caller wait; without this nobody else may run.
                    yield_now().await;
                }
                applied
            }
        }));
        let rotation = async {
            // Some rounds delete at once, others when the writers are at work.
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
