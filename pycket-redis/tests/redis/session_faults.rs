//! Sessions over a network that may cut any request or answer.

use pycket_core::{IdChange, Outcome};
use pycket_testkit::servers::{FaultProxy, NetworkFault};

use crate::*;

/// What a request does between opening the session and committing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    FirstWrite,
    Write,
    Login,
    Logout,
    LogoutAndWrite,
    Increment,
    ReadNotification,
    LeaveNotification,
    LoginWithNotifications,
}

/// A client, and the network between the application and the server.
struct World {
    proxy: FaultProxy,
    manager: SessionManager,
    direct: SessionManager,
    before: Option<SessionId>,
}

impl World {
    async fn new(work: Work) -> Self {
        let proxy = FaultProxy::new(shared().address());
        let manager = sessions_and_notifications(&format!("redis://{}", proxy.address()));
        let direct = sessions_and_notifications(&shared().url());
        let mut before = None;
        if work != Work::FirstWrite {
            let session = direct.open(None).await.unwrap();
            session.set("user", "ann").unwrap();
            session.notifications().set("info", "saved").unwrap();
            session.commit().await.unwrap();
            before = session.id();
        }
        // Now the store is connected, and the server has the scripts.
        let warm = manager.open(None).await.unwrap();
        warm.notifications().set("info", "saved").unwrap();
        warm.commit().await.unwrap();
        warm.cycle_id();
        warm.commit().await.unwrap();
        warm.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
        warm.set("a", &1).unwrap();
        warm.commit().await.unwrap();
        proxy.take_exchanges();
        Self { proxy, manager, direct, before }
    }

    async fn opened(&self, id: Option<SessionId>) -> Session {
        self.direct.open(id).await.unwrap()
    }
}

fn sessions_and_notifications(url: &str) -> SessionManager {
    const LIMIT: Duration = Duration::from_secs(60);
    let builder = once(url).connect_timeout(LIMIT).response_timeout(LIMIT);
    let (sessions, notifications) = builder.build_with_notifications().unwrap();
    SessionManager::builder(sessions).notifications(notifications).build().unwrap()
}

/// The result for the client, and the id that it has afterwards.
async fn request(world: &World, work: Work) -> (Result<(), Error>, Option<SessionId>) {
    let session = match world.manager.open(world.before).await {
        Ok(session) => session,
        Err(error) => return (Err(error), world.before),
    };
    let told = act(&session, work).await;
    let id = match session.id_change() {
        IdChange::Issued(id) => Some(id),
        IdChange::Withdrawn => None,
        _ => world.before,
    };
    (told, id)
}

async fn act(session: &Session, work: Work) -> Result<(), Error> {
    match work {
        Work::FirstWrite | Work::Write => {}
        Work::Login | Work::LoginWithNotifications => session.cycle_id(),
        Work::Logout | Work::LogoutAndWrite => session.destroy(),
        Work::Increment => {
            session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
        }
        Work::ReadNotification => {
            let read: Option<String> = session.notifications().get("info").await?;
            assert_eq!(read.as_deref(), Some("saved"));
        }
        Work::LeaveNotification => session.notifications().set("more", "to read")?,
    }
    if matches!(work, Work::FirstWrite | Work::Write | Work::Login | Work::LogoutAndWrite) {
        session.set("a", &1)?;
        session.set("b", &2)?;
    }
    assert_ne!(session.commit().await?, Outcome::Ended, "no other request ended it");
    Ok(())
}

async fn check(world: &World, work: Work, told: Result<(), Error>, id: Option<SessionId>) {
    let is_told = told.is_ok();
    if let Err(error) = told {
        assert!(error.is_transient(), "{error:?}");
    }
    let session = world.opened(id).await;
    let [a, b] = ["a", "b"].map(|name| session.contains(name));
    assert_eq!(a, b, "half of it");
    assert_eq!(session.is_new(), id.is_none(), "the id of the client works");
    let is_kept = session.contains("user");
    let unread = session.notifications().keys();
    match work {
        Work::FirstWrite => assert!(a || !is_told),
        Work::Write => assert!(is_kept && (a || !is_told)),
        Work::Login => assert!(is_kept && (!is_told || (a && id != world.before))),
        Work::LoginWithNotifications => assert!(is_kept && (!is_told || unread == ["info"])),
        Work::Logout if is_told => assert!(world.opened(world.before).await.is_new()),
        Work::LogoutAndWrite if is_told => {
            assert!(
                world.opened(world.before).await.is_new() && a && !is_kept && unread.is_empty()
            );
        }
        Work::Logout | Work::LogoutAndWrite => {}
        Work::Increment => {
            let count = session.get_or::<u32>("n", 0).unwrap();
            assert!(is_kept && count <= 1 && (count == 1 || !is_told));
        }
        Work::ReadNotification => assert!(is_kept && (unread.is_empty() || !is_told)),
        Work::LeaveNotification => {
            assert!(unread.contains(&"info".to_owned()));
            assert!(unread.contains(&"more".to_owned()) || !is_told);
        }
    }
}

#[tokio::test]
async fn client_keeps_acknowledged_data_and_a_valid_id_after_any_cut() {
    for work in [
        Work::FirstWrite,
        Work::Write,
        Work::Login,
        Work::Logout,
        Work::LogoutAndWrite,
        Work::Increment,
        Work::ReadNotification,
        Work::LeaveNotification,
        Work::LoginWithNotifications,
    ] {
        let undisturbed = World::new(work).await;
        let (told, id) = request(&undisturbed, work).await;
        assert!(told.is_ok(), "{work:?}: {told:?}");
        check(&undisturbed, work, told, id).await;
        let exchanges = undisturbed.proxy.take_exchanges().len();
        assert!(exchanges > 0);
        for nth in 0..exchanges {
            for (fails, is_request) in
                [(FaultProxy::fail_request, true), (FaultProxy::fail_answer, false)]
                    as [(fn(&FaultProxy, usize, NetworkFault), bool); 2]
            {
                let world = World::new(work).await;
                fails(&world.proxy, nth, NetworkFault::Cut);
                let (told, id) = request(&world, work).await;
                println!("{work:?}, exchange {nth}, request {is_request}: {told:?}");
                assert_eq!(world.proxy.pending(), 0);
                check(&world, work, told, id).await;
            }
        }
    }
}
