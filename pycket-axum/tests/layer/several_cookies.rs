//! Clients that send several authentic session cookies, for example an old one of another path or domain.

use http::StatusCode;
use pycket_cookie::{KeyRing, SessionCookie};
use pycket_core::SessionId;
use pycket_testkit::{Calls, Fault};

use crate::site::{KEY, Plan, Site};

/// An authentic cookie whose session has ended.
fn ended(site: &Site) -> String {
    let issued = site.cookie.issue(&SessionId::generate(), std::time::Duration::ZERO);
    issued.split(';').next().unwrap().to_owned()
}

async fn clients<const N: usize>(site: &Site) -> [String; N] {
    let mut cookies = std::array::from_fn(|_| String::new());
    for cookie in &mut cookies {
        *cookie = site.client().await;
    }
    cookies
}

#[tokio::test]
async fn live_session_counts_behind_a_cookie_whose_session_has_ended() {
    let site = Site::new();
    let (old, live) = (ended(&site), site.client().await);
    let both = format!("{old}; {live}");
    assert_eq!(site.names(&both).await, "user");
    assert_eq!(site.calls.take(), Calls { load: 2, ..Calls::default() });
    let response = site.post("/set/age", &both).await;
    assert_eq!((response.status, response.set_cookies()), (StatusCode::OK, vec![]));
    assert_eq!(site.names(&live).await, "age,user");
    assert_eq!(site.memory.len(), 1, "the write creates no further session");
}

#[tokio::test]
async fn login_beside_a_cookie_whose_session_has_ended_signs_in() {
    let site = Site::new();
    let old = ended(&site);
    let signed_in = site.post("/login", &old).await.cookie();
    assert_eq!(site.names(&format!("{old}; {signed_in}")).await, "login");
    let again = site.post("/login", &format!("{old}; {signed_in}")).await.cookie();
    assert_eq!(site.memory.len(), 1, "the second login ends the session of the first");
    assert_eq!(site.names(&format!("{old}; {again}")).await, "login");
}

#[tokio::test]
async fn first_of_two_live_sessions_counts_and_costs_one_load() {
    let site = Site::new();
    let [first, second] = clients(&site).await;
    site.post("/set/first", &first).await;
    site.calls.take();
    assert_eq!(site.names(&format!("{first}; {second}")).await, "first,user");
    assert_eq!(site.calls.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn cookie_that_is_sent_twice_is_loaded_once() {
    let site = Site::new();
    let old = ended(&site);
    assert_eq!(site.names(&format!("{old}; {old}")).await, "");
    assert_eq!(site.calls.take(), Calls { load: 1, ..Calls::default() });
}

#[tokio::test]
async fn at_most_four_sessions_are_loaded() {
    let site = Site::new();
    let live = site.client().await;
    let mut cookies: Vec<_> = (0..3).map(|_| ended(&site)).collect();
    cookies.push(live.clone());
    assert_eq!(site.names(&cookies.join("; ")).await, "user");
    site.calls.take();
    cookies.insert(0, ended(&site));
    assert_eq!(site.names(&cookies.join("; ")).await, "");
    assert_eq!(site.calls.take(), Calls { load: 4, ..Calls::default() });
}

#[tokio::test]
async fn store_error_does_not_fall_through_to_the_next_cookie() {
    let site = Site::new();
    let [first, second] = clients(&site).await;
    site.faults.fail_nth(0, Fault::Before);
    let response = site.post("/set/age", &format!("{first}; {second}")).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.set_cookies().is_empty());
    assert_eq!(site.names(&second).await, "user");

    site.faults.fail_nth(1, Fault::Before);
    let response = site.post("/set/age", &format!("{}; {first}; {second}", ended(&site))).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((&*site.names(&first).await, &*site.names(&second).await), ("user", "user"));
}

#[tokio::test]
async fn logout_ends_every_session_that_was_presented() {
    for count in [2, 3, 6] {
        let site = Site::new();
        let mut cookies = Vec::new();
        for _ in 0..count {
            cookies.push(site.client().await);
        }
        let logout = site.post("/logout", &cookies.join("; ")).await;
        assert_eq!(logout.cookie(), "PYCKET_ID=");
        assert!(site.memory.is_empty(), "{} of {count} are left", site.memory.len());
        let expected = Calls { load: 1, delete: count, ..Calls::default() };
        assert_eq!(site.calls.take(), expected);
    }
}

#[tokio::test]
async fn logout_tries_no_session_again_that_has_ended() {
    let site = Site::new();
    let [live, behind] = clients(&site).await;
    site.post("/logout", &format!("{}; {live}; {behind}", ended(&site))).await;
    assert!(site.memory.is_empty());
    assert_eq!(site.calls.take(), Calls { load: 2, delete: 2, ..Calls::default() });
}

#[tokio::test]
async fn logout_ends_the_sessions_behind_four_that_have_ended() {
    let site = Site::new();
    let mut cookies: Vec<_> = (0..4).map(|_| ended(&site)).collect();
    cookies.push(site.client().await);
    let logout = site.post("/logout", &cookies.join("; ")).await;
    assert_eq!(logout.cookie(), "PYCKET_ID=");
    assert!(site.memory.is_empty());
}

#[tokio::test]
async fn forged_cookies_around_the_authentic_ones_are_never_loaded() {
    let site = Site::new();
    let live = site.client().await;
    let stranger = KeyRing::new("a key that this site never had, and long enough").unwrap();
    let stranger = SessionCookie::new(Default::default(), &stranger);
    let forged = stranger.issue(&SessionId::generate(), std::time::Duration::ZERO);
    let forged = forged.split(';').next().unwrap();
    let cookies = format!("{forged}; {}; {forged}; {live}; {forged}", ended(&site));
    assert_eq!(site.names(&cookies).await, "user");
    assert_eq!(site.calls.take(), Calls { load: 2, ..Calls::default() });
}

#[tokio::test]
async fn cookie_of_a_previous_key_is_issued_again_only_if_its_session_counts() {
    let before = Site::new();
    let old = before.client().await;
    let keys = KeyRing::builder("the key after the rotation, long enough").previous(KEY);
    let keys = keys.build().unwrap();
    let site = Plan { keys, memory: Some(before.memory.clone()), ..Plan::default() }.open();
    let new = site.client().await;
    assert!(site.get("/names", &format!("{new}; {old}")).await.set_cookies().is_empty());
    let issued = site.get("/names", &format!("{old}; {new}")).await.cookie();
    assert_eq!(issued.split_at(issued.len() - 36).1, old.split_at(old.len() - 36).1);
    // The same session with both keys: a response has issued its cookie again already.
    assert!(site.get("/names", &format!("{old}; {issued}")).await.set_cookies().is_empty());
}
