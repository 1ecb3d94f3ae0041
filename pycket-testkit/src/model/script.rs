use std::fmt;

/// The calls so far, as lines of Rust.
#[derive(Default)]
pub(super) struct Script(Vec<String>);

impl Script {
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.0.push(line.into());
    }

    pub(super) fn assert_eq(&mut self, got: &str, expected: &str) {
        self.line(format!("assert_eq!({got}, {expected});"));
    }

    /// As a test of a store.
    pub(super) fn of_calls(&self) -> String {
        self.between(include_str!("calls/head.rs.txt"))
    }

    /// As a test of sessions.
    pub(super) fn of_requests(&self) -> String {
        self.between(include_str!("requests/head.rs.txt"))
    }

    fn between(&self, head: &str) -> String {
        let lines: String = self.0.iter().map(|line| format!("        {line}\n")).collect();
        format!("{head}{lines}        Ok(())\n    }})\n}}\n")
    }
}

/// A sequence whose last call got a wrong answer, as a test that can be pasted.
pub(crate) struct Failure {
    pub(crate) script: String,
    pub(crate) expected: String,
    pub(crate) got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { script, expected, got } = self;
        write!(
            f,
            "the last call of this test got a wrong answer\n  expected: {expected}\n  \
             got:      {got}\n\npaste it below the call of `conformance!`:\n\n{script}"
        )
    }
}
