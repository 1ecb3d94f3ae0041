use pycket_core::{Error, ErrorKind, SessionId};

use crate::signer::Signer;
use crate::{KeyRing, Presented};

/// Reads and writes a header that carries the session id, for clients without a cookie jar: mobile
/// applications and other services.
///
/// The value is signed as that of the [cookie](crate::SessionCookie), with other keys, so neither is valid in
/// place of the other. An empty value is no id: a client sends it to say that it reads the header of the
/// response, and a response has it when the client has to forget its id.
///
/// ```
/// use pycket_cookie::{KeyRing, Presented, SessionHeader, SignedId};
/// use pycket_core::SessionId;
///
/// let header = SessionHeader::new("Session-Id", &KeyRing::generate())?;
/// assert_eq!(header.name(), "session-id");
/// assert_eq!(header.read([&b""[..]]), Presented::Nothing);
///
/// let id = SessionId::generate();
/// let value = header.issue(&id);
/// let presented = header.read([value.as_bytes()]);
/// assert_eq!(presented, Presented::Authentic(vec![SignedId { id, outdated_key: false }]));
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionHeader {
    name: String,
    signer: Signer,
}

/// The longest name. Servers limit all headers of a request together, to eight kilobytes or more.
const MAX_NAME_LEN: usize = 64;

/// Names that HTTP, proxies or browsers use for something else, as far as a program may choose them by mistake.
const TAKEN: [&str; 8] = [
    "authorization",
    "cache-control",
    "connection",
    "cookie",
    "host",
    "set-cookie",
    "transfer-encoding",
    "vary",
];

/// The same for groups of names. Browsers let no script set the last two.
const TAKEN_PREFIXES: [&str; 5] = ["accept-", "access-control-", "content-", "proxy-", "sec-"];

impl SessionHeader {
    /// The header of this name, for example `Session-Id`, with keys that are derived for it. Upper and lower
    /// case are the same.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSetting`] if the name is not that of a header, has more than 64 characters, or has a
    /// meaning of its own in HTTP, such as `Authorization` and `Content-Type`.
    pub fn new(name: &str, keys: &KeyRing) -> Result<Self, Error> {
        let name = name.to_ascii_lowercase();
        check(&name)?;
        // The name of a cookie contains no colon, so no cookie has the same keys.
        let signer = Signer::new(keys, &format!("header:{name}"));
        Ok(Self { name, signer })
    }

    /// The name of the header, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads all headers of the name in a request: the raw bytes of each, in order. Usually there is one. It
    /// never fails, whatever the bytes are, and an empty value is [`Presented::Nothing`].
    pub fn read<'a>(&self, values: impl IntoIterator<Item = &'a [u8]>) -> Presented {
        let values = values.into_iter().map(<[u8]>::trim_ascii);
        self.signer.verify_all(values.filter(|value| !value.is_empty()))
    }

    /// The value that gives the client this id, in visible ASCII.
    ///
    /// Anyone who reads the value can use the session: mark the header as sensitive and do not log it.
    pub fn issue(&self, id: &SessionId) -> String {
        self.signer.sign(id)
    }
}

fn check(name: &str) -> Result<(), Error> {
    let invalid = |reason| {
        let message = format!("the session header cannot be named {name:?}: {reason}");
        Err(Error::new(ErrorKind::InvalidSetting, message))
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_letter) {
        return invalid("use ASCII letters, digits, `-` and `_`, as in `Session-Id`".to_owned());
    }
    if name.len() > MAX_NAME_LEN {
        return invalid(format!("shorten it to at most {MAX_NAME_LEN} characters"));
    }
    if TAKEN.contains(&name) || TAKEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        let reason = "it has a meaning of its own in HTTP; choose another, such as `Session-Id`";
        return invalid(reason.to_owned());
    }
    Ok(())
}
