use std::fmt;
use std::time::Duration;

use redis::{Cmd, Value};

use crate::connection::{Failure, Pool};
use crate::error::Request;
use crate::many::Many;
use crate::patience::Patience;

/// Whoever holds the records.
pub(crate) enum Servers {
    /// One server, and nothing between it and a request.
    One(Box<Single>),
    /// All that may have to look for the right one, or to wait for others.
    Many(Box<Many>),
}

pub(crate) struct Single {
    pub(crate) pool: Pool,
    /// How long a request that surely did nothing is tried again.
    pub(crate) limit: Duration,
}

impl Servers {
    /// A command that may change what is under the key; its answer.
    pub(crate) async fn write(
        &self,
        key: &str,
        command: &(impl Fn() -> Cmd + Sync),
    ) -> Result<Value, Failure> {
        match self {
            Self::One(server) => {
                let patience = Patience::new(server.limit);
                match server.pool.command(command).await {
                    // In boxes, so that the usual way needs no room for the others.
                    Err(failure) => {
                        let again = || server.pool.command(command);
                        Box::pin(patience.insist(failure, Request::Write, again)).await
                    }
                    answer => answer,
                }
            }
            Self::Many(many) => Box::pin(many.write(key, command)).await,
        }
    }

    /// Commands that only read what is under the key, in one round trip; the answer to each.
    pub(crate) async fn read<const N: usize>(
        &self,
        key: &str,
        commands: &(impl Fn() -> [Cmd; N] + Sync),
    ) -> Result<Vec<Value>, Failure> {
        match self {
            Self::One(server) => {
                let patience = Patience::new(server.limit);
                match server.pool.commands(commands).await {
                    Err(failure) => {
                        let again = || server.pool.commands(commands);
                        Box::pin(patience.insist(failure, Request::Read, again)).await
                    }
                    answers => answers,
                }
            }
            Self::Many(many) => Box::pin(many.read(key, commands)).await,
        }
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(server) => server.pool.fmt(f),
            Self::Many(many) => many.fmt(f),
        }
    }
}
