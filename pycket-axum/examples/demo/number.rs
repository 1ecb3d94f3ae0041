use serde_json::Number;

/// The number plus one; an absent number counts as zero. Integers are exact as long as they fit into 64 bits.
pub(crate) fn increment(number: Option<Number>) -> Number {
    let Some(number) = number else {
        return Number::from(1);
    };
    if let Some(next) = number.as_i64().and_then(|n| n.checked_add(1)) {
        return Number::from(next);
    }
    if let Some(next) = number.as_u64().and_then(|n| n.checked_add(1)) {
        return Number::from(next);
    }
    number.as_f64().and_then(|n| Number::from_f64(n + 1.0)).unwrap_or(number)
}
