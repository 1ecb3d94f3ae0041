use std::time::Duration;

use super::Outcome;

/// A step that has run.
pub(super) struct Ended {
    pub(super) name: &'static str,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

impl Ended {
    pub(super) fn is_well(&self) -> bool {
        self.outcome.is_ok()
    }
}

/// A line per step.
pub(super) fn summary(ended: &[Ended]) -> String {
    let mut lines = vec!["\n== summary".to_owned()];
    lines.extend(ended.iter().map(|step| {
        let verdict = if step.is_well() { "ok" } else { "FAILED" };
        format!("{verdict:<8}{:<12}{:>6.1} s", step.name, step.took.as_secs_f64())
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_a_line_with_its_verdict_and_seconds() {
        let ended = [
            Ended { name: "fmt", outcome: Ok(()), took: Duration::from_millis(840) },
            Ended { name: "tests", outcome: Err("no".to_owned()), took: Duration::from_secs(125) },
        ];
        assert_eq!(
            summary(&ended),
            "\n== summary\nok      fmt            0.8 s\nFAILED  tests        125.0 s"
        );
    }
}
