//! Which handles share records, and which do not.

use pycket_core::{Changes, Creation, SessionId, Update};

use crate::Harness;
use crate::check::check;
use crate::fixtures::{HOUR, fresh_namespace, open, open_in, open_two, put, record, stored, text};

/// Two handles of one namespace share all records, without delay.
pub async fn handles_of_one_namespace_share_records(harness: &dyn Harness) {
    let [one, two] = open_two(harness).await;
    let first = record([("user", "ann")]);
    let id = put(&one, &first, HOUR).await;
    check("a load on the other server", stored(&two, &id).await, Some(first.clone()));
    check("a create on the other server", two.create(&id, &first, HOUR).await, Creation::Taken);
    let changes = Changes::new().set("user", text("bob"));
    check("an update on the other server", two.update(&id, &changes, None).await, Update::Applied);
    let second = record([("user", "bob")]);
    check("a load", stored(&one, &id).await, Some(second.clone()));
    check("a delete on the other server", two.delete(&id).await, Some(second));
    check("a load after it", stored(&one, &id).await, None);
}

/// Records under one id in different namespaces are independent.
pub async fn namespaces_share_no_records(harness: &dyn Harness) {
    let name = fresh_namespace();
    // One name is the beginning of the other.
    let one = open_in(harness, &name).await;
    let two = open_in(harness, &format!("{name}-2")).await;
    let (of_one, of_two) = (record([("user", "ann")]), record([("user", "bob")]));
    let id = put(&one, &of_one, HOUR).await;

    check("a load in the other namespace", stored(&two, &id).await, None);
    let changes = Changes::new().set("user", text("eve"));
    check("an update there", two.update(&id, &changes, Some(HOUR)).await, Update::Ended);
    check("a delete there", two.delete(&id).await, None);
    check("a create there", two.create(&id, &of_two, HOUR).await, Creation::Created);
    check("the record here", stored(&one, &id).await, Some(of_one));
    check("an update here", one.update(&id, &changes, None).await, Update::Applied);
    check("the record there", stored(&two, &id).await, Some(of_two.clone()));
    check("a delete here", one.delete(&id).await, Some(record([("user", "eve")])));
    check("the record there", stored(&two, &id).await, Some(of_two));
}

/// Records under different ids are independent, however similar the ids are.
pub async fn similar_ids_share_no_records(harness: &dyn Harness) {
    let store = open(harness).await;
    let texts = [
        "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f",
        "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5e",
        "1193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f",
        "00000000-0000-4000-8000-000000000000",
        "ffffffff-ffff-4fff-bfff-ffffffffffff",
    ];
    let ids = texts.map(|text| text.parse::<SessionId>().unwrap());
    for (id, text) in ids.iter().zip(texts) {
        let create = store.create(id, &record([("of", text)]), HOUR).await;
        check("a create", create, Creation::Created);
    }
    let changes = Changes::new().set("changed", text("yes"));
    check("an update", store.update(&ids[0], &changes, None).await, Update::Applied);
    check("a delete", store.delete(&ids[2]).await, Some(record([("of", texts[2])])));
    let changed = record([("changed", "yes"), ("of", texts[0])]);
    check("the updated record", stored(&store, &ids[0]).await, Some(changed));
    check("the deleted record", stored(&store, &ids[2]).await, None);
    for other in [1, 3, 4] {
        let expected = record([("of", texts[other])]);
        check("another record", stored(&store, &ids[other]).await, Some(expected));
    }
}
