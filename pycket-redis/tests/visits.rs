//! Ten thousand visits that sign in, write, leave notifications and read them, on two application servers.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a panic is a failure"
)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, IdChange, Loaded, Outcome, Record, SessionId,
    SessionManager, SessionStore, Ttl, Update,
};
use pycket_redis::RedisStore;
use pycket_testkit::servers::Server;

const CLIENTS: usize = 4;
const WORKERS: usize = 6;
const VISITS: usize = 10_000 / (CLIENTS * WORKERS) + 1;

/// Counts the calls whose result is unknown.
#[derive(Debug)]
struct AmbiguousCalls {
    store: RedisStore,
    count: Arc<AtomicUsize>,
}

impl AmbiguousCalls {
    fn seen<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        let is_ambiguous = result.as_ref().is_err_and(|e| e.kind() == ErrorKind::Ambiguous);
        self.count.fetch_add(usize::from(is_ambiguous), Ordering::Relaxed);
        result
    }
}

#[async_trait]
impl SessionStore for AmbiguousCalls {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        self.seen(self.store.create(id, record, ttl).await)
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        self.seen(self.store.load(id).await)
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        self.seen(self.store.update(id, changes, ttl).await)
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        self.seen(self.store.delete(id).await)
    }
}

/// One browser, with several requests at a time.
struct Client {
    cookie: Mutex<SessionId>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    /// Notifications whose commit was acknowledged.
    left: Vec<String>,
    /// Notifications whose commit failed, so that they may be there.
    maybe_left: Vec<String>,
    /// Notifications of sessions that had ended. One whose reply was lost may have been stored before the session
    /// got a new id, and then moved with it.
    dropped: Vec<String>,
    handed_out: Vec<String>,
}

/// What became of all notifications.
#[derive(Debug, Default, PartialEq, Eq)]
struct Judgement {
    lost: usize,
    doubled: usize,
    unknown: usize,
    /// Notifications that were called dropped and are there.
    kept: usize,
}

impl Client {
    async fn new(site: &SessionManager) -> Self {
        let session = site.open(None).await.unwrap();
        session.set("user", "ann").unwrap();
        session.commit().await.unwrap();
        Self { cookie: Mutex::new(session.id().unwrap()), log: Mutex::default() }
    }

    fn cookie(&self) -> SessionId {
        *self.cookie.lock().unwrap()
    }

    async fn visit(&self, site: &SessionManager, kind: usize, text: String) {
        let presented = self.cookie();
        let Ok(session) = site.open(Some(presented)).await else { return };
        if session.is_new() {
            // Another request has signed in since; its cookie is in the browser by now.
            return;
        }
        let mut is_leaving = false;
        match kind % 8 {
            0 | 1 => {
                is_leaving = true;
                session.notifications().push("info", &text).unwrap();
            }
            2..=4 => self.read(&session).await,
            5 => session.set("page", &text).unwrap(),
            6 => session.cycle_id(),
            _ => {
                is_leaving = true;
                session.cycle_id();
                session.notifications().push("info", &text).unwrap();
            }
        }
        let result = session.commit().await;
        if let IdChange::Issued(id) = session.id_change() {
            *self.cookie.lock().unwrap() = id;
        }
        if is_leaving {
            let mut log = self.log.lock().unwrap();
            match result {
                Ok(Outcome::Ended) => log.dropped.push(text),
                Ok(_) => log.left.push(text),
                Err(_) => log.maybe_left.push(text),
            }
        }
    }

    async fn read(&self, session: &pycket_core::Session) {
        while let Ok(Some(text)) = session.notifications().get::<String>("info").await {
            self.log.lock().unwrap().handed_out.push(text);
        }
    }

    async fn judge(&self, site: &SessionManager) -> Judgement {
        let session = site.open(Some(self.cookie())).await.unwrap();
        assert!(!session.is_new(), "the client's last cookie works");
        self.read(&session).await;
        let log = self.log.lock().unwrap();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for text in &log.handed_out {
            *seen.entry(text).or_default() += 1;
        }
        let left = log.left.iter().chain(&log.maybe_left).chain(&log.dropped);
        assert!(seen.keys().all(|text| left.clone().any(|left| left == text)));
        Judgement {
            lost: log.left.iter().filter(|text| !seen.contains_key(text.as_str())).count(),
            doubled: seen.values().filter(|count| **count > 1).count(),
            unknown: log.maybe_left.len(),
            kept: log.dropped.iter().filter(|text| seen.contains_key(text.as_str())).count(),
        }
    }
}

fn site(server: &Server, timeout: Duration, ambiguous: &Arc<AtomicUsize>) -> SessionManager {
    let builder =
        RedisStore::builder(&server.url()).connect_timeout(timeout).response_timeout(timeout);
    let (sessions, notifications) = builder.build_with_notifications().unwrap();
    let counting = |store| AmbiguousCalls { store, count: ambiguous.clone() };
    SessionManager::builder(counting(sessions))
        .notifications(counting(notifications))
        .build()
        .unwrap()
}

/// Makes the visits, and judges each client. Returns the judgements and the number of ambiguous calls.
async fn visits(server: &Server, timeout: Duration) -> (Vec<Judgement>, usize) {
    let ambiguous = Arc::default();
    let sites = [(); 2].map(|()| site(server, timeout, &ambiguous));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Err(());
        while client.is_err() {
            let site = sites[0].clone();
            client = tokio::spawn(async move { Client::new(&site).await }).await.map_err(drop);
        }
        clients.push(Arc::new(client.unwrap()));
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (n, client) in clients.iter().enumerate() {
        for worker in 0..WORKERS {
            let (client, site) = (client.clone(), sites[worker % sites.len()].clone());
            tasks.spawn(async move {
                let mut random = 1 + n * WORKERS + worker;
                for visit in 0..VISITS {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
                    client.visit(&site, random >> 33, format!("{n} {worker} {visit}")).await;
                }
            });
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let mut judgements = Vec::new();
    for client in &clients {
        judgements.push(client.judge(&site(server, timeout, &Arc::default())).await);
    }
    (judgements, ambiguous.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_visits_neither_lose_nor_double_a_notification() {
    let (judgements, ambiguous) = visits(&Server::redis(), Duration::from_secs(60)).await;
    assert_eq!(ambiguous, 0);
    for judgement in judgements {
        assert_eq!(judgement, Judgement::default());
    }
}

/// A client may lose a notification only where the result of a store call stayed unknown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_visits_over_cut_connections_double_no_notification() {
    let server = Arc::new(Server::redis());
    let is_over = Arc::new(AtomicBool::new(false));
    let cutter = std::thread::spawn({
        let (server, is_over) = (server.clone(), is_over.clone());
        move || {
            let mut cuts = 0;
            let mut operator = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                let kill =
                    redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal"]).query(&mut operator);
                cuts += kill.unwrap_or(0_usize);
            }
            cuts
        }
    });

    let (judgements, ambiguous) = visits(&server, Duration::from_secs(60)).await;
    is_over.store(true, Ordering::Relaxed);
    let cuts = cutter.join().unwrap();
    assert!(cuts > 0);
    let lost: usize = judgements.iter().map(|judgement| judgement.lost).sum();
    println!("{cuts} connections cut, {ambiguous} ambiguous calls, {judgements:?}");
    assert!(judgements.iter().all(|judgement| judgement.doubled == 0), "{judgements:?}");
    assert!(lost <= ambiguous, "{lost} lost, {ambiguous} ambiguous calls");
}
