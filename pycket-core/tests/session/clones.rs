//! Several handles of one session in one request, at the same time.

use crate::{manager, open, stored};

#[tokio::test]
async fn the_names_to_delete_may_come_from_an_iterator_that_asks_the_session() {
    let session = open(&manager(), stored(&manager()).await).await;
    session.set("n", &1).unwrap();
    session.set("m", &2).unwrap();
    let odd = |name: &String| session.require::<u32>(name).unwrap() % 2 == 1;
    assert_eq!(session.delete(session.keys().into_iter().filter(odd)), ["n"]);
}
