use std::error::Error as StdError;

use pycket_core::{Error, SessionId};

/// All that a log could show of an error: `Display` and `Debug` of it and of all its sources, one after the
/// other. For tests that an error tells no secret, and that it tells what it should.
///
/// ```
/// use pycket_core::{Error, ErrorKind};
///
/// let refused = std::io::Error::other("no room");
/// let error = Error::new(ErrorKind::Full, "the store is full").with_source(refused);
/// let shown = pycket_testkit::all_shown_by(&error);
/// assert!(shown.contains("the store is full") && shown.contains("no room"));
/// ```
pub fn all_shown_by(error: &Error) -> String {
    let mut shown = String::new();
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(error) = next {
        shown += &format!("{error}\n{error:?}\n{error:#?}\n");
        next = error.source();
    }
    shown
}

/// Whether some text of the error shows the id, or enough of it to find it in a store.
pub(crate) fn ids_shown(error: &Error, id: &SessionId) -> bool {
    let id = id.expose();
    let last_group = id.rsplit('-').next().unwrap_or(&id);
    all_shown_by(error).to_lowercase().contains(last_group)
}
