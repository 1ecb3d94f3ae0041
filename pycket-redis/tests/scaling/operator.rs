//! Commands that an operator would send with `redis-cli`.

use std::time::Instant;

use pycket_testkit::servers::RedisCluster;

use crate::*;

/// On a busy machine a live server may be silent for seconds, and is not to be replaced.
pub(crate) const LIVE: Duration = Duration::from_secs(60);

pub(crate) struct Operator(redis::Connection);

impl Operator {
    pub(crate) fn of(server: &Server) -> Self {
        Self(redis::Client::open(server.url()).unwrap().get_connection().unwrap())
    }

    pub(crate) fn run<T: redis::FromRedisValue>(&mut self, command: &str) -> T {
        self.try_run(command).unwrap()
    }

    pub(crate) fn try_run<T: redis::FromRedisValue>(
        &mut self,
        command: &str,
    ) -> redis::RedisResult<T> {
        let mut words = command.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| _ = command.arg(word));
        command.query(&mut self.0)
    }

    /// Makes `replica` a replica of this server.
    pub(crate) async fn add_replica(&mut self, replica: &Server) {
        // Do not delay the sync to wait for more replicas.
        let () = self.run("CONFIG SET repl-diskless-sync-delay 0");
        let port: Vec<String> = self.run("CONFIG GET port");
        let () = Operator::of(replica).run(&format!("REPLICAOF 127.0.0.1 {}", port[1]));
        wait_until("the replica is online", || self.has_replica()).await;
    }

    pub(crate) fn has_replica(&mut self) -> bool {
        self.run::<String>("INFO replication").contains("state=online")
    }

    /// The ids of the clients that are blocked in `WAIT`.
    pub(crate) fn waiting_clients(&mut self) -> Vec<u64> {
        let clients: String = self.run("CLIENT LIST");
        let waiting = clients.lines().filter(|line| line.contains(" flags=b "));
        let number = |line: &str| line.strip_prefix("id=")?.split(' ').next()?.parse().ok();
        waiting.map(|line| number(line).unwrap()).collect()
    }

    /// Ends every `WAIT` as if its time had run out.
    pub(crate) fn time_out_waits(&mut self) {
        for client in self.waiting_clients() {
            let _: u64 = self.run(&format!("CLIENT UNBLOCK {client}"));
        }
    }

    /// Runs `call`, and ends every `WAIT` that starts meanwhile.
    pub(crate) async fn time_out_waits_during<T>(&mut self, call: impl Future<Output = T>) -> T {
        let mut call = std::pin::pin!(call);
        loop {
            let moment = Duration::from_millis(5);
            match tokio::time::timeout(moment, &mut call).await {
                Ok(answer) => return answer,
                Err(_) => self.time_out_waits(),
            }
        }
    }

    pub(crate) fn slot(&mut self, key: &str) -> u16 {
        self.run(&format!("CLUSTER KEYSLOT {key}"))
    }
}

/// Waits until the condition holds. Panics after 90 seconds.
pub(crate) async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(90), "timeout while waiting: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until every node except `killed` reports a complete cluster in which `killed` owns no slot.
pub(crate) async fn wait_until_cluster_is_ok(cluster: &RedisCluster, killed: Option<&Server>) {
    let killed = killed.map(Server::port);
    let address = killed.map_or_else(|| "none".to_owned(), |port| format!(":{port}@"));
    wait_until("the cluster is complete again", || {
        cluster.nodes().iter().filter(|node| Some(node.port()) != killed).all(|node| {
            let mut operator = Operator::of(node);
            let info: String = operator.run("CLUSTER INFO");
            let nodes: String = operator.run("CLUSTER NODES");
            info.contains("cluster_state:ok")
                && info.contains("cluster_slots_fail:0")
                && info.contains("cluster_slots_pfail:0")
                && nodes.lines().filter(|line| has_slots(line)).count() == cluster.shards().count()
                && !nodes.lines().any(|line| has_slots(line) && line.contains(&address))
        })
    })
    .await;
}

/// In `CLUSTER NODES`, a line with more than eight words ends with the slots of a primary.
fn has_slots(line: &str) -> bool {
    line.split(' ').count() > 8
}
