use std::error::Error as StdError;

use pycket_core::{Error, SessionId};

/// Every text that a log could show of an error: `Display` and `Debug` of it and of all its sources.
pub(crate) fn texts(error: &Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next: Option<&dyn StdError> = Some(error);
    while let Some(error) = next {
        texts.extend([format!("{error}"), format!("{error:?}"), format!("{error:#?}")]);
        next = error.source();
    }
    texts
}

/// Whether some text of the error shows the id, or enough of it to find it in a store.
pub(crate) fn ids_shown(error: &Error, id: &SessionId) -> bool {
    let id = id.expose();
    let last_group = id.rsplit('-').next().unwrap_or(&id);
    texts(error).iter().any(|text| text.to_lowercase().contains(last_group))
}
