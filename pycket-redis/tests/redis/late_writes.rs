//! A write that arrives after its reply was given up.

use pycket_testkit::servers::{FaultProxy, NetworkFault};

use crate::*;

struct World {
    proxy: FaultProxy,
    manager: SessionManager,
    id: SessionId,
}

impl World {
    async fn new(server: &Server, connections: usize, query: &str) -> Self {
        let proxy = FaultProxy::new(server.address());
        let builder = RedisStore::builder(&format!("redis://{}{query}", proxy.address()));
        let builder = builder.max_connections(connections);
        let manager =
            manager(builder.response_timeout(Duration::from_millis(300)).build().unwrap());
        let id = put(&store(server), &record([])).await;
        for _ in 0..=connections {
            let session = open(&manager, id).await;
            session.set("warm", &1).unwrap();
            session.commit().await.unwrap();
        }
        Self { proxy, manager, id }
    }

    /// Sets `n` to 1, but the request is late. Then increments it, and only then lets the request through.
    async fn increment_before_late_write(&self) -> u32 {
        let session = open(&self.manager, self.id).await;
        session.set("n", &1).unwrap();
        self.proxy.fail_request(0, NetworkFault::Delay);
        session.commit().await.unwrap();
        let session = open(&self.manager, self.id).await;
        let count = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
        assert_eq!(count.unwrap(), 2);
        self.proxy.heal();
        open(&self.manager, self.id).await.require("n").unwrap()
    }
}

#[tokio::test]
async fn late_write_does_not_undo_an_acknowledged_one() {
    for connections in [1, 3] {
        for query in ["", "?protocol=resp3"] {
            let world = World::new(shared(), connections, query).await;
            assert_eq!(world.increment_before_late_write().await, 2, "{connections} {query}");
        }
    }
}

#[tokio::test]
async fn each_connection_whose_answer_was_given_up_is_closed_once() {
    let server = Server::redis();
    let world = World::new(&server, 1, "").await;
    for _ in 0..2 {
        assert_eq!(world.increment_before_late_write().await, 2);
    }
    let stats: redis::InfoDict = run(&mut operator(&server), "INFO commandstats");
    let kills: String = stats.get("cmdstat_client|kill").unwrap();
    assert!(kills.starts_with("calls=2,"), "{kills}");
}

#[tokio::test]
async fn late_write_is_prevented_only_with_the_permissions_in_the_readme() {
    let permissions = "+client|info +client|kill";
    assert!(include_str!("../../README.md").contains(&format!("`{permissions}`")));
    for (more, expected) in [("", 1), ("+client|info", 1), (permissions, 2)] {
        let server = Server::redis();
        let needed = crate::permissions::NEEDED.join(" ");
        let user = format!("ACL SETUSER default reset on nopass ~pycket:* {needed} {more}");
        let () = run(&mut operator(&server), user.trim_end());
        let world = World::new(&server, 1, "").await;
        assert_eq!(world.increment_before_late_write().await, expected, "{more}");
    }
}
