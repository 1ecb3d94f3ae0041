//! The reply of a node to `CLUSTER SLOTS`.
//!
//! Every owner is a node of the map, and a map that is written again has the same owners.

use pycket_redis::fuzzing::{Reply, SlotMap, reply, slot};
use redis::Value;

use crate::parts::{bounded, from};

const SLOTS: u16 = 16_384;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    check_slot(bytes);
    let Reply::Complete(value) = reply(bytes) else { return };
    let map = bounded(4096 + 512 * bytes.len(), || SlotMap::parse(&value, &from()));
    let Some(map) = map else { return };
    let nodes = map.nodes();
    assert!(!nodes.is_empty() && nodes.len() <= bytes.len());
    let owner =
        |map: &SlotMap, slot| map.owner(slot).map(|index| map.nodes().get(index).cloned().unwrap());
    let slots = (0..SLOTS).step_by(61).chain([SLOTS - 1]);
    let owned = slots.filter_map(|slot| Some((slot, owner(&map, slot)?)));
    let owned: Vec<_> = owned.collect();
    let range = |(slot, (host, port)): &(u16, (String, u16))| {
        let slot = Value::Int((*slot).into());
        let host = Value::BulkString(format!("[{host}]").into());
        let node = Value::Array(vec![host, Value::Int((*port).into())]);
        Value::Array(vec![slot.clone(), slot, node])
    };
    let written = Value::Array(owned.iter().map(range).collect());
    let Some(same) = SlotMap::parse(&written, &from()) else {
        return assert!(owned.is_empty());
    };
    for (slot, node) in owned {
        assert_eq!(owner(&same, slot), Some(node));
    }
}

/// The part in the first braces decides, if there is one.
fn check_slot(key: &[u8]) {
    assert!(slot(key) < SLOTS);
    if !key.is_empty() && !key.contains(&b'{') && !key.contains(&b'}') {
        assert_eq!(slot(&[b"pycket:{", key, b"}:{more}"].concat()), slot(key));
    }
}
