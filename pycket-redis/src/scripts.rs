use std::sync::LazyLock;

use redis::{Cmd, Pipeline, ServerErrorKind, Value};

use crate::error::Failure;
use crate::topology::Topology;

/// Creates a record where there is none. ARGV: ttl, then fields and values.
pub(crate) static CREATE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("create.lua")));

/// Updates a record if it exists and the expectations hold. ARGV: see the script.
pub(crate) static UPDATE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("update.lua")));

/// Sets fields and the ttl of a record if it exists. ARGV: ttl, then fields and values.
pub(crate) static SET: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("set.lua")));

/// Deletes a record and returns it.
pub(crate) static DELETE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("delete.lua")));

/// A script whose only key is that of the record.
pub(crate) struct Script {
    body: &'static str,
    digest: String,
}

impl Script {
    fn new(body: &'static str) -> Self {
        Self { body, digest: redis::Script::new(body).get_hash().to_owned() }
    }

    /// Runs the script in one round trip; in two if the server does not have it yet.
    pub(crate) async fn run(
        &self,
        topology: &Topology,
        key: &str,
        args: impl Fn(&mut Cmd),
    ) -> Result<Value, Failure> {
        let by_digest = invocation("EVALSHA", &self.digest, key, &args);
        match topology.write(key, &by_digest).await {
            Err(Failure::Sent(error)) if error.kind() == ServerErrorKind::NoScript.into() => {
                let whole = invocation("EVAL", self.body, key, &args);
                Box::pin(async move { topology.write(key, &whole).await }).await
            }
            answer => answer,
        }
    }
}

fn invocation(verb: &str, script: &str, key: &str, args: &impl Fn(&mut Cmd)) -> Pipeline {
    // Enough for most invocations.
    let mut command = Cmd::with_capacity(16, script.len() + key.len() + 128);
    command.arg(verb).arg(script).arg(1).arg(key);
    args(&mut command);
    let mut commands = Pipeline::with_capacity(1);
    commands.add_command(command);
    commands
}
