use pycket_core::Event;

/// Writes events down, for whoever counts or reads logs. They carry no id and no data.
pub(crate) fn trace(event: Event) {
    match event {
        Event::ChangesDropped => {
            tracing::warn!(?event, "session changes were dropped, because nobody committed them");
        }
        Event::RenewalFailed => tracing::warn!(?event, "the life of a session was not renewed"),
        Event::Ended => tracing::info!(?event, "session changes came after the session's end"),
        event => tracing::debug!(?event, "session"),
    }
}
