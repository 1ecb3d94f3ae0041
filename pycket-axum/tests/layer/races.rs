//! Two requests of one visitor at the same time.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use http::{Method, StatusCode};
use pycket_axum::{Session, SessionError, SessionLayer};
use pycket_cookie::KeyRing;
use pycket_core::SessionStore;
use pycket_testkit::{ManualClock, PausingStore, Task, every_order};
use tokio::sync::Notify;

use crate::site::{Answer, KEY, Plan, Site, answer, manager, request};

/// Routes that read the session, say so, and end when they are told to go on: `/slow/write` and
/// `/slow/read`.
#[derive(Clone, Default)]
struct Slow {
    began: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Slow {
    fn plan(&self) -> Plan {
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

    /// The answer of the slow route, and of the `path` that is asked for while it is under way.
    async fn meanwhile(
        &self,
        site: &Site,
        slow: &str,
        path: &str,
        cookie: &str,
    ) -> (Answer, Answer) {
        let other = async {
            self.began.notified().await;
            let answer = site.post(path, cookie).await;
            self.go_on.notify_one();
            answer
        };
        tokio::join!(site.post(slow, cookie), other)
    }
}

#[tokio::test]
async fn a_write_that_began_before_a_logout_does_not_bring_the_session_back() {
    let slow = Slow::default();
    let site = slow.site();
    let cookie = site.visitor().await;
    let (late, logout) = slow.meanwhile(&site, "/slow/write", "/logout", &cookie).await;
    assert_eq!(logout.cookie(), "PYCKET_ID=");
    assert_eq!((late.status, &*late.body), (StatusCode::OK, "written"));
    assert!(late.set_cookies().is_empty(), "it must not overwrite a newer cookie");
    assert!(site.memory.is_empty());
    assert_eq!(site.names(&cookie).await, "");
}

#[tokio::test]
async fn a_write_that_began_before_a_login_and_ends_after_it_leaves_the_new_cookie_alone() {
    let slow = Slow::default();
    let site = slow.site();
    let old = site.visitor().await;
    let (late, login) = slow.meanwhile(&site, "/slow/write", "/login", &old).await;
    assert!(late.set_cookies().is_empty());
    assert_eq!(site.names(&login.cookie()).await, "login,user");
    assert_eq!(site.memory.len(), 1);
}

#[tokio::test]
async fn a_handler_that_goes_on_writing_after_the_logout_does_not_begin_another_session() {
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
    let cookie = site.visitor().await;
    let (late, _) = slow.meanwhile(&site, "/slow/write", "/logout", &cookie).await;
    assert_eq!((late.status, &*late.body), (StatusCode::OK, "Ended"));
    assert!(late.set_cookies().is_empty());
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn a_read_with_a_cookie_of_an_older_key_leaves_the_cookie_of_a_newer_session_alone() {
    for path in ["/login", "/logout"] {
        let slow = Slow::default();
        let before = Site::new();
        let old = before.visitor().await;
        let keys = KeyRing::new("the key after the rotation, long enough").unwrap();
        let keys = keys.with_previous(KEY).unwrap();
        let site = Plan { keys, memory: Some(before.memory.clone()), ..slow.plan() }.open();
        let (late, newer) = slow.meanwhile(&site, "/slow/read", path, &old).await;
        assert_eq!((late.status, &*late.body), (StatusCode::OK, "user"));
        assert!(late.set_cookies().is_empty(), "{path}: its session is over");
        assert_ne!(newer.cookie(), old);
    }
}

#[tokio::test]
async fn two_writes_at_once_keep_each_others_values() {
    let slow = Slow::default();
    let site = slow.site();
    let cookie = site.visitor().await;
    let (slow, quick) = slow.meanwhile(&site, "/slow/write", "/set/quick", &cookie).await;
    assert!(slow.set_cookies().is_empty() && quick.set_cookies().is_empty());
    assert_eq!(site.names(&cookie).await, "quick,slow,user");
}

/// One visitor's session, and the answers that their requests got, in the order of their arrival.
struct World {
    site: Site,
    cookie: String,
    paused: Router,
    answers: Arc<Mutex<Vec<(&'static str, Answer)>>>,
}

fn world() -> World {
    let site = Site::new();
    let cookie = now(site.visitor());
    let store: Arc<dyn SessionStore> = Arc::new(PausingStore::new(site.memory.clone()));
    let layer = SessionLayer::new(manager(store, &ManualClock::new()), site.cookie.clone());
    let handler = async |session: Session| {
        // A visitor who is no longer signed in writes nothing.
        if session.is_new() {
            return Err(StatusCode::UNAUTHORIZED);
        }
        session.set("age", &30).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    };
    let log_in = async |session: Session| session.cycle_id();
    let log_out = async |session: Session| session.destroy();
    let paused = Router::new()
        .route("/write", post(handler))
        .route("/login", post(log_in))
        .route("/logout", post(log_out))
        .layer(layer);
    World { site, cookie, paused, answers: Arc::default() }
}

impl World {
    fn post(&self, path: &'static str) -> Task {
        let asked = answer(self.paused.clone(), request(Method::POST, path, &self.cookie));
        let answers = self.answers.clone();
        Box::pin(async move {
            let answer = asked.await;
            answers.lock().unwrap().push((path, answer));
        })
    }

    /// The cookie that a browser has which got the answers in this order.
    fn browser<'a>(&self, answers: impl Iterator<Item = &'a (&'static str, Answer)>) -> String {
        answers.fold(self.cookie.clone(), |cookie, (_, answer)| match answer.set_cookies()[..] {
            [] => cookie,
            _ => answer.cookie(),
        })
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_logout_ends_the_session_in_every_order_of_the_store_calls() {
    let orders = every_order(
        world,
        |w| vec![w.post("/logout"), w.post("/write")],
        |w, order| {
            let answers = w.answers.lock().unwrap();
            assert!(w.site.memory.is_empty(), "{order:?}");
            assert_eq!(w.browser(answers.iter()), "PYCKET_ID=", "{order:?}");
            assert_eq!(w.browser(answers.iter().rev()), "PYCKET_ID=", "{order:?}");
        },
    );
    assert!(orders >= 6, "{orders} orders are not all");
}

#[test]
fn a_login_keeps_what_a_request_in_flight_wrote_and_the_browser_ends_with_the_new_cookie() {
    let kept = Cell::new(0);
    every_order(
        world,
        |w| vec![w.post("/login"), w.post("/write")],
        |w, order| {
            let answers = w.answers.lock().unwrap();
            let cookie = w.browser(answers.iter());
            assert_eq!(cookie, w.browser(answers.iter().rev()), "{order:?}");
            assert_ne!(cookie, w.cookie, "{order:?}");
            let names = now(w.site.names(&cookie));
            assert!(names == "user" || names == "age,user", "{order:?}: {names}");
            kept.set(kept.get() + usize::from(names == "age,user"));
            assert_eq!(w.site.memory.len(), 1, "{order:?}");
        },
    );
    assert!(kept.get() > 0, "in no order the write came before the login's end");
}
