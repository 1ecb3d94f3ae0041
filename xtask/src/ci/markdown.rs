/// If `line` opens or closes a fence, the text after its marks. It is empty for a closing fence.
pub(super) fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['>', ' ', '\t']);
    ["```", "~~~"].iter().find_map(|mark| {
        let info = line.strip_prefix(mark)?.trim_start_matches(['`', '~']).trim();
        (!info.contains('`')).then_some(info)
    })
}

/// The lines outside of fences, with their numbers.
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

/// The texts between backticks.
pub(super) fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

pub(super) fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_blocks_are_not_prose() {
        let text = "a\n```rust\nb\n```\nc\n~~~\nd\n~~~\n";
        assert_eq!(prose(text), [(1, "a"), (5, "c")]);
    }

    #[test]
    fn a_code_span_of_three_backticks_is_not_a_fence() {
        assert_eq!(fence("```a``` is inline"), None);
        assert_eq!(fence("```rust,no_run"), Some("rust,no_run"));
    }

    #[test]
    fn code_spans_are_separated_from_other_text() {
        assert_eq!(code_spans("a `b` c `d`").collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!(without_code_spans("a `b` c"), "a  c");
    }
}
