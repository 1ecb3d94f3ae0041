use std::mem;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Changes, Error, Record, Value};

use super::state::is_reserved;
use super::{check_name, decode};

/// The values of a session within [`Session::update_all`](crate::Session::update_all).
///
/// What the closure sets or deletes, it sees at once. It is stored when the closure has returned `Ok`, on condition
/// that every name that the closure has read or changed is still as it was.
#[derive(Debug)]
pub struct Values {
    known: Record,
    /// They expect the known value of each name that was read or changed.
    changes: Changes,
}

impl Values {
    pub(super) fn new(known: Record) -> Self {
        Self { known, changes: Changes::new() }
    }

    /// Returns the value of `name`, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Decode`](crate::ErrorKind::Decode) if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Error> {
        if is_reserved(name) {
            return Ok(None);
        }
        self.expect(name);
        let value = self.changes.get(name).unwrap_or_else(|| self.known.get(name));
        value.map(|value| decode(name, value)).transpose()
    }

    /// Sets `name` to a value.
    ///
    /// # Errors
    ///
    /// As for [`Session::set`](crate::Session::set).
    pub fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        check_name(name)?;
        self.change(name, Some(Value::encode(value)?));
        Ok(())
    }

    /// Removes `name`. A missing name is no error and no change.
    pub fn delete(&mut self, name: &str) {
        if !is_reserved(name) {
            self.change(name, None);
        }
    }

    pub(super) fn into_changes(self) -> Changes {
        self.changes
    }

    fn change(&mut self, name: &str, value: Option<Value>) {
        self.expect(name);
        if self.known.get(name) == value.as_ref() {
            self.changes.forget(name);
        } else {
            self.changes.insert(name.into(), value);
        }
    }

    fn expect(&mut self, name: &str) {
        let known = self.known.get(name).cloned();
        self.changes = mem::take(&mut self.changes).expect(name, known);
    }
}
