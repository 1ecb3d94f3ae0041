use std::collections::BTreeMap;

use argon2::Argon2;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};

/// Names and password hashes. A real shop has them in its database.
pub(crate) struct Accounts {
    hashes: BTreeMap<&'static str, String>,
    /// The hash of no one's password. An unknown name costs as much time as a wrong password, so that the time
    /// does not tell which names exist.
    decoy: String,
}

/// The password of both accounts, which the sign-in page shows.
pub(crate) const DEMO_PASSWORD: &str = "clay and fire";

impl Accounts {
    pub(crate) fn demo() -> Result<Self, Error> {
        let hashes = BTreeMap::from([("ann", hash(DEMO_PASSWORD)?), ("bob", hash(DEMO_PASSWORD)?)]);
        Ok(Self { hashes, decoy: hash("the decoy")? })
    }

    /// Whether this is the password of the user. It takes tens of milliseconds of one processor.
    pub(crate) fn is_right(&self, name: &str, password: &str) -> bool {
        let (hash, exists) = match self.hashes.get(name) {
            Some(hash) => (hash, true),
            None => (&self.decoy, false),
        };
        Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok() && exists
    }
}

fn hash(password: &str) -> Result<String, Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_of_a_known_name_is_right() {
        let accounts = Accounts::demo().unwrap();
        assert!(accounts.is_right("ann", DEMO_PASSWORD));
        assert!(!accounts.is_right("ann", "wrong"));
        assert!(!accounts.is_right("eve", DEMO_PASSWORD));
        assert!(!accounts.is_right("eve", "the decoy"));
    }
}
