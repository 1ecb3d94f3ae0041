use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Pipeline, RedisError, RedisResult, Value};

use super::slots::{Slots, slot_of};
use super::{Node, NodeSettings, Request};
use crate::address::{Endpoint, NodeAddr};
use crate::connection::SharedTask;
use crate::error::Failure;
use crate::retry::{Retry, RetryBudget};

/// The nodes of a Redis Cluster and the slot map.
///
/// The client's own cluster connection is not used: it repeats a write whose connection broke, although the
/// server may have carried it out.
pub(crate) struct Cluster {
    /// The nodes of the URL. They are asked for the slot map after the nodes that it names.
    seeds: Box<[NodeAddr]>,
    /// How to log in to each node.
    endpoint: Endpoint,
    settings: NodeSettings,
    deadline: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: Slots,
    /// The nodes of the slot map in the same order, then others that were named elsewhere.
    nodes: Vec<Arc<Node>>,
    /// How often the slot map was refreshed, failed refreshes included.
    epoch: usize,
    refresh: Option<SharedTask<Slots>>,
    /// Why the last refresh failed.
    error: Option<RedisError>,
}

/// Where to send a request next.
enum Next {
    Owner,
    Node(NodeAddr),
    /// The node is about to become the owner. It accepts a request only after `ASKING`.
    Asking(NodeAddr),
}

impl State {
    fn owner(&self, slot: u16) -> Option<Arc<Node>> {
        self.nodes.get(self.slots.owner(slot)?).cloned()
    }

    fn node(&self, addr: &NodeAddr) -> Option<Arc<Node>> {
        self.nodes.iter().find(|node| node.addr.as_ref() == Some(addr)).cloned()
    }
}

impl Cluster {
    /// `None` if there is no node or one is a Unix socket.
    pub(crate) fn new(
        nodes: Vec<Endpoint>,
        settings: NodeSettings,
        deadline: Duration,
    ) -> Option<Self> {
        Some(Self {
            seeds: nodes.iter().map(|node| node.node().cloned()).collect::<Option<_>>()?,
            endpoint: nodes.into_iter().next()?,
            settings,
            deadline,
            state: Mutex::default(),
        })
    }

    /// Returns the answer to each command, from the primary that owns the key.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<'_>,
    ) -> Result<Vec<Value>, Failure> {
        let slot = slot_of(request.key.as_bytes());
        let mut budget = RetryBudget::new(self.deadline);
        let mut next = Next::Owner;
        loop {
            let (epoch, node) = self.find(&next, slot);
            let Some(node) = node else {
                let error = self.refresh_slots(epoch, None, None).await;
                if self.find(&next, slot).1.is_none() {
                    let failure = Failure::Unsent(error.unwrap_or_else(no_owner));
                    if !(failure.is_transient() && budget.pause().await) {
                        return Err(failure);
                    }
                }
                continue;
            };
            let answers = match next {
                Next::Asking(_) => send_asking(&node, request).await,
                _ => node.send(request).await,
            };
            let failure = match answers {
                Ok(answers) => return Ok(answers),
                Err(failure) => failure,
            };
            let from = node.addr.as_ref();
            next = match Retry::after(&failure, request.access, from) {
                Retry::No => return Err(failure),
                Retry::Moved(to) if budget.allows_redirection() => {
                    self.refresh_slots(epoch, Some(&to), None).await;
                    Next::Node(to)
                }
                Retry::Ask(to) if budget.allows_redirection() => Next::Asking(to),
                _ if !budget.pause().await => return Err(failure),
                _ => {
                    self.refresh_slots(epoch, None, from).await;
                    Next::Owner
                }
            };
        }
    }

    fn find(&self, next: &Next, slot: u16) -> (usize, Option<Arc<Node>>) {
        let mut state = self.lock();
        let node = match next {
            Next::Owner => state.owner(slot),
            Next::Node(addr) | Next::Asking(addr) => Some(self.node(&mut state, addr)),
        };
        (state.epoch, node)
    }

    /// Asks the nodes for the slot map, unless that has been done since `epoch`. All requests that need it at the
    /// same time share one refresh. Asks `first` before and `last` after the others. Returns why the refresh
    /// failed.
    async fn refresh_slots(
        self: &Arc<Self>,
        epoch: usize,
        first: Option<&NodeAddr>,
        last: Option<&NodeAddr>,
    ) -> Option<RedisError> {
        let limit = self.settings.connections.timeouts.total();
        let refresh = {
            let mut state = self.lock();
            if state.epoch != epoch {
                return state.error.clone();
            }
            let start = || {
                let order = self.refresh_order(&state.slots, epoch, first, last);
                let cluster = Arc::clone(self);
                SharedTask::spawn(limit, async move { cluster.ask_for_slots(order).await })
            };
            let refresh = state.refresh.clone().unwrap_or_else(start);
            state.refresh.insert(refresh).clone()
        };
        let result = refresh.wait(limit).await;
        let mut state = self.lock();
        // The first request that sees the end of the refresh stores its result.
        if state.refresh.take_if(|current| current.is_same(&refresh)).is_some() {
            state.epoch += 1;
            state.error = result.map(|slots| self.store(&mut state, slots)).err();
        }
        state.error.clone()
    }

    /// If all nodes fail, returns an error that may go away, if there is one: then waiting may help.
    async fn ask_for_slots(&self, order: Vec<NodeAddr>) -> RedisResult<Slots> {
        let mut command = Pipeline::new();
        command.cmd("CLUSTER").arg("SLOTS");
        let mut failure: Option<Failure> = None;
        for addr in order {
            let node = self.node(&mut self.lock(), &addr);
            let error = match node.send(Request::question(&command)).await {
                Ok(answers) => match answers.first().and_then(|slots| Slots::parse(slots, &addr)) {
                    Some(slots) => return Ok(slots),
                    None => no_owner(),
                },
                Err(failure) => failure.into_source(),
            };
            let next = Failure::Unsent(error);
            if failure.is_none() || next.is_transient() {
                failure = Some(next);
            }
        }
        Err(failure.map_or_else(no_owner, Failure::into_source))
    }

    /// Begins with another node each time.
    fn refresh_order(
        &self,
        slots: &Slots,
        epoch: usize,
        first: Option<&NodeAddr>,
        last: Option<&NodeAddr>,
    ) -> Vec<NodeAddr> {
        let mut known: Vec<_> = slots.nodes().collect();
        let turn = epoch % known.len().max(1);
        known.rotate_left(turn);
        let mut order: Vec<NodeAddr> = Vec::new();
        for addr in first.into_iter().chain(known).chain(&self.seeds) {
            if Some(addr) != last && !order.contains(addr) {
                order.push(addr.clone());
            }
        }
        order.extend(last.cloned());
        order
    }

    /// Keeps the connections to nodes that are still in the cluster.
    fn store(&self, state: &mut State, slots: Slots) {
        let mut nodes: Vec<_> = slots.nodes().map(|addr| self.node(state, addr)).collect();
        let is_named = |addr| slots.nodes().any(|named| named == addr);
        let seeds = self.seeds.iter().filter(|seed| !is_named(*seed));
        nodes.extend(seeds.filter_map(|seed| state.node(seed)));
        state.slots = slots;
        state.nodes = nodes;
    }

    fn node(&self, state: &mut State, addr: &NodeAddr) -> Arc<Node> {
        state.node(addr).unwrap_or_else(|| {
            let node = Arc::new(self.settings.node(self.endpoint.at(addr.clone())));
            state.nodes.push(Arc::clone(&node));
            node
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `ASKING` counts only for the next command.
async fn send_asking(node: &Node, request: Request<'_>) -> Result<Vec<Value>, Failure> {
    let mut commands = Pipeline::new();
    for command in request.commands.cmd_iter() {
        commands.cmd("ASKING").add_command(command.clone());
    }
    let answers = node.send(Request { commands: &commands, ..request }).await?;
    Ok(answers.into_iter().skip(1).step_by(2).collect())
}

fn no_owner() -> RedisError {
    (redis::ErrorKind::ClusterConnectionNotFound, "no node knows a primary for the key").into()
}
