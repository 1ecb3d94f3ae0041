//! The Redis driver beyond the contract: failures, format, round trips. On real servers.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

mod concurrency;
mod connecting;
mod corruption;
mod credentials;
mod cut_connections;
mod deadline;
mod file;
mod format_read;
mod format_written;
mod framing;
mod impostors;
mod isolation;
#[path = "../../../pycket-testkit/tests/kept/mod.rs"]
mod kept;
mod kept_dumps;
mod kills;
mod large_answers;
mod late_writes;
mod lifetime;
mod notifications;
mod outages;
mod pauses;
mod permissions;
#[path = "../records/mod.rs"]
mod records;
mod refusals;
mod round_trips;
mod scripts;
mod secrets;
mod session_faults;
mod settings;
mod shared_connection;
mod stand_in;
#[cfg(feature = "tls")]
mod tls;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pycket_core::{
    Changes, Error, ErrorKind, Record, Session, SessionId, SessionManager, SessionStore, Ttl, Value,
};
use pycket_redis::{RedisStore, RedisStoreBuilder};
use pycket_testkit::all_shown_by as shown;
use pycket_testkit::servers::Server;
use records::*;

/// A server that no test changes, pauses or kills.
fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::redis)
}

fn store(server: &Server) -> RedisStore {
    patient(server).build().unwrap()
}

/// Has timeouts that a busy machine does not reach.
fn patient(server: &Server) -> RedisStoreBuilder {
    const LIMIT: Duration = Duration::from_secs(60);
    once(&server.url()).connect_timeout(LIMIT).response_timeout(LIMIT)
}

/// Tries each call once, so that the test sees the failure.
fn once(url: &str) -> RedisStoreBuilder {
    RedisStore::builder(url).deadline(Duration::ZERO)
}

/// A separate connection, for commands that an operator would send with `redis-cli`.
fn operator(server: &Server) -> redis::Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

fn run<T: redis::FromRedisValue>(connection: &mut redis::Connection, command: &str) -> T {
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| _ = command.arg(word));
    command.query(connection).unwrap()
}

async fn open(manager: &SessionManager, id: SessionId) -> Session {
    let session = manager.open(Some(id)).await.unwrap();
    assert!(!session.is_new(), "the session is not there");
    session
}
