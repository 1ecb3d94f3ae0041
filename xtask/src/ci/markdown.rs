/// What follows the marks if `line` opens or closes a fence: the info string, empty at the end of one.
pub(super) fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['>', ' ', '\t']);
    ["```", "~~~"].iter().find_map(|mark| {
        let info = line.strip_prefix(mark)?.trim_start_matches(['`', '~']).trim();
        (!info.contains('`')).then_some(info)
    })
}

/// The lines that are not inside a fence, with their numbers.
pub(super) fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| {
            let is_fence = fence(line).is_some();
            is_code ^= is_fence;
            !is_code && !is_fence
        })
        .collect()
}

/// What stands between backticks.
pub(super) fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// What does not.
pub(super) fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_blocks_are_no_prose() {
        let text = "a\n```rust\nb\n```\nc\n~~~\nd\n~~~\n";
        assert_eq!(prose(text), [(1, "a"), (5, "c")]);
    }

    #[test]
    fn a_code_span_of_three_backticks_is_no_fence() {
        assert_eq!(fence("```a``` is inline"), None);
        assert_eq!(fence("```rust,no_run"), Some("rust,no_run"));
    }

    #[test]
    fn code_spans_are_told_from_the_rest() {
        assert_eq!(code_spans("a `b` c `d`").collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!(without_code_spans("a `b` c"), "a  c");
    }
}
