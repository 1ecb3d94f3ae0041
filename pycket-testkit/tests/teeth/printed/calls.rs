#[test]
#[allow(unused)]
fn shrunk() -> Result<(), pycket_core::Error> {
    use pycket_core::{
        Changes, Creation, Metadata, Record, SessionId, Timestamp, Ttl, Update, Value,
    };
    use pycket_testkit::Harness;

    let pass = std::time::Duration::from_millis(1_200);
    let ttl = |millis| Ttl::from_millis(millis).unwrap();
    let value = |number: u8| Value::encode(&number).unwrap();
    let metadata = |created| Metadata::new(Timestamp::from_unix_millis(created));
    let record = |created, values: &[(&'static str, u8)]| {
        Record::new(metadata(created), values.iter().map(|(name, n)| (*name, value(*n))))
    };
    let shown = pycket_testkit::shown;

    pycket_testkit::block_on(async {
        let harness = conformance_harness().await;
        let namespace = SessionId::generate().expose();
        let stores = [harness.open(&namespace).await, harness.open(&namespace).await];
        let ids = [(); 3].map(|()| SessionId::generate());

        assert_eq!(stores[0].create(&ids[0], &record(1, &[("a", 0)]), ttl(3600000)).await?, Creation::Created);
        assert_eq!(stores[0].update(&ids[0], &Changes::new().remove("b"), None).await?, Update::Applied);
        assert_eq!(shown(stores[0].load(&ids[0]).await?.map(|found| found.record)), "1: a=0");
        Ok(())
    })
}
