use rusqlite::{Connection, TransactionBehavior};

use crate::error::Failure;

/// The step from each version to the next. A released step is never edited: a change is a new file.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

const LATEST: i64 = MIGRATIONS.len() as i64;

/// Brings the file to the version that this driver writes. `user_version` holds its current version.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    if version(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again under the lock: another process may have migrated the file in the meantime.
    let missing = MIGRATIONS
        .get(version(&transaction)?..)
        .ok_or(Failure::Corrupt("it was written by a newer version of the driver"))?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", LATEST)?;
    transaction.commit().map_err(Failure::Commit)
}

fn version(connection: &Connection) -> Result<usize, Failure> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(version).map_err(|_| Failure::Corrupt("its version is negative"))
}
