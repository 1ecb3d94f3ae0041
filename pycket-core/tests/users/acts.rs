use std::time::Duration;

use pycket_core::{Error, ErrorKind, Outcome, Session, UserSessionHandle};
use pycket_testkit::ManualClock;

use crate::DAY;

/// What one request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    CycleId,
    RestartTimeouts,
    /// A sign-in as the user of the session.
    SignInAgain,
    /// A sign-in as another user.
    SignInAsOther,
    /// A sign-in of the user without the laptop's session, where a user may have one session.
    SignInElsewhere,
    SignOut,
    /// A change of a value. In an aged world the index is renewed before it.
    Set,
    Increment,
    EndAll,
    EndThis,
    EndOthers,
    /// Time passes until the session has ended.
    Expire,
}

impl Act {
    pub(crate) const ALL: [Self; 11] = [
        Self::CycleId,
        Self::RestartTimeouts,
        Self::SignInAgain,
        Self::SignInAsOther,
        Self::SignInElsewhere,
        Self::SignOut,
        Self::Set,
        Self::Increment,
        Self::EndAll,
        Self::EndThis,
        Self::EndOthers,
    ];

    pub(crate) fn ends_by_list(self) -> bool {
        matches!(self, Self::EndAll | Self::EndThis | Self::EndOthers)
    }

    /// Whether it ends the laptop's session.
    pub(crate) fn ends(self) -> bool {
        self.ends_by_list()
            || matches!(self, Self::SignOut | Self::SignInAsOther | Self::SignInElsewhere)
    }
}

pub(crate) async fn run(
    act: Act,
    session: &Session,
    phone: &Session,
    handle: UserSessionHandle,
    clock: &ManualClock,
) -> Result<Option<Outcome>, Error> {
    match act {
        Act::CycleId => session.cycle_id(),
        Act::RestartTimeouts => session.restart_timeouts(),
        Act::SignInAgain | Act::SignInElsewhere => session.log_in("ann").unwrap(),
        Act::SignInAsOther => session.log_in("carol").unwrap(),
        Act::SignOut => session.destroy(),
        Act::Set => session.set("x", &1).unwrap(),
        Act::Increment => {
            let added = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
            match added {
                Err(error) if error.kind() == ErrorKind::Ended => {}
                added => drop(added?),
            }
        }
        Act::Expire => {
            tokio::task::yield_now().await;
            clock.advance(DAY + Duration::from_secs(1));
        }
        Act::EndAll | Act::EndThis | Act::EndOthers => {}
    }
    run_again(act, session, phone, handle).await
}

pub(crate) async fn run_again(
    act: Act,
    session: &Session,
    phone: &Session,
    handle: UserSessionHandle,
) -> Result<Option<Outcome>, Error> {
    let sessions = phone.user_sessions().unwrap();
    match act {
        Act::EndAll => sessions.end_all().await.map(|_| None),
        Act::EndThis => sessions.end(&handle).await.map(|_| None),
        Act::EndOthers => sessions.end_all_except(phone).await.map(|_| None),
        _ => session.commit().await.map(Some),
    }
}
