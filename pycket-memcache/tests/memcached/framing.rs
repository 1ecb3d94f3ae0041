//! Replies with a corrupted byte around the value. (A corrupted byte inside the value is just another value.)

use pycket_testkit::servers::NetworkFault;
use tokio::task::JoinSet;

use crate::*;

#[tokio::test]
async fn corrupted_reply_is_an_error_and_never_another_record() {
    let expected = record([("name", "value"), ("other", "v")]);
    let id = put(&store(shared()), &expected).await;
    let proxy = FaultProxy::new(shared().address());
    let store = through(&proxy);
    assert!(stored(&store, &id).await.is_some());
    let length = proxy.take_exchanges()[0].answer;
    // "VA ", the length, and the line end.
    let offsets = (0..5).chain([length - 2, length - 1]);
    let mut trials = JoinSet::new();
    for offset in offsets {
        for mask in [0x01, 0x02, 0x04, 0x20, 0x80] {
            let expected = expected.clone();
            trials.spawn(async move {
                let proxy = FaultProxy::new(shared().address());
                // A reply that is too short ends with this timeout, in real time.
                let builder = MemcacheStore::builder().servers([proxy.address().to_string()]);
                let store = builder.response_timeout(Duration::from_millis(100)).build().unwrap();
                while store.load(&SessionId::generate()).await.is_err() {}
                proxy.fail_answer(0, NetworkFault::Corrupt { offset, mask });
                match store.load(&id).await {
                    // The driver detected the fault and repeated the request.
                    Ok(found) => assert_eq!(found.unwrap().record, expected, "{offset} {mask}"),
                    Err(error) => {
                        let kind = error.kind();
                        let fits = matches!(
                            kind,
                            ErrorKind::Unavailable | ErrorKind::Corrupt | ErrorKind::Rejected
                        );
                        assert!(fits, "{offset} {mask}: {error:?}");
                    }
                }
            });
        }
    }
    trials.join_all().await;
}
