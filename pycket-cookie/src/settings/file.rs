use std::time::{Duration, UNIX_EPOCH};

use pycket_core::{Error, ErrorKind};
use serde::Deserialize;

use super::{CookieSettings, Persistence, SameSite};

/// Cookie settings as a file contains them. An absent one has the default of [`CookieSettings`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CookieSettingsFile {
    name: Option<String>,
    path: Option<String>,
    domain: Option<String>,
    secure: Option<bool>,
    http_only: Option<bool>,
    same_site: Option<SameSite>,
    partitioned: Option<bool>,
    /// In seconds.
    max_age: Option<u64>,
    expires_days: Option<u16>,
    /// In seconds since the Unix epoch.
    expires: Option<u64>,
    follow_session: Option<bool>,
}

impl CookieSettingsFile {
    fn persistence(&self) -> Result<Persistence, Error> {
        let chosen = [
            self.max_age.map(|seconds| Persistence::MaxAge(Duration::from_secs(seconds))),
            self.expires_days.map(Persistence::days),
            self.expires.map(date).transpose()?,
            self.follow_session.filter(|follow| *follow).map(|_| Persistence::FollowSession),
        ];
        let mut chosen = chosen.into_iter().flatten();
        match (chosen.next(), chosen.next()) {
            (None, _) => Ok(Persistence::BrowserSession),
            (Some(persistence), None) => Ok(persistence),
            (Some(_), Some(_)) => Err(invalid(
                "the cookie has more than one duration: keep one of `max_age`, `expires_days`, \
                 `expires` and `follow_session`",
            )),
        }
    }
}

impl TryFrom<CookieSettingsFile> for CookieSettings {
    type Error = Error;

    fn try_from(file: CookieSettingsFile) -> Result<Self, Error> {
        let default = Self::default();
        let builder = Self::builder()
            .persistence(file.persistence()?)
            .name(file.name.unwrap_or(default.name))
            .path(file.path.unwrap_or(default.path))
            .secure(file.secure.unwrap_or(default.secure))
            .http_only(file.http_only.unwrap_or(default.http_only))
            .same_site(file.same_site.unwrap_or(default.same_site))
            .partitioned(file.partitioned.unwrap_or(default.partitioned));
        match file.domain {
            Some(domain) => builder.domain(domain).build(),
            None => builder.build(),
        }
    }
}

fn date(seconds: u64) -> Result<Persistence, Error> {
    let date = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    date.map(Persistence::Until).ok_or_else(|| {
        invalid("`expires` is too late: use seconds since the Unix epoch, up to the year 9999")
    })
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}
