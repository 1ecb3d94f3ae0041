//! Judges every response against what was acknowledged before, in plain maps.

mod judge;
mod tally;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::http::Answer;

pub(crate) use tally::Tally;
use world::World;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Rotate,
    /// The user of the session signs in again.
    SignInAgain,
    SignOut,
    EndAll,
    EndOthers,
    /// Whether the session is among those of its user.
    List,
    Increment,
    Set(u64),
    Push(u64),
    Read,
    /// Whether no other request of the browser is under way.
    State {
        is_alone: bool,
    },
}

impl Op {
    /// Method and path, for the given tab.
    pub(crate) fn route(&self, tab: usize) -> (&'static str, String) {
        let path = match self {
            Self::State { .. } => return ("GET", "/state".to_owned()),
            Self::List => return ("GET", "/listed".to_owned()),
            Self::Rotate => "/rotate".to_owned(),
            Self::SignInAgain => "/sign-in-again".to_owned(),
            Self::SignOut => "/sign-out".to_owned(),
            Self::EndAll => "/end-all".to_owned(),
            Self::EndOthers => "/end-others".to_owned(),
            Self::Increment => "/increment".to_owned(),
            Self::Set(value) => format!("/set/tab{tab}/{value}"),
            Self::Push(note) => format!("/push/{note}"),
            Self::Read => "/read".to_owned(),
        };
        ("POST", path)
    }

    pub(crate) fn is_ending(&self) -> bool {
        matches!(self, Self::SignOut | Self::EndAll | Self::EndOthers)
    }

    /// Whether it changes only what the session holds.
    fn is_change(&self) -> bool {
        matches!(self, Self::Increment | Self::Set(_) | Self::Push(_))
    }

    /// Whether it restarts the idle timeout.
    fn is_write(&self) -> bool {
        self.is_change() || self.changes_id()
    }

    fn changes_id(&self) -> bool {
        matches!(self, Self::Rotate | Self::SignInAgain)
    }
}

/// A request that is under way, and what was known when it was sent.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) op: Op,
    pub(crate) cookie: String,
    tab: usize,
    lineage: u64,
    sent: Instant,
    rotations: u64,
    was_rotating: bool,
    /// How many sign-ins had been answered.
    sign_ins: u64,
    /// The increments that were acknowledged.
    count: u64,
    /// The sessions that it ends.
    ends: Vec<u64>,
}

/// A sign-in that is under way.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) user: usize,
    pub(crate) cookie: Option<String>,
    /// The session of another user that the client presents.
    old: Option<u64>,
    sent: Instant,
}

/// A cookie that must not be live.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) cookie: String,
    why: &'static str,
    since: Instant,
    sent: Instant,
}

/// Shared by all clients and the faults.
#[derive(Debug)]
pub(crate) struct Oracle(Mutex<World>);

impl Oracle {
    pub(crate) fn new(idle: Duration) -> Self {
        Self(Mutex::new(World::new(idle)))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the client needs another session, because this one has ended or may be.
    pub(crate) fn is_over(&self, lineage: u64) -> bool {
        let world = self.world();
        world.lineages.get(&lineage).is_none_or(|it| it.is_over || it.ended.is_some())
    }

    /// Whether much about this session is in doubt, so that the client should begin a new one.
    pub(crate) fn is_in_doubt(&self, lineage: u64) -> bool {
        self.world().lineages.get(&lineage).is_none_or(|it| it.is_in_doubt())
    }

    /// Whether so many notifications may be unread that the next one could replace one.
    pub(crate) fn has_many_unread(&self, lineage: u64) -> bool {
        self.world().lineages.get(&lineage).is_some_and(|it| it.unread() > 40)
    }

    pub(crate) fn next_note(&self, lineage: u64) -> Option<u64> {
        self.world().lineages.get_mut(&lineage).map(|it| it.next_note())
    }

    pub(crate) fn next_value(&self, lineage: u64, tab: usize) -> Option<u64> {
        self.world().lineages.get_mut(&lineage).map(|it| it.next_value(tab))
    }

    pub(crate) fn begin(&self, lineage: u64, tab: usize, op: Op) -> Option<Ticket> {
        self.world().begin(lineage, tab, op)
    }

    pub(crate) fn end(&self, ticket: Ticket, answer: &Answer) {
        self.world().end(ticket, answer);
    }

    pub(crate) fn begin_sign_in(&self, user: usize, old: Option<u64>) -> SignIn {
        self.world().begin_sign_in(user, old)
    }

    /// Returns the new session.
    pub(crate) fn end_sign_in(&self, sign_in: SignIn, answer: &Answer) -> Option<u64> {
        self.world().end_sign_in(sign_in, answer)
    }

    /// The client forgets the session. It must end at its idle timeout.
    pub(crate) fn abandon(&self, lineage: u64) {
        self.world().abandon(lineage);
    }

    /// After a clean read, with no request under way: every acknowledged notification was handed out.
    pub(crate) fn judge_notes(&self, lineage: u64) {
        self.world().judge_notes(lineage);
    }

    pub(crate) fn probe(&self, random: u64) -> Option<Probe> {
        self.world().probe(random)
    }

    pub(crate) fn end_probe(&self, probe: &Probe, answer: &Answer) {
        self.world().end_probe(probe, answer);
    }

    /// How many cookies must not be live.
    pub(crate) fn dead(&self) -> usize {
        self.world().dead.len()
    }

    /// The store begins to lose all sessions.
    pub(crate) fn begin_emptying(&self) -> Instant {
        self.world().begin_emptying()
    }

    /// The store has lost all sessions that were there at this time.
    pub(crate) fn end_emptying(&self, begun: Instant) {
        self.world().end_emptying(begun);
    }

    /// A server that is no primary any more may answer.
    pub(crate) fn begin_blur(&self) {
        self.world().begin_blur();
    }

    /// From `until` on, only primaries answer.
    pub(crate) fn end_blur(&self, until: Instant) {
        self.world().end_blur(until);
    }

    pub(crate) fn fault_begins(&self, name: String) {
        self.world().tally.fault_begins(name);
    }

    pub(crate) fn find(&self, kind: &'static str, text: String) {
        self.world().tally.find(kind, text);
    }

    pub(crate) fn tally(&self) -> Tally {
        self.world().tally.clone()
    }

    pub(crate) fn has_found(&self, kind: &str) -> bool {
        self.world().tally.found.contains_key(kind)
    }
}
