use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use pycket_core::{Record, SessionId};

/// What a random id is called: who made it, and how many that one had made before.
///
/// The store calls of one request do not depend on what its random ids are. So two runs in which each request has
/// got the same replies under these names are in the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    /// 0 before the requests, then the number of the request and one.
    maker: u8,
    nth: u8,
}

impl Name {
    /// Whether another one of the requests made it.
    pub(crate) fn is_anothers(self, maker: u8) -> bool {
        self.maker != 0 && self.maker != maker
    }
}

/// The names of all ids, handles and random numbers that a store has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    names: HashMap<String, Name>,
    made: [u8; 4],
}

impl Names {
    pub(crate) fn of_id(&mut self, id: &SessionId, maker: u8) -> Name {
        self.of(id.expose(), maker)
    }

    /// A request sends what it has made before any other request can know it. So an unknown one is its own.
    fn of(&mut self, random: String, maker: u8) -> Name {
        let made = &mut self.made[usize::from(maker)];
        *self.names.entry(random).or_insert_with(|| {
            *made += 1;
            Name { maker, nth: *made }
        })
    }

    /// A number for what a record holds, equal for records that differ only in random ids.
    pub(crate) fn digest(&mut self, record: &Record, maker: u8) -> u64 {
        let metadata = record.metadata();
        let mut sum = digest_of(&(metadata.created.unix_millis(), metadata.granted));
        // A sum, because the order of entries whose names are random does not count.
        for (name, value) in record.iter() {
            let mut hasher = DefaultHasher::new();
            match name.split_once(':') {
                Some((kind, handle)) if kind == "session" || kind == "sequence" => {
                    (kind, self.of(handle.to_owned(), maker)).hash(&mut hasher);
                }
                _ => name.hash(&mut hasher),
            }
            self.add(&value.decode().unwrap(), maker, &mut hasher);
            sum = sum.wrapping_add(hasher.finish());
        }
        sum
    }

    fn add(&mut self, value: &serde_json::Value, maker: u8, hasher: &mut DefaultHasher) {
        match value {
            serde_json::Value::Array(values) => {
                values.len().hash(hasher);
                values.iter().for_each(|value| self.add(value, maker, hasher));
            }
            serde_json::Value::String(text) if is_random(text) => {
                self.of(text.clone(), maker).hash(hasher);
            }
            // The random number in the header of an index has its highest bit set; no other number has.
            serde_json::Value::Number(number) if number.as_u64().is_some_and(|n| n >> 63 == 1) => {
                self.of(number.to_string(), maker).hash(hasher);
            }
            other => other.hash(hasher),
        }
    }
}

fn is_random(text: &str) -> bool {
    matches!(text.len(), 32 | 36) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

pub(crate) fn digest_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
