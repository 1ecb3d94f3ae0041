//! Slots of a cluster that move to another node while clients use their sessions.

use fastrand::Rng;
use pycket_testkit::servers::Server;

use crate::Result;
use crate::store::{ask, primaries};

/// So many slots with sessions move at a time.
const SLOTS: usize = 10;

/// Moves slots with sessions from one primary to another, as `redis-cli --cluster reshard` does.
pub(super) fn move_some(nodes: &[&Server], random: &mut Rng) -> Result<()> {
    let mut primaries = primaries(nodes);
    random.shuffle(&mut primaries);
    let [source, target, ..] = primaries[..] else {
        return Err("there are no two primaries".into());
    };
    let keys: Vec<Vec<u8>> = ask(source, &["KEYS", "*"])?;
    for key in keys.iter().take(SLOTS) {
        let key = String::from_utf8_lossy(key);
        let slot: u16 = ask(source, &["CLUSTER", "KEYSLOT", &key])?;
        move_slot(&primaries, source, target, &slot.to_string())?;
    }
    Ok(())
}

fn move_slot(primaries: &[&Server], source: &Server, target: &Server, slot: &str) -> Result<()> {
    let [from, to] = [source, target].map(|node| ask::<String>(node, &["CLUSTER", "MYID"]));
    let (from, to) = (from?, to?);
    let _: redis::Value = ask(target, &["CLUSTER", "SETSLOT", slot, "IMPORTING", &from])?;
    let _: redis::Value = ask(source, &["CLUSTER", "SETSLOT", slot, "MIGRATING", &to])?;
    loop {
        let keys: Vec<String> = ask(source, &["CLUSTER", "GETKEYSINSLOT", slot, "20"])?;
        if keys.is_empty() {
            break;
        }
        let port = target.port().to_string();
        let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        words.extend(keys.iter().map(String::as_str));
        let _: redis::Value = ask(source, &words)?;
    }
    // The target first: otherwise no node would own the slot for a moment.
    let rest = primaries.iter().filter(|node| node.port() != target.port());
    for node in std::iter::once(&target).chain(rest) {
        let _: redis::Value = ask(node, &["CLUSTER", "SETSLOT", slot, "NODE", &to])?;
    }
    Ok(())
}
