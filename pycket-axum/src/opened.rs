use std::time::Duration;

use pycket_cookie::SignedId;
use pycket_core::{IdChange, Session};

use crate::transport::{IdHeader, Transport};

/// The session of a request, and what its client knows of the id.
pub(crate) struct Opened {
    pub(crate) session: Session,
    /// Whether only a previous key signed the id.
    outdated_key: bool,
    /// The remaining time of the session when it was opened.
    expires_in: Duration,
}

impl Opened {
    /// The session that was opened for a client that presents these ids.
    pub(crate) fn new(session: Session, presented: &[SignedId]) -> Self {
        let id = session.id();
        let outdated_key =
            presented.iter().any(|signed| signed.outdated_key && Some(signed.id) == id);
        let expires_in = session.expires_in().unwrap_or_default();
        Self { session, outdated_key, expires_in }
    }

    /// Whether the client needs the id again although it is the same, if the session is still live.
    pub(crate) fn needs_id_again(&self, transport: &Transport) -> bool {
        match self.session.id_change() {
            IdChange::Renewed(_) => self.outdated_key || self.refreshes_cookie(transport),
            IdChange::Unchanged => self.outdated_key,
            _ => false,
        }
    }

    /// Whether the renewal of this request has to reach the cookie, too. It does at most ten times per idle
    /// timeout, because a late response could overwrite a newer cookie.
    fn refreshes_cookie(&self, transport: &Transport) -> bool {
        let has_gained = || {
            let renewed = self.session.expires_in().unwrap_or_default();
            renewed.saturating_sub(self.expires_in) >= renewed / 10
        };
        transport.ends_before(self.session.absolute_expires_in()) && has_gained()
    }

    /// The header of the response that gives the client an id or takes it away, if it needs one.
    pub(crate) fn id_header(
        &self,
        transport: &Transport,
        change: IdChange,
        is_live: bool,
    ) -> Option<IdHeader> {
        let id = match change {
            IdChange::Issued(id) => id,
            IdChange::Withdrawn => return transport.withdraw(),
            _ if is_live && self.needs_id_again(transport) => self.session.id()?,
            _ => return None,
        };
        transport.issue(&id, &self.session)
    }
}
