//! What reads bytes of servers and operators, for the fuzz targets in `fuzz/` of the repository.
//!
//! It is no part of the interface and may change at any time. A feature and not `cfg(fuzzing)` opens it, so that an
//! ordinary build can run the targets, too.

use pycket_core::{Error, Record};
use redis::{ErrorKind, Value, parse_redis_value};

use crate::address::{NodeAddr, ServerAddr};
use crate::connection::Answer;
use crate::error::{Access, Failure};
use crate::retry::Retry;
use crate::topology::sentinel;
use crate::topology::slots::{Slots, slot_of};
use crate::url::Target;
use crate::{record, store};

/// Host and port.
pub type Addr = (String, u16);

/// What the client makes of the bytes of one reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Complete(Value),
    Incomplete,
    Refused,
}

/// Reads a reply with the parser of the client.
pub fn reply(bytes: &[u8]) -> Reply {
    match parse_redis_value(bytes) {
        Ok(value) => Reply::Complete(value),
        Err(error) if error.kind() == ErrorKind::Io => Reply::Incomplete,
        Err(_) => Reply::Refused,
    }
}

/// The reply to `HGETALL`.
pub fn record(reply: Value) -> Result<Option<Record>, Error> {
    record::decode_record(reply)
}

/// The reply to `HGETALL` about this record.
pub fn fields(record: &Record) -> Result<Vec<(Value, Value)>, Error> {
    let bulk = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
    let metadata = record::encode_metadata(record.metadata())?;
    let own = (bulk(record::METADATA.as_bytes()), bulk(metadata.as_bytes()));
    let values = record.iter().map(|(name, value)| (bulk(name.as_bytes()), bulk(value.as_bytes())));
    Ok([own].into_iter().chain(values).collect())
}

/// The remaining milliseconds that the reply to `PTTL` names.
pub fn expires_in(reply: &Value) -> Result<Option<u128>, Error> {
    Ok(store::expires_in(reply)?.map(|rest| rest.as_millis()))
}

/// Where an error of the node `from` redirects a request, and whether it is an `ASK`.
pub fn redirection(reply: Value, from: &Addr) -> Option<(bool, Addr)> {
    let failure = Failure::Sent(reply.extract_error().err()?);
    match Retry::after(&failure, Access::Write, Some(&NodeAddr::new(&from.0, from.1))) {
        Retry::Moved(node) => Some((false, addr(node))),
        Retry::Ask(node) => Some((true, addr(node))),
        Retry::No | Retry::Later => None,
    }
}

/// A slot map.
#[expect(missing_debug_implementations, reason = "no part of the interface")]
pub struct SlotMap(Slots);

impl SlotMap {
    /// The reply of the node `from` to `CLUSTER SLOTS`.
    pub fn parse(reply: &Value, from: &Addr) -> Option<Self> {
        Slots::parse(reply, &NodeAddr::new(&from.0, from.1)).map(Self)
    }

    pub fn nodes(&self) -> Vec<Addr> {
        self.0.nodes().cloned().map(addr).collect()
    }

    /// The index of the node that owns the slot.
    pub fn owner(&self, slot: u16) -> Option<usize> {
        self.0.owner(slot)
    }
}

/// The slot of a key.
pub fn slot(key: &[u8]) -> u16 {
    slot_of(key)
}

/// The primary that the reply of a sentinel names.
pub fn primary(reply: Value) -> Option<Addr> {
    sentinel::parse_addr(&[reply]).map(addr)
}

/// Whether the reply to `ROLE` is that of a primary.
pub fn is_primary(reply: Value) -> bool {
    sentinel::is_primary(&[reply])
}

/// A server of a URL: its socket or address, user, password, and database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub socket: Option<std::path::PathBuf>,
    pub addr: Option<Addr>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub database: i64,
}

/// The servers of a URL; of sentinels, the primary and its service come last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    pub nodes: Vec<Server>,
    pub is_cluster: bool,
    pub service: Option<String>,
}

pub fn servers(url: &str) -> Result<Servers, Error> {
    let (endpoints, is_cluster, service) = match Target::parse(url)? {
        Target::Single(endpoint) => (vec![endpoint], false, None),
        Target::Cluster(nodes) => (nodes, true, None),
        Target::Sentinel { mut sentinels, service, primary } => {
            sentinels.push(primary);
            (sentinels, false, Some(service))
        }
    };
    let nodes = endpoints.into_iter().map(|endpoint| {
        let (socket, addr) = match endpoint.addr {
            ServerAddr::Unix(path) => (Some(path), None),
            ServerAddr::Tcp(node) => (None, Some(addr(node))),
        };
        let user = endpoint.login.username().map(str::to_owned);
        let password = endpoint.login.password().map(str::to_owned);
        Server { socket, addr, user, password, database: endpoint.login.db() }
    });
    Ok(Servers { nodes: nodes.collect(), is_cluster, service })
}

/// The limit of the size of answers.
#[expect(missing_debug_implementations, reason = "no part of the interface")]
pub struct Limit(Answer);

impl Limit {
    pub fn new(max_size: usize) -> Self {
        Self(Answer::new(max_size))
    }

    /// Whether the answers are small enough so far.
    pub fn accepts(&mut self, bytes: &[u8]) -> bool {
        self.0.read(bytes).is_ok()
    }

    /// Whether the next byte begins an answer.
    pub fn is_at_rest(&self) -> bool {
        self.0.is_at_rest()
    }
}

fn addr(node: NodeAddr) -> Addr {
    (node.host, node.port)
}
