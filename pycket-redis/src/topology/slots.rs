use std::collections::HashMap;

use redis::Value;

use crate::address::NodeAddr;

/// The slot map of a cluster: which primary owns which slots.
#[derive(Clone, Default)]
pub(crate) struct Slots {
    /// In ascending order.
    ranges: Vec<Range>,
    nodes: Vec<NodeAddr>,
    /// The index of each node in `nodes`.
    indices: HashMap<NodeAddr, usize>,
}

#[derive(Clone)]
struct Range {
    first: u16,
    last: u16,
    /// Its index in `nodes`.
    primary: usize,
}

const COUNT: u16 = 16_384;

/// Several times what the largest clusters have.
const MAX_NODES: usize = 10_000;

/// The slot of a key, as the server computes it: from the part in braces, if there is one.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = key.get(open + 1..)?;
        let close = rest.iter().position(|byte| *byte == b'}')?;
        rest.get(..close).filter(|tag| !tag.is_empty())
    });
    crc16(tag.unwrap_or(key)) % COUNT
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        let [high, low] = sum.to_be_bytes();
        #[expect(clippy::indexing_slicing, reason = "a byte is always below 256")]
        let next = SUMS[usize::from(high ^ byte)];
        (u16::from(low) << 8) ^ next
    })
}

/// The checksum of each byte. A table, because every request computes the slot of its key.
#[expect(clippy::indexing_slicing, reason = "the loop ends before the array does")]
static SUMS: [u16; 256] = {
    let mut sums = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
            bit += 1;
        }
        sums[byte] = sum;
        byte += 1;
    }
    sums
};

impl Slots {
    /// Reads the answer of the node `from` to `CLUSTER SLOTS`; `None` if it names no slots, or more slots or nodes
    /// than a cluster can have.
    pub(crate) fn parse(answer: &Value, from: &NodeAddr) -> Option<Self> {
        let Value::Array(items) = answer else { return None };
        if items.len() > COUNT.into() {
            return None;
        }
        let mut slots = Self::default();
        for item in items {
            let Value::Array(parts) = item else { continue };
            let [Value::Int(first), Value::Int(last), nodes @ ..] = parts.as_slice() else {
                continue;
            };
            let mut nodes = nodes.iter().map(|node| parse_node(node, from));
            // The primary comes first. It may have no address yet.
            let Some(Some(primary)) = nodes.next() else { continue };
            let (Ok(first), Ok(last)) = (u16::try_from(*first), u16::try_from(*last)) else {
                continue;
            };
            let primary = slots.index(primary);
            slots.ranges.push(Range { first, last, primary });
            for replica in nodes.flatten() {
                slots.index(replica);
                if slots.nodes.len() > MAX_NODES {
                    return None;
                }
            }
        }
        slots.ranges.sort_unstable_by_key(|range| range.first);
        (!slots.ranges.is_empty()).then_some(slots)
    }

    /// The index of the node that owns the slot.
    pub(crate) fn owner(&self, slot: u16) -> Option<usize> {
        let next = self.ranges.partition_point(|range| range.first <= slot);
        let range = self.ranges.get(next.checked_sub(1)?)?;
        (slot <= range.last).then_some(range.primary)
    }

    /// All nodes, replicas included.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeAddr> {
        self.nodes.iter()
    }

    /// The index of a node in [`nodes`](Self::nodes).
    pub(crate) fn index_of(&self, node: &NodeAddr) -> Option<usize> {
        self.indices.get(node).copied()
    }

    fn index(&mut self, node: NodeAddr) -> usize {
        self.index_of(&node).unwrap_or_else(|| {
            self.indices.insert(node.clone(), self.nodes.len());
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }
}

/// A node that does not know its own name leaves it out: then it is the node that was asked.
fn parse_node(node: &Value, from: &NodeAddr) -> Option<NodeAddr> {
    let Value::Array(parts) = node else { return None };
    let [host, Value::Int(port), ..] = parts.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        Value::SimpleString(host) => host,
        Value::Nil => "",
        _ => return None,
    };
    let host = match host {
        "?" => return None,
        "" => &from.host,
        _ => host,
    };
    Some(NodeAddr::new(host, u16::try_from(*port).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_of_matches_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"foo"), 12182);
        assert_eq!(slot_of(b"pycket:{foo}:bar"), 12182);
        assert_eq!(slot_of(b"{}foo"), crc16(b"{}foo") % COUNT);
        assert_eq!(slot_of(b"{foo"), crc16(b"{foo") % COUNT);
        assert_eq!(slot_of(b"a{b}{c}"), slot_of(b"b"));
    }

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())])
    }

    fn named(host: &str) -> Value {
        Value::BulkString(host.into())
    }

    #[test]
    fn parse_refuses_more_nodes_and_ranges_than_a_cluster_has() {
        let range =
            |nodes: Vec<Value>| Value::Array([vec![Value::Int(0), Value::Int(9)], nodes].concat());
        let nodes = |count: i64| {
            let node = |number: i64| node(named(&format!("node{number}")), 1);
            Value::Array(vec![range((0..count).map(node).collect())])
        };
        let from = NodeAddr::new("one", 9);
        assert_eq!(Slots::parse(&nodes(10_000), &from).unwrap().nodes().count(), 10_000);
        assert!(Slots::parse(&nodes(100_000), &from).is_none());
        let ranges = |count| Value::Array(vec![range(vec![node(named("one"), 1)]); count]);
        assert!(Slots::parse(&ranges(16_384), &from).is_some());
        assert!(Slots::parse(&ranges(16_385), &from).is_none());
    }

    #[test]
    fn node_of_several_ranges_is_listed_once() {
        let range = |first: i64, hosts: &[&str]| {
            let nodes = hosts.iter().map(|host| node(named(host), 1)).collect();
            Value::Array([vec![Value::Int(first), Value::Int(first + 9)], nodes].concat())
        };
        let answer = [range(0, &["one"]), range(10, &["two", "one"]), range(20, &["one", "two"])];
        let slots = Slots::parse(&Value::Array(answer.into()), &NodeAddr::new("one", 9)).unwrap();
        assert_eq!(slots.nodes().count(), 2);
        for (index, node) in slots.nodes().enumerate() {
            assert_eq!(slots.index_of(node), Some(index));
        }
    }

    #[test]
    fn parse_reads_ipv6_addresses_with_and_without_brackets() {
        for host in ["::1", "[::1]"] {
            let range = vec![Value::Int(0), Value::Int(9), node(named(host), 1)];
            let from = NodeAddr::new("one", 9);
            let slots = Slots::parse(&Value::Array(vec![Value::Array(range)]), &from).unwrap();
            assert_eq!(slots.nodes[0].host, "::1");
        }
    }

    #[test]
    fn parse_reads_ranges_gaps_and_nodes_without_name() {
        let range = |first, last, nodes: Vec<Value>| {
            Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat())
        };
        let answer = Value::Array(vec![
            range(
                100,
                200,
                vec![node(Value::SimpleString("two".into()), 2), node(named("three"), 3)],
            ),
            range(0, 99, vec![node(Value::Nil, 1)]),
            range(300, 300, vec![node(named("?"), 4)]),
            Value::Nil,
        ]);
        let from = NodeAddr::new("one", 9);
        let slots = Slots::parse(&answer, &from).unwrap();
        let owner = |slot| slots.owner(slot).map(|owner| format!("{:?}", slots.nodes[owner]));
        assert_eq!(owner(0).as_deref(), Some("one:1"));
        assert_eq!(owner(99).as_deref(), Some("one:1"));
        assert_eq!(owner(100).as_deref(), Some("two:2"));
        assert_eq!(owner(200).as_deref(), Some("two:2"));
        assert_eq!([owner(201), owner(300), owner(16_383)], [None, None, None]);
        assert_eq!(slots.nodes().count(), 3);
        assert!(Slots::parse(&Value::Array(Vec::new()), &from).is_none());
        assert!(Slots::parse(&Value::Nil, &from).is_none());
    }
}
