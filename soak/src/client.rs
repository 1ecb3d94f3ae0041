//! Browsers, each with several tabs that send requests at the same time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::http::{Answer, Connection, Manner, Response};
use crate::lineage::TABS;
use crate::oracle::{Op, Oracle};

/// So many browsers share the sessions of one user.
const BROWSERS_PER_USER: usize = 3;

/// How long a browser tries to learn what its session holds before it gives up.
const SETTLE_LIMIT: Duration = Duration::from_secs(15);

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) servers: Vec<SocketAddr>,
    pub(crate) browsers: usize,
    /// How long a client waits for a response.
    pub(crate) limit: Duration,
    pub(crate) is_over: AtomicBool,
}

impl Site {
    fn users(&self) -> usize {
        self.browsers.div_ceil(BROWSERS_PER_USER)
    }

    /// A connection to each server, for one tab.
    fn connections(&self) -> Vec<Connection> {
        self.servers.iter().map(|at| Connection::new(*at, self.limit)).collect()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// The cookie jar of all tabs.
#[derive(Debug, Default)]
struct Browser {
    /// Held for writing by a tab that needs the others to be quiet.
    quiet: RwLock<()>,
    session: Mutex<Option<u64>>,
    /// So many tabs give the session another id next, because one of them is about to end it.
    rotations: AtomicUsize,
}

impl Browser {
    fn session(&self) -> Option<u64> {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn takes_rotation(&self) -> bool {
        let take = |left: usize| left.checked_sub(1);
        self.rotations.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn set_session(&self, session: Option<u64>) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }
}

struct Tab {
    site: Arc<Site>,
    browser: Arc<Browser>,
    number: usize,
    random: Rng,
    connections: Vec<Connection>,
}

/// Runs all browsers until the site is over.
pub(crate) async fn browse(site: &Arc<Site>, seed: u64) {
    let mut tabs = JoinSet::new();
    for browser_number in 0..site.browsers {
        let browser = Arc::new(Browser::default());
        for number in 0..TABS {
            let index = (browser_number * TABS + number) as u64;
            let tab = Tab {
                site: site.clone(),
                browser: browser.clone(),
                number,
                random: Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(index)),
                connections: site.connections(),
            };
            tabs.spawn(tab.run());
        }
    }
    while tabs.join_next().await.is_some() {}
}

/// Asks once for every cookie that must not be live. `rounds` of them, chosen at random.
pub(crate) async fn probe_all(site: &Arc<Site>, seed: u64, rounds: usize) {
    let tab = Tab {
        site: site.clone(),
        browser: Arc::default(),
        number: 0,
        random: Rng::with_seed(seed),
        connections: site.connections(),
    };
    let mut tab = tab;
    for _ in 0..rounds {
        tab.probe().await;
    }
}

impl Tab {
    async fn run(mut self) {
        let browser = self.browser.clone();
        while !self.site.is_over() {
            let live = browser.session().filter(|session| !self.site.oracle.is_over(*session));
            let Some(session) = live else {
                let _quiet = browser.quiet.write().await;
                self.change_session().await;
                continue;
            };
            let chance = if self.site.oracle.is_in_doubt(session) { 10 } else { 120 };
            if self.random.u32(..chance) == 0 {
                let _quiet = browser.quiet.write().await;
                if browser.session() == Some(session) {
                    self.finish(session).await;
                }
                continue;
            }
            let _shared = browser.quiet.read().await;
            // Another tab may have changed the session meanwhile.
            if browser.session() == Some(session) {
                self.visit(session).await;
            }
        }
        let _quiet = browser.quiet.write().await;
        if let Some(session) = browser.session().filter(|it| !self.site.oracle.is_over(*it)) {
            self.settle(session).await;
            browser.set_session(None);
            self.site.oracle.abandon(session);
        }
    }

    /// One request of a random kind.
    async fn visit(&mut self, session: u64) {
        let oracle = self.site.oracle.clone();
        let op = match self.random.u32(..1000) {
            _ if self.browser.takes_rotation() => Some(Op::Rotate),
            0..220 => Some(Op::Increment),
            220..400 => oracle.next_value(session, self.number).map(Op::Set),
            400..580 if !oracle.has_many_unread(session) => oracle.next_note(session).map(Op::Push),
            400..740 => Some(Op::Read),
            740..820 => Some(Op::State { is_alone: false }),
            820..840 => Some(Op::List),
            840..895 => Some(Op::Rotate),
            895..905 => Some(Op::SignInAgain),
            905..908 => Some(Op::SignOut),
            908..911 => Some(Op::EndAll),
            911..914 => Some(Op::EndOthers),
            _ => return self.probe().await,
        };
        let manner = match self.random.u32(..100) {
            0 if op != Some(Op::SignInAgain) => {
                Manner::Cancel(Duration::from_micros(self.random.u64(..8000)))
            }
            1 => Manner::Slow(Duration::from_millis(self.random.u64(1..60))),
            _ => Manner::Plain,
        };
        if let Some(op) = op {
            if op.is_ending() {
                self.browser.rotations.store(TABS - 1, Ordering::Relaxed);
                sleep(Duration::from_millis(self.random.u64(..20))).await;
            }
            self.send(session, op, manner).await;
        }
    }

    /// Sends a request, has it judged, and returns the status of the response.
    async fn send(&mut self, session: u64, op: Op, manner: Manner) -> Option<u16> {
        let oracle = self.site.oracle.clone();
        let (method, path) = op.route(self.number);
        let ticket = oracle.begin(session, self.number, op)?;
        let cookies = self.cookies(&ticket.cookie);
        let answer = self.connection().send((method, &path), Some(&cookies), manner).await;
        oracle.end(ticket, &answer);
        self.rest(&answer).await;
        match answer {
            Answer::Response(response) => Some(response.status),
            _ => None,
        }
    }

    /// The cookie, and sometimes that of an ended session before it, as from another path of the site.
    fn cookies(&mut self, cookie: &str) -> String {
        let ended = self.random.u8(..50) == 0;
        let ended = ended.then(|| self.site.oracle.probe(self.random.u64(..))).flatten();
        ended.map_or_else(|| cookie.to_owned(), |ended| format!("{}; {cookie}", ended.cookie))
    }

    async fn probe(&mut self) {
        let Some(probe) = self.site.oracle.probe(self.random.u64(..)) else { return };
        let answer =
            self.connection().send(("GET", "/state"), Some(&probe.cookie), Manner::Plain).await;
        self.site.oracle.end_probe(&probe, &answer);
        self.rest(&answer).await;
    }

    /// Begins a new session, in the browser of one that is over or in a fresh one.
    async fn change_session(&mut self) {
        let old = self.browser.session();
        if old.is_some_and(|old| !self.site.oracle.is_over(old)) {
            return;
        }
        self.sign_in(old).await;
    }

    /// Signs a user in. Half of the time the client presents the cookie of `old`, if that belongs to another user. The
    /// other half shows whether a session is live that had to be ended before.
    async fn sign_in(&mut self, old: Option<u64>) {
        let oracle = self.site.oracle.clone();
        let user = self.random.usize(..self.site.users());
        let presented = old.filter(|_| self.random.bool());
        let sign_in = oracle.begin_sign_in(user, presented);
        let path = format!("/sign-in/user{user}");
        let cookie = sign_in.cookie.clone();
        let answer =
            self.connection().send(("POST", &path), cookie.as_deref(), Manner::Plain).await;
        let session = oracle.end_sign_in(sign_in, &answer);
        old.into_iter().for_each(|old| oracle.abandon(old));
        self.browser.set_session(session);
        self.rest(&answer).await;
    }

    /// Judges all that the session holds, and leaves it in one of several ways.
    async fn finish(&mut self, session: u64) {
        self.settle(session).await;
        match self.random.u32(..10) {
            0..3 => drop(self.send(session, Op::SignOut, Manner::Plain).await),
            3 => drop(self.send(session, Op::EndAll, Manner::Plain).await),
            4..6 => return self.sign_in(Some(session)).await,
            6..8 => {
                self.browser.set_session(None);
                self.site.oracle.abandon(session);
            }
            _ => {}
        }
    }

    /// Reads what is unread and looks at all values, while no other tab sends requests.
    async fn settle(&mut self, session: u64) {
        let begin = Instant::now();
        while begin.elapsed() < SETTLE_LIMIT {
            match self.send(session, Op::Read, Manner::Plain).await {
                Some(200) => {
                    self.site.oracle.judge_notes(session);
                    break;
                }
                Some(401) => return,
                _ => {}
            }
        }
        while begin.elapsed() < SETTLE_LIMIT {
            let state = self.send(session, Op::State { is_alone: true }, Manner::Plain).await;
            if matches!(state, Some(200 | 401)) {
                return;
            }
        }
    }

    fn connection(&mut self) -> &mut Connection {
        let index = self.random.usize(..self.connections.len());
        #[expect(clippy::indexing_slicing, reason = "the index is below the length")]
        &mut self.connections[index]
    }

    /// Waits a little after a failure, so that a store that is down is not asked all the time.
    async fn rest(&mut self, answer: &Answer) {
        if !matches!(answer, Answer::Response(Response { status: 200 | 401 | 409, .. })) {
            sleep(Duration::from_millis(self.random.u64(20..100))).await;
        }
    }
}
