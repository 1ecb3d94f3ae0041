use std::iter;
use std::time::Duration;

use http::header::{CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY};
use pycket_cookie::{Presented, SessionCookie, SessionHeader};
use pycket_core::{Session, SessionId};

use crate::cache_control::make_private;

/// One way for session ids between a client and the server.
#[derive(Debug)]
pub(crate) enum Transport {
    Cookie(SessionCookie),
    Header(HeaderName, SessionHeader),
}

/// The ways of a layer.
#[derive(Debug)]
pub(crate) struct Transports {
    /// Of every request that does not use the other one.
    main: Transport,
    /// Of the requests that have its header. Then they do not use the main one.
    beside: Option<Transport>,
    /// The request headers on which every response with a session depends.
    vary: HeaderValue,
}

/// Which of the [`Transports`] a request uses. Its response uses the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Main,
    Beside,
}

/// A header of a response that gives the client an id, or takes it away.
pub(crate) struct IdHeader {
    name: HeaderName,
    value: HeaderValue,
}

impl Transport {
    /// The request header with the ids.
    pub(crate) fn request_header(&self) -> &HeaderName {
        match self {
            Self::Cookie(_) => &COOKIE,
            Self::Header(name, _) => name,
        }
    }

    /// The ids in the values of the [request header](Self::request_header).
    pub(crate) fn read<'a>(&self, values: impl Iterator<Item = &'a HeaderValue>) -> Presented {
        let values = values.map(HeaderValue::as_bytes);
        match self {
            Self::Cookie(cookie) => cookie.read(values),
            Self::Header(_, header) => header.read(values),
        }
    }

    /// The header that gives the client this id of this session.
    pub(crate) fn issue(&self, id: &SessionId, session: &Session) -> Option<IdHeader> {
        match self {
            Self::Cookie(cookie) => IdHeader::new(
                SET_COOKIE,
                match session.cookie_lifetime() {
                    Some(lifetime) => cookie.issue_for(id, lifetime),
                    None => {
                        let longest = session.absolute_expires_in().or(session.expires_in());
                        cookie.issue(id, longest.unwrap_or_default())
                    }
                },
            ),
            Self::Header(name, header) => IdHeader::new(name.clone(), header.issue(id)),
        }
    }

    /// The header that makes the client forget its id.
    pub(crate) fn withdraw(&self) -> Option<IdHeader> {
        match self {
            Self::Cookie(cookie) => IdHeader::new(SET_COOKIE, cookie.removal()),
            Self::Header(name, _) => IdHeader::new(name.clone(), String::new()),
        }
    }

    /// As [`SessionCookie::ends_before`]. The id in a header does not end.
    pub(crate) fn ends_before(&self, absolute: Option<Duration>) -> bool {
        match self {
            Self::Cookie(cookie) => cookie.ends_before(absolute),
            Self::Header(..) => false,
        }
    }

    /// Whether `name` is that of the cookie or of the header.
    fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Cookie(cookie) => cookie.name() == name,
            Self::Header(_, header) => header.name().eq_ignore_ascii_case(name),
        }
    }

    /// Whether a client cannot tell the two apart.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cookie(one), Self::Cookie(two)) => one.name() == two.name(),
            (Self::Header(one, _), Self::Header(two, _)) => one == two,
            _ => false,
        }
    }
}

impl Transports {
    /// The cookie, the header, or both. `None` without any.
    pub(crate) fn new(
        cookie: Option<SessionCookie>,
        header: Option<SessionHeader>,
    ) -> Option<Self> {
        let header = match header {
            Some(header) => Some(Transport::Header(header.name().parse().ok()?, header)),
            None => None,
        };
        let (main, beside) = match cookie.map(Transport::Cookie) {
            Some(cookie) => (cookie, header),
            None => (header?, None),
        };
        let names = iter::once(&main).chain(&beside).map(|it| it.request_header().as_str());
        let vary = names.collect::<Vec<_>>().join(", ").parse().ok()?;
        Some(Self { main, beside, vary })
    }

    /// The way of a request with these headers.
    pub(crate) fn choose(&self, headers: &HeaderMap) -> Choice {
        match &self.beside {
            Some(beside) if headers.contains_key(beside.request_header()) => Choice::Beside,
            _ => Choice::Main,
        }
    }

    pub(crate) fn get(&self, choice: Choice) -> &Transport {
        match (choice, &self.beside) {
            (Choice::Beside, Some(beside)) => beside,
            _ => &self.main,
        }
    }

    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.main.is_named(name) || self.beside.as_ref().is_some_and(|it| it.is_named(name))
    }

    /// Whether a request that uses these ways, and `other` in another layer, has one session in both layers.
    pub(crate) fn is_same(&self, choice: Choice, other: &Self, other_choice: Choice) -> bool {
        self.main.is_same(&other.main) || self.get(choice).is_same(other.get(other_choice))
    }

    /// Adds the headers of a response that depends on the session.
    ///
    /// They keep a shared cache from giving one client's id (RFC 9111, section 7.3) or page (section 4.1) to
    /// another client.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap, id: Option<IdHeader>) {
        headers.append(VARY, self.vary.clone());
        let Some(IdHeader { name, value }) = id else { return };
        make_private(headers);
        if name == SET_COOKIE {
            headers.append(name, value);
        } else {
            // The client's own cache would give the id again, perhaps when there is a newer one.
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(name, value);
        }
    }
}

impl IdHeader {
    /// The cookie crate and the signer write visible ASCII and spaces only, so there always is one.
    fn new(name: HeaderName, value: String) -> Option<Self> {
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some(Self { name, value })
    }
}
