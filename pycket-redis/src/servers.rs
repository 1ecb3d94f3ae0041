use std::fmt;

use redis::{Cmd, Pipeline, Value};

use crate::connection::{Failure, Pool};
use crate::many::Many;

/// Whoever holds the records.
pub(crate) enum Servers {
    /// One server, and nothing between it and a request.
    One(Box<Pool>),
    /// All that may have to look for the right one, or to wait for others.
    Many(Box<Many>),
}

impl Servers {
    /// One command that may change what is under the key; its answer.
    pub(crate) async fn write(&self, key: &str, command: &Cmd) -> Result<Value, Failure> {
        match self {
            Self::One(pool) => pool.command(command).await,
            // In a box, so that the way to one server needs no room for this one.
            Self::Many(many) => Box::pin(many.write(key, command)).await,
        }
    }

    /// Several commands that only read what is under the key, in one round trip.
    ///
    /// Reading twice does no harm, so a connection that turns out to be broken costs no error.
    pub(crate) async fn read(&self, key: &str, pipeline: &Pipeline) -> Result<Vec<Value>, Failure> {
        match self {
            Self::One(pool) => match pool.pipeline(pipeline).await {
                Err(failure) if failure.is_break() => Box::pin(pool.pipeline(pipeline)).await,
                answer => answer,
            },
            Self::Many(many) => Box::pin(many.read(key, pipeline)).await,
        }
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(pool) => pool.fmt(f),
            Self::Many(many) => many.fmt(f),
        }
    }
}
