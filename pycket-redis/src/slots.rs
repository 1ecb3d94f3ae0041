use redis::Value;

use crate::place::Place;

/// Which primary is responsible for which part of the keys.
#[derive(Clone, Default)]
pub(crate) struct Slots {
    /// In ascending order.
    ranges: Vec<Range>,
    places: Vec<Place>,
}

#[derive(Clone)]
struct Range {
    first: u16,
    last: u16,
    /// Its place in `places`.
    primary: usize,
}

const COUNT: u16 = 16_384;

/// The part of the keys that this one belongs to: the server's own sum, of what is in braces if there are.
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

/// The sum of each byte: every request needs the sum of its key.
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
    /// The answer of the node at `from` to `CLUSTER SLOTS`; `None` if it knows of none.
    pub(crate) fn parse(answer: &Value, from: &Place) -> Option<Self> {
        let Value::Array(items) = answer else { return None };
        let mut slots = Self::default();
        for item in items {
            let Value::Array(parts) = item else { continue };
            let [Value::Int(first), Value::Int(last), nodes @ ..] = parts.as_slice() else {
                continue;
            };
            let mut nodes = nodes.iter().map(|node| place(node, from));
            // The primary comes first; one that has no address yet cannot be asked.
            let Some(Some(primary)) = nodes.next() else { continue };
            let (Ok(first), Ok(last)) = (u16::try_from(*first), u16::try_from(*last)) else {
                continue;
            };
            let primary = slots.index(primary);
            slots.ranges.push(Range { first, last, primary });
            for replica in nodes.flatten() {
                slots.index(replica);
            }
        }
        slots.ranges.sort_unstable_by_key(|range| range.first);
        (!slots.ranges.is_empty()).then_some(slots)
    }

    /// Which of the places the slot belongs to.
    pub(crate) fn owner(&self, slot: u16) -> Option<usize> {
        let next = self.ranges.partition_point(|range| range.first <= slot);
        let range = self.ranges.get(next.checked_sub(1)?)?;
        (slot <= range.last).then_some(range.primary)
    }

    /// All nodes, the replicas too.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.iter()
    }

    fn index(&mut self, place: Place) -> usize {
        let known = self.places.iter().position(|known| *known == place);
        known.unwrap_or_else(|| {
            self.places.push(place);
            self.places.len() - 1
        })
    }
}

/// A node that does not know its own name is where it was asked.
fn place(node: &Value, from: &Place) -> Option<Place> {
    let Value::Array(parts) = node else { return None };
    let [host, Value::Int(port), ..] = parts.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) => String::from_utf8(host.clone()).ok()?,
        Value::SimpleString(host) => host.clone(),
        Value::Nil => String::new(),
        _ => return None,
    };
    let host = match host.as_str() {
        "?" => return None,
        "" => from.host.clone(),
        _ => host,
    };
    Some(Place { host, port: u16::try_from(*port).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_what_the_specification_says() {
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
    fn ranges_nameless_nodes_and_gaps_are_understood() {
        let range = |first, last, nodes: Vec<Value>| {
            Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat())
        };
        let answer = Value::Array(vec![
            range(100, 200, vec![node(named("two"), 2), node(named("three"), 3)]),
            range(0, 99, vec![node(Value::Nil, 1)]),
            range(300, 300, vec![node(named("?"), 4)]),
            Value::Nil,
        ]);
        let from = Place { host: "one".to_owned(), port: 9 };
        let slots = Slots::parse(&answer, &from).unwrap();
        let owner = |slot| slots.owner(slot).map(|owner| format!("{:?}", slots.places[owner]));
        assert_eq!(owner(0).as_deref(), Some("one:1"));
        assert_eq!(owner(99).as_deref(), Some("one:1"));
        assert_eq!(owner(100).as_deref(), Some("two:2"));
        assert_eq!(owner(200).as_deref(), Some("two:2"));
        assert_eq!([owner(201), owner(300), owner(16_383)], [None, None, None]);
        assert_eq!(slots.places().count(), 3);
        assert!(Slots::parse(&Value::Array(Vec::new()), &from).is_none());
        assert!(Slots::parse(&Value::Nil, &from).is_none());
    }
}
