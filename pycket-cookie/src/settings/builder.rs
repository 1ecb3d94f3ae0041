use pycket_core::Error;

use super::{CookieSettings, Persistence, SameSite, rules};

/// Collects settings and checks them together; see [`CookieSettings`] for the defaults.
#[derive(Clone, Debug)]
#[must_use]
pub struct CookieSettingsBuilder {
    settings: CookieSettings,
}

impl CookieSettingsBuilder {
    /// The name: ASCII letters, digits and ``!#$%&'*+-.^_`|~``, at most 4016 characters.
    ///
    /// Browsers hold a name that begins with `__Host-`, `__Secure-` or `__Http-`, in any case, to its
    /// promise; [`build`](Self::build) does so first.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// The path under which the browser sends the cookie: begins with `/`, visible ASCII without `;`, at
    /// most 1024 characters, all else percent-encoded. It keeps nothing secret from other paths' scripts.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.settings.path = path.into();
        self
    }

    /// A domain that gets the cookie together with **all its subdomains**, so that each of them could
    /// misuse it. A leading dot is dropped: it means nothing to browsers, and much configuration has one.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        let domain = domain.into();
        self.settings.domain = Some(domain.strip_prefix('.').map(str::to_owned).unwrap_or(domain));
        self
    }

    /// Whether the cookie travels over HTTPS only. Turn it off for a trial without TLS, never in service.
    pub fn secure(mut self, secure: bool) -> Self {
        self.settings.secure = secure;
        self
    }

    /// Whether the cookie is kept from scripts. There is hardly a reason to turn it off.
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.settings.http_only = http_only;
        self
    }

    /// Whether requests that other sites cause carry the cookie.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.settings.same_site = same_site;
        self
    }

    /// How long the browser keeps the cookie.
    pub fn persistence(mut self, persistence: Persistence) -> Self {
        self.settings.persistence = persistence;
        self
    }

    /// Whether the browser keeps one cookie per site that embeds this one (CHIPS); it needs `secure`.
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.settings.partitioned = partitioned;
        self
    }

    /// # Errors
    ///
    /// [`ErrorKind::InvalidSetting`](pycket_core::ErrorKind::InvalidSetting) for whatever a browser would
    /// misread or silently drop; the message says what to change:
    ///
    /// - a name, path, domain or life outside what the setter allows;
    /// - `__Host-` with a domain, another path than `/`, or without `secure`; `__Secure-` without
    ///   `secure`; `__Http-` and `__Host-Http-` without `secure` and `http_only`;
    /// - [`SameSite::None`] or `partitioned` without `secure`.
    pub fn build(self) -> Result<CookieSettings, Error> {
        rules::check(&self.settings)?;
        Ok(self.settings)
    }
}

impl From<CookieSettings> for CookieSettingsBuilder {
    fn from(settings: CookieSettings) -> Self {
        Self { settings }
    }
}
