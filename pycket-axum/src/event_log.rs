use pycket_core::Event;

/// Logs a session event with `tracing`. Events contain no id and no data.
pub(crate) fn log_event(event: Event) {
    match event {
        Event::ChangesDropped => {
            tracing::warn!(?event, "session changes were dropped because no commit followed them");
        }
        Event::DestroyFailed => {
            tracing::warn!(
                ?event,
                "a destroyed session could not be deleted and ends at its timeout"
            );
        }
        Event::LimitFailed => {
            tracing::warn!(?event, "a user has more sessions than allowed, until the next sign-in");
        }
        Event::RenewalFailed => tracing::warn!(?event, "a session was not renewed"),
        Event::Ended => tracing::info!(?event, "session changes were made after its end"),
        event => tracing::debug!(?event, "session event"),
    }
}
