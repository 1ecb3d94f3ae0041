//! Session ids as text and as bytes, and the handles of a user's sessions.
//!
//! An id has exactly one text, so that it has exactly one key. Every refused text gets the same error, so
//! that no error shows it.

use pycket_core::{SessionId, UserSessionHandle};

/// Checks one input.
pub fn check(bytes: &[u8]) {
    if let Some(bytes) = bytes.first_chunk::<16>() {
        let is_random = bytes[6] >> 4 == 4 && bytes[8] >> 6 == 0b10;
        let id = SessionId::try_from(*bytes);
        assert_eq!(id.is_ok(), is_random);
        if let Ok(id) = id {
            assert_eq!(id.expose_bytes(), *bytes);
            assert_eq!(id.expose().parse::<SessionId>().unwrap(), id);
        }
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    match text.parse::<SessionId>() {
        Ok(id) => {
            assert_eq!(id.expose(), text);
            assert_eq!(SessionId::try_from(id.expose_bytes()).unwrap(), id);
        }
        Err(error) => {
            assert_eq!(error.to_string(), "".parse::<SessionId>().unwrap_err().to_string())
        }
    }
    match text.parse::<UserSessionHandle>() {
        Ok(handle) => assert_eq!(handle.to_string(), text),
        Err(error) => {
            assert_eq!(error.to_string(), "".parse::<UserSessionHandle>().unwrap_err().to_string());
        }
    }
}
