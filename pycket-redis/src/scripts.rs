use std::sync::LazyLock;

use redis::{Cmd, ServerErrorKind, Value};

use crate::connection::Failure;
use crate::servers::Servers;

/// Stores where nothing is. KEYS: the record. ARGV: ttl, then fields and values.
pub(crate) static CREATE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("create.lua")));

/// Updates what is there. KEYS: the record. ARGV: see the script.
pub(crate) static UPDATE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("update.lua")));

/// Sets fields of what is there, and its life. KEYS: the record. ARGV: ttl, then fields and values.
pub(crate) static SET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("set.lua")));

/// Removes what is there and returns it. KEYS: the record.
pub(crate) static DELETE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("delete.lua")));

/// A script that the server knows by its digest once it has seen it.
pub(crate) struct Script {
    body: &'static str,
    digest: String,
}

impl Script {
    fn new(body: &'static str) -> Self {
        Self { body, digest: redis::Script::new(body).get_hash().to_owned() }
    }

    /// Runs the script: one round trip, and a second one if the server has not seen it or forgot it.
    pub(crate) async fn run(
        &self,
        servers: &Servers,
        key: &str,
        args: &(impl Fn(&mut Cmd) + Sync),
    ) -> Result<Value, Failure> {
        match servers.write(key, &|| invocation("EVALSHA", &self.digest, key, args)).await {
            Err(Failure::Sent(error)) if error.kind() == ServerErrorKind::NoScript.into() => {
                let whole = || invocation("EVAL", self.body, key, args);
                Box::pin(servers.write(key, &whole)).await
            }
            answer => answer,
        }
    }
}

fn invocation(verb: &str, script: &str, key: &str, args: &impl Fn(&mut Cmd)) -> Cmd {
    // As much as most take.
    let mut command = Cmd::with_capacity(16, script.len() + key.len() + 128);
    command.arg(verb).arg(script).arg(1).arg(key);
    args(&mut command);
    command
}
