#[test]
#[allow(unused)]
fn shrunk() -> Result<(), pycket_core::Error> {
    use std::sync::Arc;
    use std::time::Duration;

    use pycket_core::{Error, Expiry, Outcome, Session, SessionId, SessionManager, Values};
    use pycket_testkit::{Harness, Time};

    let pass = Duration::from_secs(10 * 60);
    let tick = Duration::from_millis(2);
    let idle = Duration::from_secs(35 * 60);
    let remembered = Duration::from_secs(65 * 60);
    let add_one = |n: Option<u8>| n.unwrap_or(0) + 1;
    let moving = |from: &'static str, to: &'static str| {
        move |values: &mut Values| {
            let value: Option<u8> = values.get(from)?;
            if let Some(value) = value {
                values.set(to, &value)?;
            }
            values.delete(from);
            Ok::<_, Error>(value)
        }
    };
    let shown = |session: &Session| pycket_testkit::shown_values(session.iter());

    pycket_testkit::block_on(async {
        let harness = conformance_harness().await;
        let namespaces = [(); 2].map(|()| SessionId::generate().expose());
        let stores = [harness.open(&namespaces[0]).await, harness.open(&namespaces[1]).await];
        let [sessions, notifications] = stores;
        let mut manager = SessionManager::builder(sessions)
            .notifications(notifications)
            .expiry(Expiry::builder().idle_timeout(idle).build()?)
            .build()?;
        if let Time::Manual(clock) = harness.time() {
            manager = manager.to_builder().clock(clock).build()?;
        }
        let new = manager.open(None).await?;
        let mut requests = [new.clone(), new.clone(), new];
        let mut cookies: Vec<SessionId> = Vec::new();

        requests[1] = manager.open(None).await?;
        assert_eq!(shown(&requests[1]), "");
        requests[1].set("b", &0)?;
        assert_eq!(requests[1].update("a", add_one).await.ok(), Some(1));
        cookies.push(requests[1].id().unwrap());
        assert_eq!(shown(&requests[1]), "a=1, b=0");
        requests[1].cycle_id();
        assert_eq!(requests[1].take::<u8>("a").await.ok(), Some(Some(1)));
        Ok(())
    })
}
