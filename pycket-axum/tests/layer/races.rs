//! Two concurrent requests of one client.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::{Method, Request, StatusCode};
use pycket_axum::{Session, SessionError};
use pycket_cookie::{CookieSettings, KeyRing, Persistence};
use pycket_core::{Expiry, SessionStore};
use pycket_testkit::{Fault, ManualClock, PausingStore, Task, every_order};
use tokio::sync::Notify;

use crate::site::{KEY, Plan, Response, Site, manager, request, send};

/// Two routes that load the session and then wait for `go_on`: `/slow/write` and `/slow/read`.
#[derive(Clone, Default)]
pub(crate) struct Slow {
    began: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Slow {
    pub(crate) fn plan(&self) -> Plan {
        let wait = self.clone();
        let write = async move |session: Session| {
            wait.wait().await;
            session.set("slow", &1)?;
            Ok::<_, SessionError>("written")
        };
        let wait = self.clone();
        let read = async move |session: Session| {
            wait.wait().await;
            session.keys().join(",")
        };
        Plan::with(Router::new().route("/slow/write", post(write)).route("/slow/read", post(read)))
    }

    fn site(&self) -> Site {
        self.plan().open()
    }

    async fn wait(&self) {
        self.began.notify_one();
        self.go_on.notified().await;
    }

    /// The responses of the slow route and of `path`, which is requested while the slow route waits.
    async fn meanwhile(
        &self,
        site: &Site,
        slow: &str,
        path: &str,
        cookie: &str,
    ) -> (Response, Response) {
        let send = |path| request(Method::POST, path, cookie);
        self.while_waiting(site, send(slow), send(path)).await
    }

    /// The responses to a request of a slow route, and to another one that is sent while the first waits.
    pub(crate) async fn while_waiting(
        &self,
        site: &Site,
        slow: Request<Body>,
        other: Request<Body>,
    ) -> (Response, Response) {
        let other = async {
            self.began.notified().await;
            let response = site.send(other).await;
            self.go_on.notify_one();
            response
        };
        tokio::join!(site.send(slow), other)
    }
}

#[tokio::test]
async fn late_write_does_not_revive_a_logged_out_session() {
    let slow = Slow::default();
    let site = slow.site();
    let cookie = site.client().await;
    let (late, logout) = slow.meanwhile(&site, "/slow/write", "/logout", &cookie).await;
    assert_eq!(logout.cookie(), "PYCKET_ID=");
    assert_eq!((late.status, &*late.body), (StatusCode::OK, "written"));
    assert!(late.set_cookies().is_empty(), "it must not overwrite a newer cookie");
    assert!(site.memory.is_empty());
    assert_eq!(site.names(&cookie).await, "");
}

#[tokio::test]
async fn late_write_does_not_overwrite_the_cookie_of_a_login() {
    let slow = Slow::default();
    let site = slow.site();
    let old = site.client().await;
    let (late, login) = slow.meanwhile(&site, "/slow/write", "/login", &old).await;
    assert!(late.set_cookies().is_empty());
    assert_eq!(site.names(&login.cookie()).await, "login,user");
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn write_after_a_commit_that_returned_ended_creates_no_session() {
    let slow = Slow::default();
    let wait = slow.clone();
    let handler = async move |session: Session| {
        wait.wait().await;
        session.set("early", &1)?;
        let outcome = session.commit().await?;
        session.set("late", &1)?;
        Ok::<_, SessionError>(format!("{outcome:?}"))
    };
    let site = Plan::with(Router::new().route("/slow/write", post(handler))).open();
    let cookie = site.client().await;
    let (late, _) = slow.meanwhile(&site, "/slow/write", "/logout", &cookie).await;
    assert_eq!((late.status, &*late.body), (StatusCode::OK, "Ended"));
    assert!(late.set_cookies().is_empty());
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn late_read_with_an_outdated_key_does_not_overwrite_a_newer_cookie() {
    for path in ["/login", "/logout"] {
        let slow = Slow::default();
        let before = Site::new();
        let old = before.client().await;
        let keys = KeyRing::builder("the key after the rotation, long enough").previous(KEY);
        let keys = keys.build().unwrap();
        let site = Plan { keys, memory: Some(before.memory.clone()), ..slow.plan() }.open();
        let (late, newer) = slow.meanwhile(&site, "/slow/read", path, &old).await;
        assert_eq!((late.status, &*late.body), (StatusCode::OK, "user"));
        assert!(late.set_cookies().is_empty(), "{path}: its session has ended");
        assert_ne!(newer.cookie(), old);
    }
}

/// Handlers that store something early and then wait.
fn early(slow: &Slow) -> Router {
    let (update, commit, outdated) = (slow.clone(), slow.clone(), slow.clone());
    let updating = async move |session: Session| {
        session.update("early", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
        update.wait().await;
        Ok::<_, SessionError>(())
    };
    let committing = async move |session: Session| {
        session.set("early", &1)?;
        session.commit().await?;
        commit.wait().await;
        Ok::<_, SessionError>(())
    };
    let writing_late = async move |session: Session| {
        session.update("early", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
        outdated.wait().await;
        session.set("late", &1)?;
        Ok::<_, SessionError>(())
    };
    Router::new()
        .route("/early/update", post(updating))
        .route("/early/commit", post(committing))
        .route("/early/write", post(writing_late))
}

/// The age of a session at which a renewal refreshes its cookie.
const REFRESH: Duration = Duration::from_secs(Expiry::DEFAULT_IDLE.as_secs() / 10);

/// The settings under which a response may issue the cookie of a live session again.
fn reissuing() -> [(&'static str, Plan); 4] {
    let with = |persistence| {
        let settings = CookieSettings::builder().persistence(persistence).build().unwrap();
        Plan { settings, ..Plan::default() }
    };
    let keys = KeyRing::builder("the key after the rotation, long enough").previous(KEY);
    let rotated = Plan { keys: keys.build().unwrap(), ..Plan::default() };
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    [
        ("max age", with(Persistence::days(30))),
        ("follow session", with(Persistence::FollowSession)),
        ("until", with(Persistence::Until(tomorrow))),
        ("outdated key", rotated),
    ]
}

#[tokio::test]
async fn early_commit_does_not_overwrite_a_newer_cookie() {
    for early_path in ["/early/update", "/early/commit", "/early/write", "/slow/read"] {
        for path in ["/login", "/logout"] {
            for (what, plan) in reissuing() {
                let case = format!("{early_path}, {path}, {what}");
                let slow = Slow::default();
                let before = Site::new();
                let old = before.client().await;
                before.clock.advance(REFRESH);
                let routes = slow.plan().routes.merge(early(&slow));
                let site = Plan { routes, memory: Some(before.memory.clone()), ..plan }.open();
                let (late, newer) = slow.meanwhile(&site, early_path, path, &old).await;
                assert_eq!(late.status, StatusCode::OK, "{case}");
                assert_eq!(late.set_cookies(), <[&str; 0]>::default(), "{case}");
                assert_ne!(newer.cookie(), old, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn early_commit_refreshes_the_cookie_of_a_live_session() {
    for early_path in ["/early/update", "/early/commit", "/early/write"] {
        for (what, plan) in reissuing() {
            let slow = Slow::default();
            let before = Site::new();
            let old = before.client().await;
            before.clock.advance(REFRESH);
            let routes = slow.plan().routes.merge(early(&slow));
            let site = Plan { routes, memory: Some(before.memory.clone()), ..plan }.open();
            let (late, _) = slow.meanwhile(&site, early_path, "/untouched", &old).await;
            assert_eq!(late.set_cookies().len(), 1, "{early_path}, {what}");
            assert!(site.names(&late.cookie()).await.contains("user"), "{early_path}, {what}");
        }
    }
}

#[tokio::test]
async fn early_commit_sets_no_cookie_if_the_store_fails_afterwards() {
    for (what, plan) in reissuing() {
        let before = Site::new();
        let old = before.client().await;
        before.clock.advance(REFRESH);
        let slow = Slow::default();
        let routes = early(&slow);
        let site = Plan { routes, memory: Some(before.memory.clone()), ..plan }.open();
        for early_path in ["/early/update", "/early/write"] {
            let other = async {
                slow.began.notified().await;
                site.faults.fail_nth(0, Fault::Before);
                slow.go_on.notify_one();
            };
            let (late, ()) = tokio::join!(site.post(early_path, &old), other);
            site.faults.heal();
            assert!(late.set_cookies().is_empty(), "{early_path}, {what}");
        }
    }
}

#[tokio::test]
async fn concurrent_writes_keep_each_others_values() {
    let slow = Slow::default();
    let site = slow.site();
    let cookie = site.client().await;
    let (slow, quick) = slow.meanwhile(&site, "/slow/write", "/set/quick", &cookie).await;
    assert!(slow.set_cookies().is_empty() && quick.set_cookies().is_empty());
    assert_eq!(site.names(&cookie).await, "quick,slow,user");
}

/// The session of one client, and the responses to its requests in the order of their arrival.
struct World {
    site: Site,
    cookie: String,
    paused: Router,
    responses: Arc<Mutex<Vec<(&'static str, Response)>>>,
}

fn world() -> World {
    world_of(Plan::default())
}

/// With a cookie that responses refresh.
fn persistent_world() -> World {
    let settings = CookieSettings::builder().persistence(Persistence::FollowSession);
    world_of(Plan { settings: settings.build().unwrap(), ..Plan::default() })
}

fn world_of(plan: Plan) -> World {
    let site = plan.open();
    let cookie = now(site.client());
    site.clock.advance(REFRESH);
    let store: Arc<dyn SessionStore> = Arc::new(PausingStore::new(site.memory.clone()));
    let layer = site.layer(manager(store, &ManualClock::new()));
    let handler = async |session: Session| {
        // A client that is no longer signed in writes nothing.
        if session.is_new() {
            return Err(StatusCode::UNAUTHORIZED);
        }
        session.set("age", &30).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    };
    let early = async |session: Session| {
        if session.is_new() {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let updated = session.update("age", |n: Option<u32>| n.unwrap_or(0) + 1).await;
        updated.map(drop).map_err(|error| SessionError::from(error).status())
    };
    let log_in = async |session: Session| session.cycle_id();
    let log_out = async |session: Session| session.destroy();
    let paused = Router::new()
        .route("/write", post(handler))
        .route("/early", post(early))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .layer(layer);
    World { site, cookie, paused, responses: Arc::default() }
}

impl World {
    fn post(&self, path: &'static str) -> Task {
        let asked = send(self.paused.clone(), request(Method::POST, path, &self.cookie));
        let responses = self.responses.clone();
        Box::pin(async move {
            let response = asked.await;
            responses.lock().unwrap().push((path, response));
        })
    }

    /// The cookie of a browser that got the responses in this order.
    fn browser<'a>(&self, responses: impl Iterator<Item = &'a (&'static str, Response)>) -> String {
        responses.fold(self.cookie.clone(), |cookie, (_, response)| {
            match response.set_cookies()[..] {
                [] => cookie,
                _ => response.cookie(),
            }
        })
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn logout_ends_the_session_in_every_order_of_store_calls() {
    let orders = every_order(
        world,
        |w| vec![w.post("/logout"), w.post("/write")],
        |w| {
            let responses = w.responses.lock().unwrap();
            assert!(w.site.memory.is_empty());
            assert_eq!(w.browser(responses.iter()), "PYCKET_ID=");
            assert_eq!(w.browser(responses.iter().rev()), "PYCKET_ID=");
        },
    );
    assert!(orders >= 6, "only {orders} orders");
}

#[test]
fn login_keeps_a_concurrent_write_and_the_browser_gets_the_new_cookie() {
    let kept = Cell::new(0);
    every_order(
        world,
        |w| vec![w.post("/login"), w.post("/write")],
        |w| {
            let responses = w.responses.lock().unwrap();
            let cookie = w.browser(responses.iter());
            assert_eq!(cookie, w.browser(responses.iter().rev()));
            assert_ne!(cookie, w.cookie);
            let names = now(w.site.names(&cookie));
            assert!(names == "user" || names == "age,user", "{names}");
            kept.set(kept.get() + usize::from(names == "age,user"));
            assert_eq!(w.site.memory.len(), 1);
        },
    );
    assert!(kept.get() > 0, "no order has the write before the end of the login");
}

#[test]
fn refreshed_cookie_does_not_overwrite_that_of_a_login_or_logout() {
    for path in ["/write", "/early"] {
        for newer in ["/login", "/logout"] {
            let refreshed = Cell::new(0);
            every_order(
                persistent_world,
                |w| vec![w.post(newer), w.post(path)],
                |w| {
                    let responses = w.responses.lock().unwrap();
                    let cookie_of = |path| {
                        let (_, response) = responses.iter().find(|(of, _)| *of == path).unwrap();
                        response.set_cookies().first().map(|_| response.cookie())
                    };
                    let case = format!("{path}, {newer}");
                    let newest = cookie_of(newer).unwrap();
                    assert_eq!(w.browser(responses.iter()), newest, "{case}");
                    refreshed.set(refreshed.get() + usize::from(cookie_of(path).is_some()));
                },
            );
            assert!(refreshed.get() > 0, "{path}, {newer}: no order refreshes the cookie");
        }
    }
}
