//! An error with its causes, as one text.

use std::iter::successors;

/// Returns what an error says and what each of its causes says, joined by colons: `a: b: c`.
pub fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = successors(Some(error), |outer| outer.source())
        .map(ToString::to_string)
        .collect();
    // Some libraries' errors say what their source says.
    texts.dedup_by(|inner, outer| outer.ends_with(inner.as_str()));
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::error_chain;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("no room")]
        Silent(#[source] io::Error),
        #[error("failed to write: {0}")]
        Repeating(#[source] io::Error),
    }

    #[test]
    fn each_cause_is_said_once() {
        let cause = || io::Error::other("disk full");
        assert_eq!(error_chain(&cause()), "disk full");
        assert_eq!(error_chain(&Failure::Silent(cause())), "no room: disk full");
        assert_eq!(
            error_chain(&Failure::Repeating(cause())),
            "failed to write: disk full"
        );
    }
}
