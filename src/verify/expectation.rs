//! What has to come of a step.

use regex_lite::Regex;
use serde::Deserialize;

/// All that is set must hold; without any, the command only has to succeed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The whole answer, without spaces at its ends.
    pub equals: Option<String>,
    pub contains: Option<String>,
    /// Regular expression that is found somewhere in the answer.
    pub matches: Option<String>,
}

impl Expectation {
    /// Returns what is wrong with an answer; `None` if nothing is.
    pub fn fault(&self, answer: &str) -> Option<String> {
        let answer = answer.trim();
        if let Some(wanted) = &self.equals
            && answer != wanted.trim()
        {
            return Some(format!(
                "expected `{}`, got `{}`",
                wanted.trim(),
                short(answer)
            ));
        }
        if let Some(wanted) = &self.contains
            && !answer.contains(wanted.as_str())
        {
            return Some(format!("expected `{wanted}` in `{}`", short(answer)));
        }
        let pattern = self.matches.as_ref()?;
        let found = Regex::new(pattern).is_ok_and(|regex| regex.is_match(answer));
        (!found).then(|| format!("expected a match of `{pattern}`, got `{}`", short(answer)))
    }
}

/// The beginning of a long text.
fn short(text: &str) -> String {
    const LONGEST: usize = 200;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let begin: String = text.chars().take(LONGEST).collect();
    format!("{begin}…")
}

#[cfg(test)]
mod tests {
    use super::Expectation;

    #[test]
    fn an_answer_has_to_fit_all_that_is_set() {
        let expectation = Expectation {
            equals: None,
            contains: Some("web".to_owned()),
            matches: Some(r"-\d$".to_owned()),
        };
        assert_eq!(expectation.fault(" web-1\n"), None);
        let cases = [
            ("app-1", "expected `web` in `app-1`"),
            ("web-x", r"expected a match of `-\d$`, got `web-x`"),
        ];
        for (answer, fault) in cases {
            assert_eq!(expectation.fault(answer).as_deref(), Some(fault));
        }
        let equals = Expectation {
            equals: Some("3".to_owned()),
            ..Expectation::default()
        };
        assert_eq!(equals.fault("3\n"), None);
        assert_eq!(equals.fault("").as_deref(), Some("expected `3`, got ``"));
        assert_eq!(Expectation::default().fault("anything"), None);
    }
}
