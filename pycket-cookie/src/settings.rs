mod builder;
mod file;
mod persistence;
mod rules;

use cookie::Cookie;
use serde::Deserialize;

pub use builder::CookieSettingsBuilder;
pub use persistence::Persistence;

/// The name and the attributes of the session cookie; every value of this type is free of
/// contradictions.
///
/// The defaults are the safe ones, and those of pycket where these are safe:
///
/// | setting | default | why |
/// |---|---|---|
/// | name | `PYCKET_ID` | pycket's |
/// | path | `/` | one session for the whole site |
/// | domain | none | the host that set the cookie gets it, its subdomains do not |
/// | secure | yes | the cookie never travels in clear text |
/// | http_only | yes | scripts, and with them injected ones, cannot read it |
/// | same_site | [`Lax`](SameSite::Lax) | other sites' forms and fetches come without it |
/// | persistence | [`BrowserSession`](Persistence::BrowserSession) | a shared computer forgets the visitor |
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
/// let contradiction = settings.into_builder().same_site(SameSite::None).secure(false).build();
/// assert!(contradiction.unwrap_err().to_string().contains("keep `secure` on"));
/// # Ok::<(), pycket_core::Error>(())
/// ```
///
/// # From a file
///
/// Any serde format reads it. The names are those of the builder; `max_age` (seconds), `expires_days`,
/// `expires` (seconds since the Unix epoch) or `follow_session = true` make the cookie persistent.
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
    persistence: Persistence,
    partitioned: bool,
}

/// Whether the browser sends the cookie with requests that other sites cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Never, not even when the visitor follows a link to the site.
    Strict,
    /// Only when the visitor follows a link to the site, or is redirected to it.
    Lax,
    /// Always. It needs `secure`, and a defence of your own against cross-site request forgery.
    None,
}

impl CookieSettings {
    /// A builder that starts at the defaults.
    pub fn builder() -> CookieSettingsBuilder {
        Self::default().into_builder()
    }

    /// The strictest cookie that works for an ordinary site: the defaults under the name `__Host-id`.
    ///
    /// The prefix makes browsers refuse a cookie of that name that is not `Secure`, has a domain, or came
    /// from another host, so a subdomain or an eavesdropper cannot plant one; the rest of the name does not
    /// tell what software runs here. It stays with [`SameSite::Lax`]: under `Strict` a visitor who follows
    /// a link from a mail or comes back from a sign-in provider arrives without the cookie, and the new
    /// session made for that visit replaces the one they had.
    pub fn hardened() -> Self {
        Self { name: "__Host-id".to_owned(), ..Self::default() }
    }

    /// A builder that starts here.
    pub fn into_builder(self) -> CookieSettingsBuilder {
        CookieSettingsBuilder::from(self)
    }

    /// The name of the cookie.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn persistence(&self) -> Persistence {
        self.persistence
    }

    /// The cookie without value and life.
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

impl From<SameSite> for cookie::SameSite {
    fn from(same_site: SameSite) -> Self {
        match same_site {
            SameSite::Strict => Self::Strict,
            SameSite::Lax => Self::Lax,
            SameSite::None => Self::None,
        }
    }
}
