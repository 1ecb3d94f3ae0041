use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use pycket_core::{Clock, Expiry, Renew, Session, SessionId, SessionManager, SessionStore};
use pycket_testkit::{ManualClock, Task};

use crate::gate::{Call, Gate, GatedStore, How, Method};
use crate::names::digest_of;
use crate::records::{Defect, Records};
use crate::requests::{Done, Kind, Report, Reports, Then, request};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the laptop's session was before the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// No user has signed in.
    Anonymous,
    /// The user has just signed in.
    SignedIn,
    /// The user signed in half an idle timeout ago, and the session has another id since then. So each request
    /// renews it, in the index as well.
    Aged,
}

/// A store with a session, from which each run begins.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) past: Past,
    records: Records,
    elapsed: Duration,
    laptop: SessionId,
    phone: SessionId,
}

/// A choice of the test: which call happens next, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Choice {
    pub(crate) call: Call,
    pub(crate) how: How,
}

/// Three requests on the session of the laptop.
pub(crate) struct World {
    pub(crate) setting: Setting,
    pub(crate) kinds: [Kind; 3],
    pub(crate) then: Then,
    pub(crate) gate: Arc<Gate>,
    tasks: [Option<Task>; 3],
    reports: Reports,
    /// For each request that ends all sessions, which sign-ins had finished when it began.
    finished_before: [Option<[bool; 3]>; 3],
    clock: ManualClock,
}

impl Setting {
    pub(crate) fn new(past: Past) -> Self {
        let clock = ManualClock::new();
        let gate = Gate::new(Records::default());
        let manager = manager(GatedStore::new(gate.clone(), None), &clock);
        let phone = now(manager.open(None)).unwrap();
        phone.log_in("ann").unwrap();
        phone.remember(30 * DAY, 365 * DAY).unwrap();
        now(phone.commit()).unwrap();
        let laptop = now(manager.open(None)).unwrap();
        laptop.set("laptop", &true).unwrap();
        laptop.set("n", &0).unwrap();
        if past != Past::Anonymous {
            laptop.log_in("ann").unwrap();
        }
        now(laptop.commit()).unwrap();
        if past == Past::Aged {
            laptop.cycle_id();
            now(laptop.commit()).unwrap();
            clock.advance(DAY / 2);
        }
        let [laptop, phone] = [laptop, phone].map(|session| session.id().unwrap());
        let mut records = gate.records();
        records.pass(clock.elapsed());
        Self { past, records, elapsed: clock.elapsed(), laptop, phone }
    }

    pub(crate) fn with(mut self, defect: Defect) -> Self {
        self.records.defect = Some(defect);
        self
    }
}

impl World {
    pub(crate) fn new(setting: &Setting, kinds: [Kind; 3], then: Then) -> Self {
        let clock = ManualClock::new();
        clock.advance(setting.elapsed);
        let gate = Gate::new(setting.records.clone());
        let reports = Reports::default();
        let mut nth = 0;
        let tasks = kinds.map(|kind| {
            let store = GatedStore::new(gate.clone(), Some(u8::try_from(nth).unwrap()));
            let manager = manager(store, &clock);
            let task = request((nth, kind), then, manager, setting.laptop, reports.clone());
            nth += 1;
            Some(task)
        });
        let setting = setting.clone();
        let mut world =
            Self { setting, kinds, then, gate, tasks, reports, finished_before: [None; 3], clock };
        (0..3).for_each(|nth| world.poll(nth));
        world
    }

    fn poll(&mut self, nth: usize) {
        let Some(task) = &mut self.tasks[nth] else { return };
        if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            self.tasks[nth] = None;
        } else {
            let waits = self.gate.waiting().iter().any(|call| usize::from(call.request) == nth);
            assert!(waits, "the request waits for no call");
        }
    }

    /// What can happen next. As long as no call has failed, each call can fail.
    pub(crate) fn choices(&self, may_fail: bool) -> Vec<Choice> {
        let may_fail = may_fail && self.faulted().is_none();
        let mut choices = Vec::new();
        for call in self.gate.waiting() {
            let hows: &[How] = match call.method {
                _ if !may_fail => &[How::Done],
                // A driver repeats a load whose reply is lost.
                Method::Load => &[How::Done, How::Refused, How::Crashed],
                _ => &[How::Done, How::Refused, How::Lost, How::Unanswered, How::Crashed],
            };
            choices.extend(hows.iter().map(|how| Choice { call, how: *how }));
        }
        choices
    }

    pub(crate) fn step(&mut self, Choice { call, how }: Choice) {
        let nth = usize::from(call.request);
        if self.kinds[nth] == Kind::EndAll && self.finished_before[nth].is_none() {
            let has_signed_in =
                |nth: usize| self.kinds[nth] == Kind::SignIn && self.report(nth).is_some();
            self.finished_before[nth] = Some([0, 1, 2].map(has_signed_in));
        }
        self.gate.grant(call, how);
        match how {
            How::Crashed => self.tasks[nth] = None,
            _ => self.poll(nth),
        }
    }

    /// Whether it makes no difference which of the two happens first.
    pub(crate) fn are_independent(&self, one: &Choice, other: &Choice) -> bool {
        let kind = |choice: &Choice| self.kinds[usize::from(choice.call.request)];
        let orders = |one, other| kind(one) == Kind::EndAll && kind(other) == Kind::SignIn;
        let changes = |choice: &Choice| {
            choice.call.method != Method::Load && matches!(choice.how, How::Done | How::Unanswered)
        };
        let sees = |choice: &Choice| changes(choice) || choice.how == How::Done;
        let touch = |one, other| changes(one) && sees(other) || changes(other) && sees(one);
        let is_fault = |choice: &Choice| choice.how != How::Done;
        !(one.call == other.call
            || is_fault(one) && is_fault(other)
            || one.call.request == other.call.request && (is_fault(one) || is_fault(other))
            || one.call.target == other.call.target && touch(one, other)
            || orders(one, other)
            || orders(other, one))
    }

    /// A number that is equal in states from which the same can follow.
    pub(crate) fn digest(&self) -> u64 {
        digest_of(&(self.gate.digest(), self.finished_before))
    }

    pub(crate) fn report(&self, nth: usize) -> Option<Report> {
        self.reports.lock().unwrap()[nth]
    }

    pub(crate) fn reports(&self) -> [Option<Report>; 3] {
        *self.reports.lock().unwrap()
    }

    pub(crate) fn is_done(&self, nth: usize) -> bool {
        self.report(nth).is_some_and(|report| report.result.is_ok())
    }

    /// Whether this request ended the session, and has reported it.
    pub(crate) fn has_ended(&self, nth: usize) -> bool {
        let done = self.report(nth).and_then(|report| report.result.ok());
        self.kinds[nth].ends() && done.is_some_and(|done| done != Done::NoSession)
    }

    /// The request that failed.
    pub(crate) fn faulted(&self) -> Option<usize> {
        (0..3).find(|nth| self.gate.journal(*nth).fault.is_some())
    }

    pub(crate) fn had_finished_before(&self, end_all: usize) -> [bool; 3] {
        self.finished_before[end_all].unwrap_or_default()
    }

    pub(crate) fn sessions(&self) -> Vec<Found> {
        let issued: Vec<_> = self.reports().iter().flatten().filter_map(|r| r.issued).collect();
        let ids = self.gate.sessions().into_iter();
        ids.map(|id| {
            let session = now(self.plain().open(Some(id))).unwrap();
            let checking = self.plain().to_builder().check_user_index(true).build().unwrap();
            let is_listed =
                session.user_id().is_some() && !now(checking.open(Some(id))).unwrap().is_new();
            let is_known = is_listed || id == self.setting.laptop || issued.contains(&id);
            let is_phone = id == self.setting.phone;
            Found { id, session, is_listed, is_known, is_phone }
        })
        .collect()
    }

    fn plain(&self) -> SessionManager {
        manager(GatedStore::new(self.gate.clone(), None), &self.clock)
    }

    pub(crate) fn laptop(&self) -> SessionId {
        self.setting.laptop
    }
}

/// A session that the store has.
pub(crate) struct Found {
    pub(crate) id: SessionId,
    pub(crate) session: Session,
    pub(crate) is_listed: bool,
    /// Whether a client or the index has the id.
    pub(crate) is_known: bool,
    pub(crate) is_phone: bool,
}

impl Found {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.session.contains(name)
    }
}

fn manager(store: impl SessionStore, clock: &ManualClock) -> SessionManager {
    let expiry = Expiry::builder().idle_timeout(DAY).renew(Renew::OnAccess).build().unwrap();
    SessionManager::builder(store).clock(clock.clone()).expiry(expiry).build().unwrap()
}

/// The result of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(result) => result,
        std::task::Poll::Pending => unreachable!("a call without a request happens at once"),
    }
}
