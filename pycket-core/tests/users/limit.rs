use std::num::NonZeroUsize;
use std::time::Duration;

use pycket_testkit::ManualClock;

use crate::{DAY, at, handles, is_live, open, signed_in};

#[tokio::test]
async fn a_sign_in_beyond_the_limit_ends_the_oldest_session() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.max_sessions_per_user(NonZeroUsize::new(3).unwrap()).build().unwrap();
    let mut sessions = Vec::new();
    for turn in 0..10_usize {
        sessions.push(signed_in(&manager, "ann").await);
        let live = handles(&manager, "ann").await;
        let newest = sessions.iter().rev().take(3).map(|session| session.handle().unwrap());
        assert_eq!(live, newest.collect::<Vec<_>>(), "{turn}");
        if let Some(ended) = turn.checked_sub(3) {
            assert!(!is_live(&manager, &sessions[ended]).await);
        }
    }
    // Another sign-in makes a session the newest, and a change of the id does not.
    let [oldest, second] = [7, 8].map(|nth| sessions[nth].clone());
    oldest.log_in("ann").unwrap();
    oldest.commit().await.unwrap();
    second.cycle_id();
    second.commit().await.unwrap();
    signed_in(&manager, "ann").await;
    assert!(is_live(&manager, &oldest).await && !is_live(&manager, &second).await);
}

#[tokio::test]
async fn a_limit_of_one_keeps_the_newest_session() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.max_sessions_per_user(NonZeroUsize::MIN).build().unwrap();
    let [old, new] = [signed_in(&manager, "ann").await, signed_in(&manager, "ann").await];
    let other = signed_in(&manager, "bob").await;
    assert!(!is_live(&manager, &old).await);
    assert!(is_live(&manager, &new).await && is_live(&manager, &other).await);
    let again = open(&manager, new.id()).await;
    again.log_in("ann").unwrap();
    again.commit().await.unwrap();
    assert!(is_live(&manager, &again).await);
}

#[tokio::test]
async fn sessions_that_have_ended_do_not_count() {
    let clock = ManualClock::new();
    let (_, builder) = at(&clock);
    let manager = builder.max_sessions_per_user(NonZeroUsize::new(2).unwrap()).build().unwrap();
    let kept = manager.open(None).await.unwrap();
    kept.set_idle_timeout(30 * DAY).unwrap();
    kept.log_in("ann").unwrap();
    kept.commit().await.unwrap();
    for _ in 0..5 {
        signed_in(&manager, "ann").await;
        clock.advance(DAY + Duration::from_secs(1));
    }
    assert!(is_live(&manager, &kept).await);
}
