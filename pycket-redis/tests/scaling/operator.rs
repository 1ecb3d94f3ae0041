//! What an operator would do with `redis-cli`.

use std::time::Instant;

use pycket_testkit::RedisCluster;

use crate::*;

pub(crate) struct Operator(redis::Connection);

impl Operator {
    pub(crate) fn of(server: &Server) -> Self {
        Self(redis::Client::open(server.url()).unwrap().get_connection().unwrap())
    }

    pub(crate) fn order<T: redis::FromRedisValue>(&mut self, command: &str) -> T {
        self.say(command).unwrap()
    }

    pub(crate) fn say<T: redis::FromRedisValue>(&mut self, command: &str) -> redis::RedisResult<T> {
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| _ = command.arg(word));
        command.query(&mut self.0)
    }

    /// Makes that server a replica of the one that is talked to.
    pub(crate) async fn is_followed_by(&mut self, replica: &Server) {
        // Nobody else wants the same data, so it need not wait for others that might.
        let () = self.order("CONFIG SET repl-diskless-sync-delay 0");
        let port: Vec<String> = self.order("CONFIG GET port");
        let () = Operator::of(replica).order(&format!("REPLICAOF 127.0.0.1 {}", port[1]));
        until("the replica is there", || self.has_replica()).await;
    }

    pub(crate) fn has_replica(&mut self) -> bool {
        self.order::<String>("INFO replication").contains("state=online")
    }

    /// The numbers of the clients that wait for replicas.
    pub(crate) fn waiting(&mut self) -> Vec<u64> {
        let clients: String = self.order("CLIENT LIST");
        let waiting = clients.lines().filter(|line| line.contains(" flags=b "));
        let number = |line: &str| line.strip_prefix("id=")?.split(' ').next()?.parse().ok();
        waiting.map(|line| number(line).unwrap()).collect()
    }

    /// Lets the time be over for all who wait for replicas.
    pub(crate) fn end_waiting(&mut self) {
        for client in self.waiting() {
            let _: u64 = self.order(&format!("CLIENT UNBLOCK {client}"));
        }
    }

    /// Lets it be over again and again, until the call has its answer.
    pub(crate) async fn until_not_waiting<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = std::pin::pin!(call);
        loop {
            let moment = Duration::from_millis(5);
            match tokio::time::timeout(moment, &mut call).await {
                Ok(answer) => return answer,
                Err(_) => self.end_waiting(),
            }
        }
    }

    pub(crate) fn slot(&mut self, key: &str) -> u16 {
        self.order(&format!("CLUSTER KEYSLOT {key}"))
    }
}

/// Waits until it holds; whatever is waited for surely comes.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(90), "{what}: it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until every node but the dead one takes others for the owners of all slots.
pub(crate) async fn until_whole(cluster: &RedisCluster, dead: Option<&Server>) {
    let dead = dead.map(Server::port);
    let address = dead.map_or_else(|| "nobody".to_owned(), |port| format!(":{port}@"));
    until("the cluster is whole again", || {
        cluster.nodes().iter().filter(|node| Some(node.port()) != dead).all(|node| {
            let mut operator = Operator::of(node);
            let info: String = operator.order("CLUSTER INFO");
            let nodes: String = operator.order("CLUSTER NODES");
            info.contains("cluster_state:ok")
                && info.contains("cluster_slots_fail:0")
                && info.contains("cluster_slots_pfail:0")
                && nodes.lines().filter(|line| has_slots(line)).count() == cluster.shards().count()
                && !nodes.lines().any(|line| has_slots(line) && line.contains(&address))
        })
    })
    .await;
}

/// Of a node's line, only a primary's goes on after the state of the link.
fn has_slots(line: &str) -> bool {
    line.split(' ').count() > 8
}
