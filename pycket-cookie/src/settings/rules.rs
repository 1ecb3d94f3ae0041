use std::borrow::Cow;
use std::time::Duration;

use pycket_core::{Error, ErrorKind, Ttl};

use super::{CookieSettings, Persistence, SameSite};
use crate::signer::Signer;

/// Browsers drop a cookie with a longer name and value together (RFC 6265bis).
const MAX_NAME_AND_VALUE_LEN: usize = 4096;
/// Browsers ignore an attribute with a longer value (RFC 6265bis).
const MAX_PATH_LEN: usize = 1024;
/// RFC 1035, section 2.3.4.
const MAX_DOMAIN_LEN: usize = 253;
const MAX_LABEL_LEN: usize = 63;

pub(super) fn check(settings: &CookieSettings) -> Result<(), Error> {
    check_name(&settings.name)?;
    check_path(&settings.path)?;
    settings.domain.as_deref().map_or(Ok(()), check_domain)?;
    check_persistence(settings.persistence)?;
    check_prefix(settings)?;
    check_secure(settings)
}

fn require(condition: bool, message: impl Into<Cow<'static, str>>) -> Result<(), Error> {
    if condition { Ok(()) } else { Err(Error::new(ErrorKind::InvalidSetting, message)) }
}

fn check_name(name: &str) -> Result<(), Error> {
    const MAX_LEN: usize = MAX_NAME_AND_VALUE_LEN - Signer::VALUE_LEN;

    require(
        !name.is_empty(),
        "the cookie name is empty: choose one, or leave it out to use `PYCKET_ID`",
    )?;
    if let Some(character) = name.chars().find(|c| !is_token_character(*c)) {
        let advice = "use only ASCII letters, digits and !#$%&'*+-.^_`|~";
        require(false, format!("the cookie name contains {character:?}: {advice}"))?;
    }
    let length = name.len();
    require(
        length <= MAX_LEN,
        format!(
            "the cookie name and value exceed {MAX_NAME_AND_VALUE_LEN} bytes, and browsers drop such a \
             cookie: shorten the name from {length} to at most {MAX_LEN} bytes"
        ),
    )
}

/// A cookie name is an HTTP token (RFC 6265, section 4.1.1).
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn check_path(path: &str) -> Result<(), Error> {
    require(
        path.starts_with('/'),
        "the cookie path does not begin with `/`: add it, or leave the path out",
    )?;
    if let Some(character) = path.chars().find(|c| !c.is_ascii_graphic() || *c == ';') {
        let advice = "which a cookie cannot contain: remove it or percent-encode it";
        require(false, format!("the cookie path contains {character:?}, {advice}"))?;
    }
    require(
        path.len() <= MAX_PATH_LEN,
        format!(
            "the cookie path exceeds {MAX_PATH_LEN} bytes, and browsers ignore such a path: shorten it"
        ),
    )
}

fn check_domain(domain: &str) -> Result<(), Error> {
    require(
        domain.len() <= MAX_DOMAIN_LEN && domain.split('.').all(is_label),
        "the cookie domain is not a host name: write it like `example.com`, without scheme, port and \
         spaces, international names as `xn--…`, or leave it out",
    )
}

fn is_label(label: &str) -> bool {
    let is_label_character = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=MAX_LABEL_LEN).contains(&label.len())
        && label.chars().all(is_label_character)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn check_persistence(persistence: Persistence) -> Result<(), Error> {
    match persistence {
        Persistence::MaxAge(age) => require(
            (Duration::from_secs(1)..=Ttl::MAX.as_duration()).contains(&age),
            "the cookie's `MaxAge` is not between one second and ten years (3653 days): choose another, \
             or `BrowserSession` for a cookie that ends with the browser",
        ),
        Persistence::Until(date) => require(
            Persistence::to_expires(date).is_some(),
            "the cookie's `Until` is not a date from 1970 to 9999: choose another, or `MaxAge` for a \
             duration",
        ),
        Persistence::BrowserSession | Persistence::FollowSession => Ok(()),
    }
}

/// Browsers ignore the case of a prefix, because some servers ignore the case of a name (RFC 6265bis).
fn check_prefix(settings: &CookieSettings) -> Result<(), Error> {
    let name = settings.name.to_ascii_lowercase();
    let is_host = name.starts_with("__host-");
    let is_http = name.starts_with("__http-") || name.starts_with("__host-http-");
    let is_secure = name.starts_with("__secure-");

    require(
        !is_host || settings.domain.is_none(),
        "a cookie named `__Host-…` must not have a domain: leave it out, or use the prefix `__Secure-`",
    )?;
    require(
        !is_host || settings.path == "/",
        "a cookie named `__Host-…` must have the path `/`: leave it out, or use the prefix `__Secure-`",
    )?;
    require(
        settings.secure || !(is_host || is_http || is_secure),
        "a cookie named `__Host-…`, `__Secure-…` or `__Http-…` must be secure: set `secure` to true, or \
         choose a name without the prefix",
    )?;
    require(
        settings.http_only || !is_http,
        "a cookie named `__Http-…` or `__Host-Http-…` must be hidden from scripts: set `http_only` to \
         true, or choose a name without the prefix",
    )
}

fn check_secure(settings: &CookieSettings) -> Result<(), Error> {
    require(
        settings.secure || settings.same_site != SameSite::None,
        "browsers drop a cookie with `SameSite=None` that is not secure: set `secure` to true, or choose \
         `SameSite::Lax`",
    )?;
    require(
        settings.secure || !settings.partitioned,
        "browsers drop a partitioned cookie that is not secure: set `secure` to true, or `partitioned` to \
         false",
    )
}
