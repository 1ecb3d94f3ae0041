use std::fmt;

/// A sequence whose last call got a wrong answer, as a test that can be pasted.
pub(crate) struct Failure {
    pub(crate) script: String,
    pub(crate) expected: String,
    pub(crate) came: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { script, expected, came } = self;
        write!(
            f,
            "the last call of this test got a wrong answer\n  expected: {expected}\n  \
             got:      {came}\n\npaste it below the call of `conformance!`:\n\n{script}"
        )
    }
}
