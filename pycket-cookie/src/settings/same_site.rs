use serde::Deserialize;

/// Whether the browser sends the cookie with requests that other sites cause (RFC 6265bis, `SameSite`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Never, not even when the user follows a link to the site.
    Strict,
    /// Only when the browser goes to the site by a link, a redirect or a `GET` form. The default.
    Lax,
    /// Always. It needs `secure`, and the application must prevent cross-site request forgery itself.
    None,
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
