use serde::{Deserialize, Serialize};

/// What a request does. Every server has all routes, under these names.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Route {
    /// Does not use the session.
    Untouched,
    /// Reads one value of an existing session and returns it.
    Read,
    /// Changes one value of an existing session.
    Write,
    /// Changes one value and gives the session a new id.
    Login,
    /// Has no cookie and creates a session with three values.
    First,
}

impl Route {
    pub(crate) const ALL: [Self; 5] =
        [Self::Untouched, Self::Read, Self::Write, Self::Login, Self::First];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Read => "read",
            Self::Write => "write",
            Self::Login => "login",
            Self::First => "first",
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Untouched => "/untouched",
            Self::Read => "/read",
            Self::Write => "/write",
            Self::Login => "/login",
            Self::First => "/first",
        }
    }
}
