use pycket_core::Error;

use super::{CookieSettings, Persistence, SameSite, rules};

/// Collects settings and checks them together. [`CookieSettings`] lists the defaults and their reasons.
#[derive(Clone, Debug)]
#[must_use]
pub struct CookieSettingsBuilder(pub(super) CookieSettings);

impl CookieSettingsBuilder {
    /// The name: ASCII letters, digits and ``!#$%&'*+-.^_`|~``, at most 4016 characters.
    ///
    /// Browsers enforce rules for names that begin with `__Host-`, `__Secure-` or `__Http-`, in any case
    /// (RFC 6265bis); [`build`](Self::build) enforces them first.
    #[doc(alias = "with_name")]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// The path below which the browser sends the cookie: begins with `/`, visible ASCII without `;`, at
    /// most 1024 characters; percent-encode others. It does not protect against scripts of other paths.
    #[doc(alias = "with_path")]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// A domain that gets the cookie together with **all its subdomains**; each of them can read and replace
    /// it. A host name of at most 253 characters. A leading dot is removed: browsers ignore it.
    #[doc(alias = "with_domain")]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        let domain = domain.into();
        self.0.domain = Some(domain.strip_prefix('.').map(str::to_owned).unwrap_or(domain));
        self
    }

    /// Whether browsers send the cookie over HTTPS only.
    ///
    /// Turn it off only for development without TLS, in the settings of the development machine. On
    /// `http://localhost` Chrome and Edge (since version 89) and Firefox (since version 75) keep and send a
    /// `Secure` cookie all the same, and Safari does not. Names that begin with `__Host-` or `__Secure-` work
    /// there in Firefox only. Over plain HTTP from another machine, no browser keeps the cookie.
    #[doc(alias = "with_secure")]
    pub fn secure(mut self, secure: bool) -> Self {
        self.0.secure = secure;
        self
    }

    /// Whether the cookie is hidden from scripts. A session cookie has hardly a reason to turn it off.
    #[doc(alias = "with_http_only")]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.0.http_only = http_only;
        self
    }

    /// Whether requests that other sites cause carry the cookie.
    #[doc(alias = "with_same_site")]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.0.same_site = same_site;
        self
    }

    /// How long the browser keeps the cookie.
    #[doc(alias("session_lifecycle", "with_expiry"))]
    pub fn persistence(mut self, persistence: Persistence) -> Self {
        self.0.persistence = persistence;
        self
    }

    /// Whether the browser keeps one cookie for each site that embeds this one (CHIPS). It needs `secure`.
    pub fn partitioned(mut self, partitioned: bool) -> Self {
        self.0.partitioned = partitioned;
        self
    }

    /// The settings, if a browser accepts a cookie with them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSetting`](pycket_core::ErrorKind::InvalidSetting) for settings that a browser
    /// misreads or silently drops. The message says what to change:
    ///
    /// - a name, path, domain or persistence outside the range of its setter;
    /// - `__Host-` with a domain, with another path than `/`, or without `secure`; `__Secure-` without
    ///   `secure`; `__Http-` and `__Host-Http-` without `secure` and `http_only`;
    /// - [`SameSite::None`] or `partitioned` without `secure`.
    pub fn build(self) -> Result<CookieSettings, Error> {
        rules::check(&self.0)?;
        Ok(self.0)
    }
}
