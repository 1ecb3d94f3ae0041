use std::time::Duration;

use cookie::{Cookie, time};
use pycket_core::SessionId;

use crate::signer::Signer;
use crate::{CookieSettings, KeyRing, Persistence, header};

/// The one cookie of the application that carries a session id: reads it, issues it, removes it.
///
/// It is immutable and knows neither a store nor a framework.
///
/// ```
/// use std::time::Duration;
/// use pycket_cookie::{CookieSettings, KeyRing, Presented, SessionCookie};
/// use pycket_core::SessionId;
///
/// let cookie = SessionCookie::new(CookieSettings::hardened(), &KeyRing::generate());
/// let id = SessionId::generate();
/// let set_cookie = cookie.issue(&id, Duration::from_secs(86_400));
/// assert!(set_cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/"));
///
/// let (sent_back, _attributes) = set_cookie.split_once(';').unwrap();
/// let presented = cookie.read([sent_back.as_bytes()]);
/// assert_eq!(presented, Presented::Authentic { id, outdated_key: false });
/// ```
#[derive(Clone, Debug)]
pub struct SessionCookie {
    /// Every attribute that a set cookie and its removal share; no value.
    template: Cookie<'static>,
    persistence: Persistence,
    signer: Signer,
}

/// What a request presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// No cookie of the name: a visitor without a session.
    Nothing,
    /// Cookies of the name, none of them ours: forged, cut, signed with a key that was taken out, or set
    /// by another application. Treat the visitor like one without a cookie, and count the event.
    Rejected,
    /// A cookie that one of our keys signed.
    Authentic {
        /// The id in it. That a session of that id is alive is for the store to say.
        id: SessionId,
        /// Whether a previous key signed it: issue the cookie anew, so that the key can be taken out.
        outdated_key: bool,
    },
}

impl SessionCookie {
    /// The cookie of these settings, signed with keys derived for its name.
    pub fn new(settings: CookieSettings, keys: &KeyRing) -> Self {
        Self {
            signer: Signer::new(keys, settings.name()),
            persistence: settings.persistence(),
            template: settings.template(),
        }
    }

    /// The name of the cookie.
    pub fn name(&self) -> &str {
        self.template.name()
    }

    /// Reads the request's `Cookie` headers: the raw bytes of each, in their order.
    ///
    /// Every cookie of the name is tried until one is authentic; nothing else in the headers matters, and
    /// no bytes make it fail. A value of the wrong length or form costs no HMAC, the comparison of
    /// signatures takes constant time, and headers without the name cost no allocation.
    pub fn read<'a>(&self, headers: impl IntoIterator<Item = &'a [u8]>) -> Presented {
        let mut presented = Presented::Nothing;
        for value in header::values(headers, self.name()) {
            if let Some(verified) = self.signer.verify(value) {
                let (id, outdated_key) = (verified.id, verified.outdated_key);
                return Presented::Authentic { id, outdated_key };
            }
            presented = Presented::Rejected;
        }
        presented
    }

    /// The value of a `Set-Cookie` header that gives the visitor this id, in visible ASCII and spaces.
    ///
    /// `expires_in` is what remains of the session's life. It matters to
    /// [`Persistence::FollowSession`] only, and is rounded down to seconds so that the cookie never
    /// outlives its session.
    ///
    /// The text lets its holder be the visitor: mark the header as sensitive and keep it out of logs.
    pub fn issue(&self, id: &SessionId, expires_in: Duration) -> String {
        let mut cookie = self.template.clone();
        cookie.set_value(self.signer.sign(id));
        match self.persistence {
            Persistence::BrowserSession => {}
            Persistence::MaxAge(age) => cookie.set_max_age(whole_seconds(age)),
            Persistence::Until(date) => cookie.set_expires(Persistence::expires(date)),
            Persistence::FollowSession => cookie.set_max_age(whole_seconds(expires_in)),
        }
        cookie.to_string()
    }

    /// The value of a `Set-Cookie` header that makes the browser forget the cookie: the attributes of
    /// [`issue`](Self::issue), without which a browser would keep it, an empty value, no time to live.
    pub fn removal(&self) -> String {
        let mut cookie = self.template.clone();
        cookie.set_max_age(time::Duration::ZERO);
        cookie.set_expires(time::OffsetDateTime::UNIX_EPOCH);
        cookie.to_string()
    }

    /// Whether the cookie outlives the browser. Such a cookie is issued again whenever the session's life
    /// is renewed, or it would end before its session.
    pub fn is_persistent(&self) -> bool {
        self.persistence != Persistence::BrowserSession
    }
}

fn whole_seconds(duration: Duration) -> time::Duration {
    time::Duration::seconds(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
