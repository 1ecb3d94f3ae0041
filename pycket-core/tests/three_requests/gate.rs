//! A store that carries out a call only when the test lets it, in the way that the test chooses.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionStore, Ttl, Update,
};

use crate::names::{Name, digest_of};
use crate::records::Records;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Method {
    Create,
    Load,
    Update,
    Delete,
}

/// A call for which a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Call {
    pub(crate) request: u8,
    pub(crate) method: Method,
    pub(crate) target: Name,
    /// How many such calls the request made before.
    pub(crate) nth: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum How {
    Done,
    /// It does not happen, and the error says so.
    Refused,
    /// It does not happen, and the error does not tell.
    Lost,
    /// It happens, and its reply is lost.
    Unanswered,
    /// It does not happen, and the request stops, like a server that is killed.
    Crashed,
}

/// What the calls of one request did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    pub(crate) waiting: Vec<Call>,
    asked: Vec<Call>,
    /// A number for all replies that the request has got. It decides what the request does next.
    digest: u64,
    /// Whether it has deleted a record.
    pub(crate) has_deleted: bool,
    /// Whether it has deleted a record that another of the three requests created.
    pub(crate) has_deleted_anothers: bool,
    /// The call that failed, and whether it had deleted a record before.
    pub(crate) fault: Option<(Method, How, bool)>,
}

#[derive(Debug)]
pub(crate) struct Gate(Mutex<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    records: Records,
    journals: [Journal; 3],
    granted: Option<(Call, How)>,
}

impl Gate {
    pub(crate) fn new(records: Records) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner { records, journals: Default::default(), granted: None })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(crate) fn records(&self) -> Records {
        self.inner().records.clone()
    }

    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.inner().records.sessions()
    }

    pub(crate) fn journal(&self, request: usize) -> Journal {
        self.inner().journals[request].clone()
    }

    /// The calls for which requests wait, in an order that does not depend on random ids.
    pub(crate) fn waiting(&self) -> Vec<Call> {
        let mut waiting: Vec<_> =
            self.inner().journals.iter().flat_map(|journal| journal.waiting.clone()).collect();
        waiting.sort();
        waiting
    }

    /// Carries out a call when its request is polled next.
    pub(crate) fn grant(&self, call: Call, how: How) {
        let mut inner = self.inner();
        let journal = &mut inner.journals[usize::from(call.request)];
        assert!(journal.waiting.contains(&call), "the request makes other calls than before");
        if how != How::Done {
            journal.fault = Some((call.method, how, journal.has_deleted));
        }
        if how == How::Crashed {
            journal.waiting.clear();
            journal.note(call, how, 0);
        } else {
            inner.granted = Some((call, how));
        }
    }

    /// A number for what the store holds and what the requests know.
    pub(crate) fn digest(&self) -> u64 {
        let mut inner = self.inner();
        let records = inner.records.digest();
        digest_of(&(records, inner.journals.each_ref().map(|journal| journal.digest)))
    }
}

impl Journal {
    fn note(&mut self, call: Call, how: How, reply: u64) {
        // A sum, because of calls that one request makes at the same time the order does not count.
        self.digest = self.digest.wrapping_add(digest_of(&(call, how, reply)));
    }
}

/// The store as one request sees it. Without a request each call happens at once.
#[derive(Debug)]
pub(crate) struct GatedStore {
    gate: Arc<Gate>,
    request: Option<u8>,
}

impl GatedStore {
    pub(crate) fn new(gate: Arc<Gate>, request: Option<u8>) -> Self {
        Self { gate, request }
    }

    async fn call<T>(
        &self,
        method: Method,
        id: &SessionId,
        act: impl FnOnce(&mut Records, u8) -> (T, u64) + Send,
    ) -> Result<T, Error> {
        let Some(request) = self.request else {
            let mut inner = self.gate.inner();
            inner.records.name(id, 0);
            return Ok(act(&mut inner.records, 0).0);
        };
        let call = self.ask(request, method, id);
        let how = poll_fn(|_| self.granted(call)).await;
        self.answer(call, how, act)
    }

    fn ask(&self, request: u8, method: Method, id: &SessionId) -> Call {
        let mut inner = self.gate.inner();
        let target = inner.records.name(id, request + 1);
        let journal = &mut inner.journals[usize::from(request)];
        let same = |call: &&Call| call.method == method && call.target == target;
        let nth = u8::try_from(journal.asked.iter().filter(same).count()).unwrap();
        let call = Call { request, method, target, nth };
        journal.asked.push(call);
        journal.waiting.push(call);
        call
    }

    fn granted(&self, call: Call) -> Poll<How> {
        match self.gate.inner().granted.take_if(|(granted, _)| *granted == call) {
            Some((_, how)) => Poll::Ready(how),
            None => Poll::Pending,
        }
    }

    fn answer<T>(
        &self,
        call: Call,
        how: How,
        act: impl FnOnce(&mut Records, u8) -> (T, u64),
    ) -> Result<T, Error> {
        let mut inner = self.gate.inner();
        let happens = matches!(how, How::Done | How::Unanswered);
        let before = inner.records.len();
        let reply = happens.then(|| act(&mut inner.records, call.request + 1));
        let has_deleted = inner.records.len() < before;
        let journal = &mut inner.journals[usize::from(call.request)];
        journal.waiting.retain(|waiting| *waiting != call);
        journal.has_deleted |= has_deleted;
        journal.has_deleted_anothers |= has_deleted && call.target.is_anothers(call.request + 1);
        let seen = reply.as_ref().filter(|_| how == How::Done).map_or(0, |(_, digest)| *digest);
        journal.note(call, how, seen);
        match (how, reply) {
            (How::Done, Some((reply, _))) => Ok(reply),
            (How::Refused, _) => Err(Error::new(ErrorKind::Unavailable, "the store is down")),
            _ => Err(Error::new(ErrorKind::Ambiguous, "the reply is lost")),
        }
    }
}

#[async_trait]
impl SessionStore for GatedStore {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let create = |records: &mut Records, maker| {
            let created = records.create(*id, record, ttl, maker);
            (created, u64::from(created == Creation::Created))
        };
        self.call(Method::Create, id, create).await
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let load = |records: &mut Records, _| {
            let loaded = records.get(id).map(|(record, rest)| Loaded::new(record, rest));
            (loaded, digest_of(&records.digest_of(id)))
        };
        self.call(Method::Load, id, load).await
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let update = |records: &mut Records, maker| {
            let updated = records.update(*id, changes, ttl, maker);
            let number = [Update::Applied, Update::Ended].iter().position(|one| *one == updated);
            (updated, digest_of(&number))
        };
        self.call(Method::Update, id, update).await
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let delete = |records: &mut Records, _| {
            let digest = records.digest_of(id);
            (records.delete(id), digest_of(&digest))
        };
        self.call(Method::Delete, id, delete).await
    }
}
