use std::sync::{Arc, Mutex};

use pycket_core::{ErrorKind, IdChange, Outcome, Session, SessionId, SessionManager};
use pycket_testkit::Task;

/// What one request does with the session of the laptop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Increment,
    /// A value that no other request sets.
    Set,
    CycleId,
    SignIn,
    SignOut,
    /// An administrator ends all sessions of the user.
    EndAll,
    /// It only reads, and so renews the session.
    Renew,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Increment,
        Self::Set,
        Self::CycleId,
        Self::SignIn,
        Self::SignOut,
        Self::EndAll,
        Self::Renew,
    ];

    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::SignOut | Self::EndAll)
    }

    pub(crate) fn changes_the_id(self) -> bool {
        matches!(self, Self::CycleId | Self::SignIn)
    }
}

/// What a request does after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It drops its changes. What it has to delete is deleted all the same.
    GivesUp,
    TriesAgain,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) result: Result<Done, ErrorKind>,
    /// The id that its client has got.
    pub(crate) issued: Option<SessionId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The client had no session, and the request needs one.
    NoSession,
    Committed(Outcome),
    Counted(u32),
    EndedAll,
}

pub(crate) type Reports = Arc<Mutex<[Option<Report>; 3]>>;

/// The value that the nth request sets.
pub(crate) fn name_of(nth: usize) -> &'static str {
    ["first", "second", "third"][nth]
}

/// A request that opens the session, does its work, and reports.
pub(crate) fn request(
    (nth, kind): (usize, Kind),
    then: Then,
    manager: SessionManager,
    id: SessionId,
    reports: Reports,
) -> Task {
    Box::pin(async move {
        let report = match kind {
            Kind::EndAll => end_all(&manager, then).await,
            _ => match manager.open(Some(id)).await {
                Ok(session) => on_session(nth, kind, then, session).await,
                Err(error) => Report { result: Err(error.kind()), issued: None },
            },
        };
        reports.lock().unwrap()[nth] = Some(report);
    })
}

async fn end_all(manager: &SessionManager, then: Then) -> Report {
    let user = manager.user("ann").unwrap();
    let mut result = user.end_all().await;
    if result.is_err() && then == Then::TriesAgain {
        result = user.end_all().await;
    }
    Report { result: result.map(|_| Done::EndedAll).map_err(|error| error.kind()), issued: None }
}

async fn on_session(nth: usize, kind: Kind, then: Then, session: Session) -> Report {
    if session.is_new() && kind != Kind::SignIn {
        return Report { result: Ok(Done::NoSession), issued: None };
    }
    let mut result = match kind {
        Kind::Increment => {
            let count = session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1).await;
            count.map(Done::Counted)
        }
        _ => {
            change(nth, kind, &session);
            session.commit().await.map(Done::Committed)
        }
    };
    if result.is_err() && kind != Kind::Increment && then == Then::TriesAgain {
        result = session.commit().await.map(Done::Committed);
    }
    if result.is_err() {
        while session.abort().await.is_err() {}
    }
    let issued = match session.id_change() {
        IdChange::Issued(id) => Some(id),
        _ => None,
    };
    Report { result: result.map_err(|error| error.kind()), issued }
}

fn change(nth: usize, kind: Kind, session: &Session) {
    match kind {
        Kind::Set => session.set(name_of(nth), &1).unwrap(),
        Kind::CycleId => session.cycle_id(),
        Kind::SignIn => session.log_in("ann").unwrap(),
        Kind::SignOut => session.destroy(),
        Kind::Renew | Kind::Increment | Kind::EndAll => {}
    }
}
