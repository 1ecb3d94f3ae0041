//! What goes wrong: one fault after the other, in a thread of its own.

mod failover;
mod slots;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use fastrand::Rng;
use pycket_testkit::servers::{FaultProxy, NetworkFault, Server};

use crate::Result;
use crate::oracle::Oracle;
use crate::process::ServerProcess;
use crate::report::Faults;
use crate::store::{Backend, StoreKind, ask};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Fault {
    /// Kills the store and starts it again. In a group: the primary, and a replica takes over.
    Kill,
    /// Stops the store for up to three seconds. In a group: a primary, for longer, and a replica takes over.
    Pause,
    /// Closes all connections of one server of the application to the store.
    Cut,
    /// Loses one request or one reply, and all that follows on its connection.
    Swallow,
    /// A request to the store arrives up to three seconds late.
    Late,
    /// The store closes the connections of all its clients.
    ClientKill,
    /// Kills one server of the application and starts it again.
    Server,
    /// An operator makes a replica the primary.
    Failover,
    /// An operator moves slots with their sessions to another node.
    Slots,
}

impl Fault {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|it| it.get_name().to_owned()).unwrap_or_default()
    }

    fn known_by(store: StoreKind) -> &'static [Self] {
        use Fault::{ClientKill, Cut, Failover, Kill, Late, Pause, Server, Slots, Swallow};
        match store {
            StoreKind::Redis => &[Kill, Pause, Cut, Swallow, Late, ClientKill, Server],
            StoreKind::Memcached => &[Kill, Pause, Cut, Swallow, Server],
            StoreKind::Cluster => &[Kill, Pause, Failover, Slots, ClientKill, Server],
            StoreKind::Sentinel => &[Kill, Pause, Failover, ClientKill, Server],
            StoreKind::Memory => &[Server],
        }
    }

    /// Whether it replaces a primary, so that the group needs time before the next one.
    fn replaces_primary(self, store: StoreKind) -> bool {
        matches!(store, StoreKind::Cluster | StoreKind::Sentinel)
            && matches!(self, Self::Kill | Self::Pause | Self::Failover)
    }
}

/// The faults of `all`, `none`, or a list.
pub(crate) fn faults(names: &str, store: StoreKind) -> Result<Vec<Fault>> {
    let known = Fault::known_by(store);
    let parse = |name: &str| {
        let fault = Fault::from_str(name, false).ok().filter(|fault| known.contains(fault));
        let names: Vec<String> = known.iter().map(|fault| fault.name()).collect();
        fault.ok_or_else(|| {
            let names = names.join(",");
            format!("`{name}` is no fault of this store: `all`, `none`, or some of {names}").into()
        })
    };
    match names {
        "all" => Ok(known.to_vec()),
        "none" => Ok(Vec::new()),
        names => names.split(',').map(parse).collect(),
    }
}

pub(crate) struct Chaos<'a> {
    store: StoreKind,
    backend: &'a Backend,
    servers: &'a [ServerProcess],
    oracle: &'a Oracle,
    faults: Vec<Fault>,
    seed: u64,
    struck: Mutex<Faults>,
    is_over: AtomicBool,
}

impl<'a> Chaos<'a> {
    pub(crate) fn new(
        store: StoreKind,
        backend: &'a Backend,
        servers: &'a [ServerProcess],
        oracle: &'a Oracle,
        faults: Vec<Fault>,
        seed: u64,
    ) -> Self {
        let (struck, is_over) = (Mutex::new(BTreeMap::new()), AtomicBool::new(false));
        Self { store, backend, servers, oracle, faults, seed, struck, is_over }
    }

    /// How often each fault struck.
    pub(crate) fn struck(&self) -> Faults {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Strikes until the end. When this returns everything runs again.
    pub(crate) fn strike_until_over(&self) {
        let mut random = Rng::with_seed(self.seed);
        while !self.is_over() {
            self.wait(Duration::from_millis(random.u64(200..1500)));
            let Some(fault) = random.choice(&self.faults).copied() else { continue };
            if self.is_over() {
                break;
            }
            self.oracle.fault_begins(fault.name());
            match self.strike(fault, &mut random) {
                Ok(()) => {
                    let mut struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
                    *struck.entry(fault).or_default() += 1;
                }
                Err(error) => eprintln!("the fault `{}` failed: {error}", fault.name()),
            }
            if fault.replaces_primary(self.store) {
                self.wait(Duration::from_secs(random.u64(4..10)));
            }
            self.forget_exchanges();
        }
    }

    fn wait(&self, time: Duration) {
        let step = Duration::from_millis(50);
        for _ in 0..time.as_millis() / step.as_millis() {
            if self.is_over() {
                return;
            }
            thread::sleep(step);
        }
    }

    fn strike(&self, fault: Fault, random: &mut Rng) -> Result<()> {
        match (fault, self.backend) {
            (Fault::Server, _) => self.restart_application(random),
            (Fault::Failover, _) => self.fail_over(random),
            (Fault::Slots, Backend::Cluster(cluster)) => {
                slots::move_some(&cluster.nodes().iter().collect::<Vec<_>>(), random)
            }
            (Fault::ClientKill, backend) => {
                for server in backend.members() {
                    let _: i64 = ask(server, &["CLIENT", "KILL", "TYPE", "normal"])?;
                }
                Ok(())
            }
            (Fault::Kill, Backend::Single(server, _)) => {
                self.kill(server, random);
                Ok(())
            }
            (Fault::Pause, Backend::Single(server, _)) => {
                server.pause();
                thread::sleep(Duration::from_millis(random.u64(100..3000)));
                server.resume();
                Ok(())
            }
            (Fault::Kill | Fault::Pause, _) => self.replace_primary(fault, random),
            (Fault::Cut, Backend::Single(_, proxies)) => {
                random.choice(proxies).into_iter().for_each(FaultProxy::cut_connections);
                Ok(())
            }
            (Fault::Swallow, Backend::Single(_, proxies)) => {
                let proxy = random.choice(proxies).ok_or("there is no proxy")?;
                if random.bool() {
                    proxy.fail_answer(random.usize(..3), NetworkFault::Swallow);
                } else {
                    proxy.fail_request(random.usize(..3), NetworkFault::Swallow);
                }
                Ok(())
            }
            (Fault::Late, Backend::Single(_, proxies)) => {
                let proxy = random.choice(proxies).ok_or("there is no proxy")?;
                proxy.fail_request(random.usize(..3), NetworkFault::Delay);
                thread::sleep(Duration::from_millis(random.u64(1500..3000)));
                proxy.heal();
                Ok(())
            }
            (fault, _) => Err(format!("`{}` is no fault of this store", fault.name()).into()),
        }
    }

    fn kill(&self, server: &Server, random: &mut Rng) {
        let empties = self.store == StoreKind::Memcached;
        let begun = empties.then(|| self.oracle.begin_emptying());
        server.kill();
        thread::sleep(Duration::from_millis(random.u64(..1000)));
        server.restart();
        begun.into_iter().for_each(|begun| self.oracle.end_emptying(begun));
    }

    /// The last server of the application, so that the memory of the first one can be watched.
    fn restart_application(&self, random: &mut Rng) -> Result<()> {
        let server = self.servers.last().ok_or("there is no server")?;
        let empties = self.store == StoreKind::Memory;
        let begun = empties.then(|| self.oracle.begin_emptying());
        server.kill();
        thread::sleep(Duration::from_millis(random.u64(..500)));
        server.restart()?;
        begun.into_iter().for_each(|begun| self.oracle.end_emptying(begun));
        Ok(())
    }

    /// The proxies count what passes until they are asked for it.
    fn forget_exchanges(&self) {
        if let Backend::Single(_, proxies) = self.backend {
            proxies.iter().for_each(|proxy| drop(proxy.take_exchanges()));
        }
    }
}
