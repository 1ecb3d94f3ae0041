mod builder;
mod file;
mod persistence;
mod rules;
mod same_site;

use cookie::Cookie;
use serde::Deserialize;

pub use builder::CookieSettingsBuilder;
pub use persistence::Persistence;
pub use same_site::SameSite;

/// The name and the attributes of the session cookie. A value of this type never contradicts itself.
///
/// The defaults follow the OWASP Session Management Cheat Sheet, and pycket where it is as safe:
///
/// | setting | default | reason |
/// |---|---|---|
/// | name | `PYCKET_ID` | pycket's name |
/// | path | `/` | one session for the whole site |
/// | domain | none | only the host that set the cookie gets it, without its subdomains |
/// | secure | yes | the cookie is never sent unencrypted |
/// | http_only | yes | scripts, and so injected ones, cannot read the cookie |
/// | same_site | [`Lax`](SameSite::Lax) | `POST` forms and fetches of other sites do not carry the cookie |
/// | persistence | [`BrowserSession`](Persistence::BrowserSession) | a shared computer forgets the user |
/// | partitioned | no | only embedded pages need it |
///
/// ```
/// use pycket_cookie::{CookieSettings, Persistence, SameSite};
///
/// let settings = CookieSettings::builder()
///     .name("sid")
///     .persistence(Persistence::days(30))
///     .same_site(SameSite::Strict)
///     .build()?;
///
/// let contradiction = settings.to_builder().same_site(SameSite::None).secure(false).build();
/// assert!(contradiction.unwrap_err().to_string().contains("set `secure` to true"));
/// # Ok::<(), pycket_core::Error>(())
/// ```
///
/// # From a file
///
/// Any serde format works. The names are those of the builder; one of `max_age` (seconds), `expires_days`,
/// `expires` (seconds since the Unix epoch) and `follow_session = true` makes the cookie persistent.
/// Unknown names are errors.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "file::CookieSettingsFile")]
pub struct CookieSettings {
    name: String,
    path: String,
    domain: Option<String>,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    pub(crate) persistence: Persistence,
    partitioned: bool,
}

impl CookieSettings {
    /// A builder that starts with the defaults.
    pub fn builder() -> CookieSettingsBuilder {
        CookieSettingsBuilder(Self::default())
    }

    /// A builder that starts with these settings.
    pub fn to_builder(&self) -> CookieSettingsBuilder {
        CookieSettingsBuilder(self.clone())
    }

    /// The strictest cookie that works for an ordinary site: the defaults under the name `__Host-id`.
    ///
    /// Browsers refuse a cookie with the prefix `__Host-` that is not `Secure`, has a domain, or comes from
    /// another host, so that a subdomain or a network attacker cannot plant one (RFC 6265bis). The rest of
    /// the name does not reveal the software, as OWASP recommends. `SameSite` stays
    /// [`Lax`](SameSite::Lax): under `Strict`, a user who follows a link from a mail or returns from a
    /// sign-in provider arrives without the cookie, and the session of that request replaces the older one.
    pub fn hardened() -> Self {
        Self { name: "__Host-id".to_owned(), ..Self::default() }
    }

    /// The name of the cookie.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cookie without a value and without `Max-Age` and `Expires`.
    pub(crate) fn template(self) -> Cookie<'static> {
        let mut cookie = Cookie::new(self.name, "");
        cookie.set_path(self.path);
        cookie.set_secure(self.secure);
        cookie.set_http_only(self.http_only);
        cookie.set_same_site(cookie::SameSite::from(self.same_site));
        cookie.set_partitioned(self.partitioned);
        if let Some(domain) = self.domain {
            cookie.set_domain(domain);
        }
        cookie
    }
}

impl Default for CookieSettings {
    fn default() -> Self {
        Self {
            name: "PYCKET_ID".to_owned(),
            path: "/".to_owned(),
            domain: None,
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            persistence: Persistence::BrowserSession,
            partitioned: false,
        }
    }
}
