//! Users who sign out everywhere while their devices go on working.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use pycket_core::{IdChange, SessionId, SessionManager, SessionStore};
use tokio::task::JoinSet;

const DEVICES: usize = 32;
const REQUESTS: usize = 16;

/// One browser of a user.
struct Device {
    /// All ids that it ever had. It presents the last one.
    ids: Mutex<Vec<SessionId>>,
    /// Whether its user may sign in again on it. A sign-in that runs while the user signs out everywhere may count as
    /// later.
    signs_in_again: bool,
}

/// Lets a user with 32 sessions sign out everywhere, while 16 requests change the ids of these sessions, write to
/// them, and sign in. Does so 25 times, or as often as the environment variable `PYCKET_ROUNDS` says, on two handles to
/// one dataset, as of two servers of one application.
///
/// For the tests of a driver. The conformance suite has the contract on which this is built; this shows the result.
///
/// # Panics
///
/// If a session that was there before is live after the sign-out, comes back later, or is listed; if a session that
/// signed in later is not listed; or if a session of another user is touched.
pub async fn sign_out_everywhere(stores: [Arc<dyn SessionStore>; 2]) {
    let rounds = std::env::var("PYCKET_ROUNDS").map_or(25, |rounds| rounds.parse().unwrap());
    let sites = stores.map(SessionManager::new);
    let other = sign_in(&sites[0], "bob").await;
    let mut ended = Vec::new();
    for _ in 0..rounds {
        let mut devices = Vec::new();
        for device in 0..DEVICES {
            let id = sign_in(&sites[device % 2], "ann").await;
            devices.push(Device { ids: Mutex::new(vec![id]), signs_in_again: device % 8 == 0 });
        }
        ended.extend(round(&sites, Arc::new(devices)).await);
    }
    for id in ended {
        assert!(!is_live(&sites[1], id).await, "a session came back later");
    }
    let other = sites[1].open(Some(other)).await.unwrap();
    assert_eq!(other.get::<String>("user").unwrap().as_deref(), Some("bob"));
    assert_eq!(other.user_sessions().unwrap().sessions().await.unwrap().len(), 1);
}

/// One sign-out. Returns the ids that must have ended.
async fn round(sites: &[SessionManager; 2], devices: Arc<Vec<Device>>) -> Vec<SessionId> {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut requests = JoinSet::new();
    for request in 0..REQUESTS {
        let (site, devices) = (sites[request % 2].clone(), devices.clone());
        let is_over = is_over.clone();
        requests.spawn(async move {
            for turn in request.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                send(&site, &devices[turn * 7 % DEVICES], turn).await;
                tokio::task::yield_now().await;
            }
        });
    }
    let user = sites[0].user("ann").unwrap();
    while devices.iter().filter(|device| device.ids.lock().unwrap().len() > 1).count() < 4 {
        tokio::task::yield_now().await;
    }
    let listed = user.sessions().await.unwrap();
    assert_eq!(listed.len(), DEVICES);
    user.end_all().await.unwrap();

    // The requests are still running.
    let known = ids_that_must_have_ended(&devices);
    for id in &known {
        assert!(!is_live(&sites[1], *id).await, "a session is live after the sign-out");
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(request) = requests.join_next().await {
        request.unwrap();
    }
    let ended = ids_that_must_have_ended(&devices);
    for id in &ended {
        assert!(!is_live(&sites[1], *id).await, "a session came back after the sign-out");
    }
    let listed = user.sessions().await.unwrap();
    let mut live = 0;
    for device in devices.iter().filter(|device| device.signs_in_again) {
        let id = *device.ids.lock().unwrap().last().unwrap();
        let session = sites[0].open(Some(id)).await.unwrap();
        if let Some(handle) = session.handle() {
            live += 1;
            assert!(
                listed.iter().any(|listed| listed.handle == handle),
                "a live one is not listed"
            );
        }
    }
    assert_eq!(listed.len(), live, "sessions that have ended are listed");
    user.end_all().await.unwrap();
    ended
}

async fn send(site: &SessionManager, device: &Device, turn: usize) {
    let presented = *device.ids.lock().unwrap().last().unwrap();
    let session = site.open(Some(presented)).await.unwrap();
    match turn % 4 {
        0 | 1 => session.cycle_id(),
        2 if device.signs_in_again => session.log_in("ann").unwrap(),
        _ if session.is_new() => return,
        _ => session.set("turn", &turn).unwrap(),
    }
    session.commit().await.unwrap();
    if let IdChange::Issued(id) = session.id_change() {
        device.ids.lock().unwrap().push(id);
    }
}

async fn sign_in(site: &SessionManager, user: &str) -> SessionId {
    let session = site.open(None).await.unwrap();
    session.log_in(user).unwrap();
    session.set("user", user).unwrap();
    session.commit().await.unwrap();
    session.id().unwrap()
}

fn ids_that_must_have_ended(devices: &[Device]) -> Vec<SessionId> {
    let lasting = devices.iter().filter(|device| !device.signs_in_again);
    lasting.flat_map(|device| device.ids.lock().unwrap().clone()).collect()
}

async fn is_live(site: &SessionManager, id: SessionId) -> bool {
    !site.open(Some(id)).await.unwrap().is_new()
}
