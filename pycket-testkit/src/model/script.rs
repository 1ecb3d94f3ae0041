/// The calls so far, as lines of Rust.
pub(super) struct Script {
    head: &'static str,
    lines: String,
}

impl Script {
    /// `head` is the beginning of the test; it defines the words that the lines use.
    pub(super) fn new(head: &'static str) -> Self {
        Self { head, lines: String::new() }
    }

    pub(super) fn line(&mut self, line: &str) {
        self.lines += &format!("        {line}\n");
    }

    pub(super) fn assert_eq(&mut self, call: &str, expected: &str) {
        self.line(&format!("assert_eq!({call}, {expected});"));
    }

    /// The message for a wrong answer to the last call, with the script as a test.
    pub(super) fn failure(&self, expected: &str, got: &str) -> String {
        let Self { head, lines } = self;
        format!(
            "the last call of this test got a wrong answer\n  expected: {expected}\n  \
             got:      {got}\n\npaste it below the call of `conformance!`:\n\n\
             {head}{lines}        Ok(())\n    }})\n}}\n"
        )
    }
}
