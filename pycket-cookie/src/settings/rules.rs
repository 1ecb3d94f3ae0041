use std::time::Duration;

use pycket_core::{Error, ErrorKind, Ttl};

use super::{CookieSettings, Persistence, SameSite};
use crate::signer::Signer;

/// Browsers drop a cookie whose name and value together are longer.
const MAX_NAME_AND_VALUE_LEN: usize = 4096;
/// Browsers ignore an attribute whose value is longer.
const MAX_PATH_LEN: usize = 1024;
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

fn check_name(name: &str) -> Result<(), Error> {
    const MAX_LEN: usize = MAX_NAME_AND_VALUE_LEN - Signer::VALUE_LEN;

    if name.is_empty() {
        return invalid("the cookie's name is empty: leave it out to get `PYCKET_ID`, or give one");
    }
    if let Some(stranger) = name.chars().find(|c| !is_token_character(*c)) {
        return invalid(format!(
            "the cookie's name contains {stranger:?}: use only ASCII letters, digits and \
             !#$%&'*+-.^_`|~"
        ));
    }
    if name.len() > MAX_LEN {
        return invalid(format!(
            "the cookie's name and value exceed {MAX_NAME_AND_VALUE_LEN} bytes, and browsers would \
             drop it: shorten the name from {} to at most {MAX_LEN} bytes",
            name.len(),
        ));
    }
    Ok(())
}

/// RFC 6265 takes a name to be an HTTP token.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn check_path(path: &str) -> Result<(), Error> {
    if !path.starts_with('/') {
        return invalid("the cookie's path must begin with `/`: put one in front, or leave it out");
    }
    if let Some(stranger) = path.chars().find(|c| !c.is_ascii_graphic() || *c == ';') {
        return invalid(format!(
            "the cookie's path contains {stranger:?}, which cannot stand in a cookie: take it out or \
             percent-encode it"
        ));
    }
    if path.len() > MAX_PATH_LEN {
        return invalid(format!(
            "the cookie's path exceeds {MAX_PATH_LEN} bytes, and browsers would ignore it: use a \
             shorter one"
        ));
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), Error> {
    let is_host = domain.len() <= MAX_DOMAIN_LEN && domain.split('.').all(is_label);
    if is_host {
        return Ok(());
    }
    invalid(
        "the cookie's domain is not a host name: write it like `example.com`, without scheme, port and \
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
    let range = Duration::from_secs(1)..=Ttl::MAX.as_duration();
    match persistence {
        Persistence::MaxAge(age) if !range.contains(&age) => invalid(
            "the cookie's `MaxAge` must be one second to ten years (3653 days): choose another, or \
             `BrowserSession` for a cookie that ends with the browser",
        ),
        Persistence::Until(date) if Persistence::expires(date).is_none() => invalid(
            "the cookie's `Until` must be a date from 1970 to 9999: choose another, or `MaxAge` for a \
             span of time",
        ),
        _ => Ok(()),
    }
}

/// Browsers compare the prefixes without regard to case, or a server that does so could be deceived.
fn check_prefix(settings: &CookieSettings) -> Result<(), Error> {
    let name = settings.name.to_ascii_lowercase();
    let is_host = name.starts_with("__host-");
    let is_http = name.starts_with("__http-") || name.starts_with("__host-http-");
    let is_secure = name.starts_with("__secure-");

    if is_host && settings.domain.is_some() {
        return invalid(
            "a cookie named `__Host-…` has no domain: leave the domain out, or name it `__Secure-…`",
        );
    }
    if is_host && settings.path != "/" {
        return invalid(
            "a cookie named `__Host-…` has the path `/`: leave the path out, or name it `__Secure-…`",
        );
    }
    if (is_host || is_http || is_secure) && !settings.secure {
        return invalid(
            "a cookie named `__Host-…`, `__Secure-…` or `__Http-…` is secure: keep `secure` on, or \
             choose a name without the prefix",
        );
    }
    if is_http && !settings.http_only {
        return invalid(
            "a cookie named `__Http-…` or `__Host-Http-…` is kept from scripts: keep `http_only` on, \
             or choose a name without the prefix",
        );
    }
    Ok(())
}

fn check_secure(settings: &CookieSettings) -> Result<(), Error> {
    if settings.secure {
        return Ok(());
    }
    if settings.same_site == SameSite::None {
        return invalid(
            "browsers drop a cookie with `SameSite=None` that is not secure: keep `secure` on, or \
             choose `SameSite::Lax`",
        );
    }
    if settings.partitioned {
        return invalid(
            "browsers drop a partitioned cookie that is not secure: keep `secure` on, or turn \
             `partitioned` off",
        );
    }
    Ok(())
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> Result<(), Error> {
    Err(Error::new(ErrorKind::InvalidSetting, message))
}
