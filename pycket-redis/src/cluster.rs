use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Cmd, ConnectionInfo, RedisError, RedisResult, Value};
use tokio::time::timeout;

use crate::connection::Failure;
use crate::error::Request;
use crate::node::{Message, Node, NodeSettings};
use crate::patience::{Patience, Verdict};
use crate::place::Place;
use crate::slots::{Slots, slot_of};

/// The nodes of a cluster, and which of them is responsible for what.
///
/// The client's own cluster connection is not used: it sends a write again whose connection broke, which
/// may have been carried out already, and tells nobody.
pub(crate) struct Cluster {
    /// Those of the URL: asked as long as no node answers that they led to.
    seeds: Box<[Place]>,
    /// How to meet a node: all but its address.
    info: ConnectionInfo,
    settings: NodeSettings,
    /// How long a request that surely did nothing is tried again.
    limit: Duration,
    map: Mutex<Map>,
    /// What the last lesson failed with.
    learning: tokio::sync::Mutex<Option<RedisError>>,
    /// How often the nodes have been asked.
    lessons: AtomicUsize,
    turn: AtomicUsize,
}

/// What was last learned.
#[derive(Default)]
struct Map {
    slots: Slots,
    /// First those of the slots, in the same order, then others that were heard of.
    nodes: Vec<Arc<Node>>,
}

/// Where a request goes next.
enum Next {
    ToOwner,
    /// Who the owner was said to be.
    To(Place),
    /// Who is about to become the owner, and serves only those who say that they know.
    Asking(Place),
}

impl Map {
    fn owner(&self, slot: u16) -> Option<Arc<Node>> {
        self.nodes.get(self.slots.owner(slot)?).cloned()
    }

    fn node(&self, place: &Place) -> Option<Arc<Node>> {
        self.nodes.iter().find(|node| node.place.as_ref() == Some(place)).cloned()
    }
}

impl Cluster {
    pub(crate) fn new(
        nodes: Vec<ConnectionInfo>,
        settings: NodeSettings,
        limit: Duration,
    ) -> Option<Self> {
        Some(Self {
            seeds: nodes.iter().map(Place::of).collect::<Option<_>>()?,
            info: nodes.into_iter().next()?,
            settings,
            limit,
            map: Mutex::default(),
            learning: tokio::sync::Mutex::default(),
            lessons: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
        })
    }

    /// The answer to each command of the message, from the primary that is responsible for the key.
    pub(crate) async fn send(
        &self,
        key: &str,
        message: Message<'_>,
        request: Request,
    ) -> Result<Vec<Value>, Failure> {
        let slot = slot_of(key.as_bytes());
        let patience = Patience::new(self.limit);
        let lessons = self.lessons.load(Ordering::Acquire);
        let owner = self.lock().owner(slot);
        let failed = match owner {
            Some(owner) => match owner.send(message).await {
                Ok(answers) => return Ok(answers),
                Err(failure) => Some((owner, failure)),
            },
            None => None,
        };
        // In a box, so that the usual way needs no room for this.
        Box::pin(self.insist(slot, message, request, patience, lessons, failed)).await
    }

    /// Goes on after a failure, or when nobody is known to be responsible. The nodes had been asked so often,
    /// by `lessons`, before the request was sent.
    async fn insist(
        &self,
        slot: u16,
        message: Message<'_>,
        request: Request,
        mut patience: Patience,
        mut lessons: usize,
        mut failed: Option<(Arc<Node>, Failure)>,
    ) -> Result<Vec<Value>, Failure> {
        loop {
            let next = match failed.take() {
                Some((node, failure)) => {
                    self.next(&node, failure, request, lessons, &mut patience).await?
                }
                None => Next::ToOwner,
            };
            lessons = self.lessons.load(Ordering::Acquire);
            let owner = || self.lock().owner(slot);
            let (node, is_asking) = match &next {
                Next::ToOwner => (owner(), false),
                Next::To(place) => (Some(self.node(place).map_err(Failure::Unsent)?), false),
                Next::Asking(place) => (Some(self.node(place).map_err(Failure::Unsent)?), true),
            };
            let Some(node) = node else {
                let error = self.learn(lessons, None, None).await;
                let failure = Failure::Unsent(error.unwrap_or_else(nobody));
                if owner().is_none() && !(failure.is_transient() && patience.allows_pause().await) {
                    return Err(failure);
                }
                continue;
            };
            let answers =
                if is_asking { ask(&node, message).await } else { node.send(message).await };
            match answers {
                Ok(answers) => return Ok(answers),
                Err(failure) => failed = Some((node, failure)),
            }
        }
    }

    async fn next(
        &self,
        node: &Node,
        failure: Failure,
        request: Request,
        lessons: usize,
        patience: &mut Patience,
    ) -> Result<Next, Failure> {
        match Verdict::on(&failure, request, node.place.as_ref()) {
            Verdict::Final => Err(failure),
            Verdict::Moved(to) if patience.allows_hop() => {
                self.learn(lessons, Some(&to), None).await;
                Ok(Next::To(to))
            }
            Verdict::Asking(to) if patience.allows_hop() => Ok(Next::Asking(to)),
            _ => {
                if !patience.allows_pause().await {
                    return Err(failure);
                }
                self.learn(lessons, None, node.place.as_ref()).await;
                Ok(Next::ToOwner)
            }
        }
    }

    /// Asks nodes who is responsible for what, unless another request has done so since there were so many
    /// `lessons`: first the one that should know best, last the one that has just failed. Why none of them
    /// told, if so.
    async fn learn(
        &self,
        lessons: usize,
        best: Option<&Place>,
        worst: Option<&Place>,
    ) -> Option<RedisError> {
        let mut last = self.learning.lock().await;
        if self.lessons.load(Ordering::Acquire) != lessons {
            return last.clone();
        }
        let informants = self.informants(best, worst);
        let answer = timeout(self.settings.timeouts.both(), self.question(informants)).await;
        *last = match answer {
            Ok(Ok(slots)) => {
                self.remember(slots);
                None
            }
            Ok(Err(failure)) => Some(failure.into_error()),
            Err(_) => Some(nobody()),
        };
        self.lessons.fetch_add(1, Ordering::Release);
        last.clone()
    }

    /// That all refuse for good is final; one that may answer a moment later is worth waiting for.
    async fn question(&self, informants: Vec<Place>) -> Result<Slots, Failure> {
        let mut reason = None;
        for place in informants {
            let Ok(node) = self.node(&place) else { continue };
            let answer = node.send(Message::of(&|| vec![cluster_slots()])).await;
            let error = match answer.map(|answers| Slots::parse(answers.first()?, &place)) {
                Ok(Some(slots)) => return Ok(slots),
                Ok(None) => nobody(),
                Err(failure) => failure.into_error(),
            };
            let next = Failure::Unsent(error);
            if reason.as_ref().is_none_or(|_| next.is_transient()) {
                reason = Some(next);
            }
        }
        Err(reason.unwrap_or_else(|| Failure::Unsent(nobody())))
    }

    fn informants(&self, best: Option<&Place>, worst: Option<&Place>) -> Vec<Place> {
        let mut known: Vec<_> = self.lock().slots.places().cloned().collect();
        if !known.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % known.len();
            known.rotate_left(turn);
        }
        let all = best.into_iter().cloned().chain(known).chain(self.seeds.iter().cloned());
        let mut informants: Vec<Place> = Vec::new();
        for place in all {
            if Some(&place) != worst && !informants.contains(&place) {
                informants.push(place);
            }
        }
        informants.extend(worst.cloned());
        informants
    }

    /// Keeps the connections to nodes that still are in the cluster.
    fn remember(&self, slots: Slots) {
        let mut map = self.lock();
        let known = |place| match map.node(place) {
            Some(node) => Ok(node),
            None => self.settings.node(place.info(&self.info)).map(Arc::new),
        };
        let Ok(mut nodes) = slots.places().map(known).collect::<RedisResult<Vec<_>>>() else {
            return;
        };
        let is_named = |place| slots.places().any(|named| named == place);
        let seeds = self.seeds.iter().filter(|seed| !is_named(*seed));
        nodes.extend(seeds.filter_map(|seed| map.node(seed)));
        *map = Map { slots, nodes };
    }

    fn node(&self, place: &Place) -> RedisResult<Arc<Node>> {
        let mut map = self.lock();
        if let Some(node) = map.node(place) {
            return Ok(node);
        }
        let node = Arc::new(self.settings.node(place.info(&self.info))?);
        map.nodes.push(Arc::clone(&node));
        Ok(node)
    }

    fn lock(&self) -> MutexGuard<'_, Map> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every command has to be announced on its own.
async fn ask(node: &Node, message: Message<'_>) -> Result<Vec<Value>, Failure> {
    let announced = || {
        let commands = (message.commands)().into_iter();
        commands.flat_map(|command| [redis::cmd("ASKING"), command]).collect()
    };
    let mut answers = node.send(Message { commands: &announced, ..message }).await?;
    let waited = if message.waits { answers.pop() } else { None };
    Ok(answers.into_iter().skip(1).step_by(2).chain(waited).collect())
}

fn cluster_slots() -> Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    command
}

fn nobody() -> RedisError {
    (redis::ErrorKind::ClusterConnectionNotFound, "no node knows a primary for the key").into()
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("nodes", &self.lock().nodes.len()).finish_non_exhaustive()
    }
}
