use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{Pipeline, RedisError, RedisResult, Value, from_redis_value};

use super::Client;
use crate::error::Failure;

/// The connections that the server must close before it gets another request.
///
/// A request whose answer was given up may still be on its way. After the next requests it would undo what they did.
#[derive(Clone, Default)]
pub(super) struct Kills(Arc<Mutex<Vec<ServerClient>>>);

/// How the server calls a connection. After a restart it uses the same ids again, so the address counts too.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ServerClient {
    id: String,
    addr: String,
}

impl Kills {
    pub(super) fn add(&self, client: ServerClient) {
        self.lock().push(client);
    }

    /// Closes the connections, and asks how the server calls this one. A user without the permission and servers
    /// before version 6.2 do neither.
    pub(super) async fn send(&self, client: &Client) -> RedisResult<Option<ServerClient>> {
        let clients = self.lock().clone();
        let mut commands = Pipeline::new();
        commands.cmd("CLIENT").arg("INFO");
        for ServerClient { id, addr } in &clients {
            commands.cmd("CLIENT").arg(&["KILL", "ID", id, "ADDR", addr]);
        }
        let answers = client.send(&commands).await?;
        for answer in &answers {
            if let Value::ServerError(error) = answer {
                let failure = Failure::Unsent(RedisError::from(error.clone()));
                if failure.is_transient() {
                    return Err(failure.into_source());
                }
            }
        }
        self.lock().retain(|client| !clients.contains(client));
        Ok(answers.into_iter().next().and_then(ServerClient::parse))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<ServerClient>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerClient {
    /// Reads the answer to `CLIENT INFO`.
    fn parse(answer: Value) -> Option<Self> {
        let info: String = from_redis_value(answer).ok()?;
        let field = |name| info.split_ascii_whitespace().find_map(|field| field.strip_prefix(name));
        Some(Self { id: field("id=")?.to_owned(), addr: field("addr=")?.to_owned() })
    }
}
