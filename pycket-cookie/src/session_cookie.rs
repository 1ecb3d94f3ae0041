use std::time::Duration;

use cookie::{Cookie, time};
use pycket_core::SessionId;

use crate::signer::Signer;
use crate::{CookieSettings, KeyRing, Persistence, Presented, cookie_header};

/// Reads, issues and removes the cookie that carries the session id.
///
/// It is immutable and needs neither a store nor a web framework.
///
/// ```
/// use std::time::Duration;
/// use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie, SignedId};
/// use pycket_core::SessionId;
///
/// let cookie = SessionCookie::new(CookieSettings::hardened(), &KeyRing::generate());
/// let id = SessionId::generate();
/// let set_cookie = cookie.issue(&id, Duration::from_secs(86_400));
/// assert!(set_cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"));
///
/// let (sent_back, _attributes) = set_cookie.split_once(';').unwrap();
/// let presented = cookie.read([sent_back.as_bytes()]);
/// assert_eq!(presented, Presented::Authentic(vec![SignedId { id, outdated_key: false }]));
/// ```
#[derive(Clone, Debug)]
pub struct SessionCookie {
    /// All attributes that a cookie and its removal share, without a value.
    template: Cookie<'static>,
    persistence: Persistence,
    signer: Signer,
}

impl SessionCookie {
    /// The cookie with these settings, signed with keys that are derived for its name.
    pub fn new(settings: CookieSettings, keys: &KeyRing) -> Self {
        Self {
            signer: Signer::new(keys, settings.name()),
            persistence: settings.persistence,
            template: settings.template(),
        }
    }

    /// The name of the cookie.
    pub fn name(&self) -> &str {
        self.template.name()
    }

    /// Reads the `Cookie` headers of a request: the raw bytes of each, in order.
    ///
    /// It checks every cookie of the name, and never fails, whatever bytes the headers contain. A value of the wrong length
    /// or form costs no HMAC, signatures are compared in constant time, and headers without the name cost no
    /// allocation.
    pub fn read<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Presented {
        self.signer.verify_all(cookie_header::values(headers, self.name()))
    }

    /// The value of a `Set-Cookie` header that gives the client this id, in visible ASCII and spaces.
    ///
    /// `expires_in` is the longest time that the session can live: until its absolute timeout, or if it has
    /// none, until its idle timeout. Only [`Persistence::FollowSession`] uses it, rounded down to seconds.
    ///
    /// Anyone who reads the value can use the session: mark the header as sensitive and do not log it.
    pub fn issue(&self, id: &SessionId, expires_in: Duration) -> String {
        let mut cookie = self.template.clone();
        cookie.set_value(self.signer.sign(id));
        match self.persistence {
            Persistence::BrowserSession => {}
            Persistence::MaxAge(age) => cookie.set_max_age(whole_seconds(age)),
            Persistence::Until(date) => cookie.set_expires(Persistence::to_expires(date)),
            Persistence::FollowSession => cookie.set_max_age(whole_seconds(expires_in)),
        }
        cookie.to_string()
    }

    /// As [`issue`](Self::issue), with a cookie that lasts for `lifetime` whatever the settings say, in whole
    /// seconds, rounded down. For a session that is remembered while others are not.
    pub fn issue_for(&self, id: &SessionId, lifetime: Duration) -> String {
        let remembered = Self { persistence: Persistence::FollowSession, ..self.clone() };
        remembered.issue(id, lifetime)
    }

    /// The value of a `Set-Cookie` header that removes the cookie from the browser.
    ///
    /// It has the attributes of [`issue`](Self::issue), because a browser keeps a cookie whose domain or
    /// path differs, and an empty value, `Max-Age=0` and an `Expires` in the past.
    pub fn removal(&self) -> String {
        let mut cookie = self.template.clone();
        cookie.set_max_age(time::Duration::ZERO);
        cookie.set_expires(time::OffsetDateTime::UNIX_EPOCH);
        cookie.to_string()
    }

    /// Whether the browser keeps the cookie after it closes.
    pub fn is_persistent(&self) -> bool {
        self.persistence != Persistence::BrowserSession
    }

    /// Whether the cookie has to be issued again when its session is renewed, because it could end before the
    /// session otherwise. `absolute` is the time until the absolute timeout of the session, if it has one.
    ///
    /// Issue a cookie again as rarely as possible: a response that is late can overwrite a newer cookie.
    pub fn ends_before(&self, absolute: Option<Duration>) -> bool {
        match self.persistence {
            Persistence::BrowserSession => false,
            Persistence::Until(_) => true,
            Persistence::MaxAge(age) => absolute.is_none_or(|absolute| age < absolute),
            Persistence::FollowSession => absolute.is_none(),
        }
    }
}

fn whole_seconds(duration: Duration) -> time::Duration {
    time::Duration::seconds(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
