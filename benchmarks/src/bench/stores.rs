use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};
use pycket_testkit::servers::Server as StoreServer;
use redis::Connection;

use super::process::processor_time;
use crate::cores::{Cores, bind};
use crate::servers::StoreKind;

/// A Redis and a memcached without files. They end with this program.
pub(crate) struct Stores {
    redis: StoreServer,
    memcached: StoreServer,
    redis_pid: u32,
    memcached_pid: u32,
    /// The connection for the counters. Each question costs Redis one command and no new connection.
    observer: RefCell<Connection>,
}

/// The counters of a store since its start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) processor: Duration,
    /// As the store counts them: Redis also counts the commands in scripts.
    pub(crate) commands: u64,
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl Stores {
    pub(crate) fn start(cores: Cores) -> Result<Self> {
        // A process runs on the core of the thread that starts it.
        bind(cores.store);
        let (redis, memcached) = (StoreServer::redis(), StoreServer::memcached());
        bind(cores.client);
        let mut observer = redis::Client::open(redis.url())?.get_connection()?;
        let redis_pid = number(&redis_info(&mut observer, "server")?, "process_id")?.try_into()?;
        let memcached_pid = number(&memcached_stats(&memcached)?, "pid")?.try_into()?;
        Ok(Self { redis, memcached, redis_pid, memcached_pid, observer: observer.into() })
    }

    pub(crate) fn url(&self, kind: StoreKind) -> Option<String> {
        match kind {
            StoreKind::None | StoreKind::Memory => None,
            StoreKind::Redis => Some(self.redis.url()),
            StoreKind::Memcached => Some(self.memcached.address().to_string()),
        }
    }

    /// Deletes all sessions.
    pub(crate) fn empty(&self) -> Result<()> {
        let () = redis::cmd("FLUSHALL").query(&mut *self.observer.borrow_mut())?;
        ask_memcached(&self.memcached, "flush_all\r\n", "OK")?;
        Ok(())
    }

    pub(crate) fn counters(&self, kind: StoreKind) -> Result<Counters> {
        match kind {
            StoreKind::None | StoreKind::Memory => Ok(Counters::default()),
            StoreKind::Redis => {
                let info = redis_info(&mut self.observer.borrow_mut(), "stats")?;
                Ok(Counters {
                    processor: processor_time(self.redis_pid)?,
                    commands: number(&info, "total_commands_processed")?,
                    received: number(&info, "total_net_input_bytes")?,
                    sent: number(&info, "total_net_output_bytes")?,
                })
            }
            StoreKind::Memcached => {
                let stats = memcached_stats(&self.memcached)?;
                let kinds = ["cmd_get", "cmd_set", "cmd_touch", "delete_hits", "delete_misses"];
                let commands = kinds.iter().map(|name| number(&stats, name)).sum::<Result<_>>()?;
                Ok(Counters {
                    processor: processor_time(self.memcached_pid)?,
                    commands,
                    received: number(&stats, "bytes_read")?,
                    sent: number(&stats, "bytes_written")?,
                })
            }
        }
    }
}

impl Counters {
    pub(crate) fn plus(&self, more: &Self) -> Self {
        Self {
            processor: self.processor + more.processor,
            commands: self.commands + more.commands,
            received: self.received + more.received,
            sent: self.sent + more.sent,
        }
    }

    /// The difference to `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            processor: self.processor.saturating_sub(before.processor),
            // One command is the question itself.
            commands: self.commands.saturating_sub(before.commands + 1),
            received: self.received.saturating_sub(before.received),
            sent: self.sent.saturating_sub(before.sent),
        }
    }
}

/// The bytes that a Redis uses for its data and for itself.
pub(crate) fn redis_memory(connection: &mut Connection) -> Result<u64> {
    number(&redis_info(connection, "memory")?, "used_memory")
}

/// The bytes that a Redis has received and sent since its start.
pub(crate) fn redis_traffic(connection: &mut Connection) -> Result<(u64, u64)> {
    let info = redis_info(connection, "stats")?;
    Ok((number(&info, "total_net_input_bytes")?, number(&info, "total_net_output_bytes")?))
}

type Facts = BTreeMap<String, String>;

fn redis_info(connection: &mut Connection, section: &str) -> Result<Facts> {
    let info: String = redis::cmd("INFO").arg(section).query(connection)?;
    let facts = info.lines().filter_map(|line| line.trim_end().split_once(':'));
    Ok(facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn memcached_stats(server: &StoreServer) -> Result<Facts> {
    let lines = ask_memcached(server, "stats\r\n", "END")?;
    let facts = lines.iter().filter_map(|line| line.strip_prefix("STAT ")?.split_once(' '));
    Ok(facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn ask_memcached(server: &StoreServer, question: &str, end: &str) -> Result<Vec<String>> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.write_all(question.as_bytes())?;
    let mut answer = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line == end {
            break;
        }
        answer.push(line);
    }
    Ok(answer)
}

fn number(facts: &Facts, name: &str) -> Result<u64> {
    let value = facts.get(name).with_context(|| format!("the store does not report `{name}`"))?;
    Ok(value.parse()?)
}
