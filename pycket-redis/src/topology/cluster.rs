use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    seeds: Box<[Arc<Node>]>,
    /// How to log in to each node.
    endpoint: Endpoint,
    settings: NodeSettings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: Slots,
    /// The nodes of the slot map in the same order.
    nodes: Vec<Arc<Node>>,
    /// The nodes outside of the slot map that requests were last redirected to. The map does not name a node
    /// that is about to receive its first slot.
    others: VecDeque<Arc<Node>>,
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

    fn node(&self, addr: &NodeAddr) -> Option<&Arc<Node>> {
        let listed = self.slots.index_of(addr).and_then(|index| self.nodes.get(index));
        listed.or_else(|| find(&self.others, addr))
    }
}

impl Cluster {
    /// Maximum number of nodes outside of the slot map, so that a node that names ever new ones fills no memory.
    const MAX_OTHERS: usize = 16;

    /// `None` if there is no node or one is a Unix socket.
    pub(crate) fn new(nodes: Vec<Endpoint>, settings: NodeSettings) -> Option<Self> {
        let endpoint = nodes.first()?.clone();
        let seed = |node: &Endpoint| {
            let addr = node.node()?.clone();
            Some(Arc::new(settings.node(endpoint.at(addr))))
        };
        Some(Self {
            seeds: nodes.iter().map(seed).collect::<Option<_>>()?,
            endpoint,
            settings,
            state: Mutex::default(),
        })
    }

    /// Returns the answer to each command, from the primary that owns the key.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: Request<'_>,
        mut budget: RetryBudget,
    ) -> Result<Vec<Value>, Failure> {
        let slot = slot_of(request.key.as_bytes());
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
            next = match Retry::after(&failure, request.access, node.addr.as_ref()) {
                Retry::No => return Err(failure),
                Retry::Moved(to) if budget.allows_redirection() => {
                    let known = self.known(&self.lock(), &to);
                    self.refresh_slots(epoch, Some(known.unwrap_or(node)), None).await;
                    let is_listed = self.lock().slots.index_of(&to).is_some();
                    if is_listed { Next::Node(to) } else { Next::Owner }
                }
                Retry::Ask(to) if budget.allows_redirection() => Next::Asking(to),
                _ if !budget.pause().await => return Err(failure),
                _ => {
                    self.refresh_slots(epoch, None, Some(node)).await;
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
        first: Option<Arc<Node>>,
        last: Option<Arc<Node>>,
    ) -> Option<RedisError> {
        let limit = self.settings.connections.timeouts.total();
        let refresh = {
            let mut state = self.lock();
            if state.epoch != epoch {
                return state.error.clone();
            }
            let start = || {
                let order = self.refresh_order(&state, first, last);
                SharedTask::spawn(limit, Self::ask_for_slots(order))
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
    async fn ask_for_slots(order: Vec<Arc<Node>>) -> RedisResult<Slots> {
        let mut command = Pipeline::new();
        command.cmd("CLUSTER").arg("SLOTS");
        let mut failure: Option<Failure> = None;
        for node in order {
            let error = match node.send(Request::question(&command)).await {
                Ok(answers) => {
                    let slots = answers.first().zip(node.addr.as_ref());
                    match slots.and_then(|(slots, from)| Slots::parse(slots, from)) {
                        Some(slots) => return Ok(slots),
                        None => no_owner(),
                    }
                }
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
        state: &State,
        first: Option<Arc<Node>>,
        last: Option<Arc<Node>>,
    ) -> Vec<Arc<Node>> {
        let (before, after) = state.nodes.split_at(state.epoch % state.nodes.len().max(1));
        let all = after.iter().chain(before).chain(&self.seeds).cloned();
        let mut seen: HashSet<_> = last.iter().map(|node| node.addr.clone()).collect();
        let others = first.into_iter().chain(all).filter(|node| seen.insert(node.addr.clone()));
        others.chain(last.clone()).collect()
    }

    /// Keeps the connections to nodes that are still in the cluster.
    fn store(&self, state: &mut State, slots: Slots) {
        let node = |addr| self.known(state, addr).unwrap_or_else(|| self.new_node(addr));
        let nodes = slots.nodes().map(node).collect();
        state.slots = slots;
        state.nodes = nodes;
    }

    fn node(&self, state: &mut State, addr: &NodeAddr) -> Arc<Node> {
        self.known(state, addr).unwrap_or_else(|| {
            let node = self.new_node(addr);
            state.others.push_back(Arc::clone(&node));
            if state.others.len() > Self::MAX_OTHERS {
                state.others.pop_front();
            }
            node
        })
    }

    fn known(&self, state: &State, addr: &NodeAddr) -> Option<Arc<Node>> {
        state.node(addr).or_else(|| find(&self.seeds, addr)).cloned()
    }

    fn new_node(&self, addr: &NodeAddr) -> Arc<Node> {
        Arc::new(self.settings.node(self.endpoint.at(addr.clone())))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find<'a>(
    nodes: impl IntoIterator<Item = &'a Arc<Node>>,
    addr: &NodeAddr,
) -> Option<&'a Arc<Node>> {
    nodes.into_iter().find(|node| node.addr.as_ref() == Some(addr))
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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;
    use crate::connection::{ConnectionSettings, Timeouts};

    fn cluster() -> Cluster {
        let timeouts = Timeouts { connect: Duration::MAX, response: Duration::MAX };
        let connections = ConnectionSettings {
            timeouts,
            max_connections: 1,
            max_response_bytes: usize::MAX,
            #[cfg(feature = "tls")]
            tls: None,
        };
        let settings = NodeSettings { connections, replica_acks: None };
        Cluster::new(vec![Endpoint::tcp("127.0.0.1", 1)], settings).unwrap()
    }

    #[test]
    fn redirections_to_ever_new_addresses_leave_few_nodes() {
        let cluster = cluster();
        for port in 0..1000 {
            let find = || cluster.find(&Next::Asking(NodeAddr::new("node", port)), 0).1.unwrap();
            assert!(Arc::ptr_eq(&find(), &find()), "the next request to this node finds it");
        }
        let state = cluster.lock();
        let kept = (0..1000).filter(|port| state.node(&NodeAddr::new("node", *port)).is_some());
        assert_eq!(kept.count(), 16);
    }

    #[tokio::test]
    async fn refresh_is_not_repeated_for_a_request_that_failed_before_it() {
        let cluster = Arc::new(cluster());
        let (epoch, _) = cluster.find(&Next::Owner, 0);
        assert!(cluster.refresh_slots(epoch, None, None).await.is_some());
        let again = pin!(cluster.refresh_slots(epoch, None, None));
        let polled = again.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Some(_))), "it returns why the first one failed");
    }
}
