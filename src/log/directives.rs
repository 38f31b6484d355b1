//! What the user wants to see: `-v`, `-vv`, or `KINSTALL_LOG`.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};

/// Which modules log on the terminal, and from which level on.
#[derive(Clone, Debug)]
pub struct Directives(Option<Targets>);

/// `KINSTALL_LOG` can't be read.
#[derive(Debug, thiserror::Error)]
#[error("KINSTALL_LOG is `{text}`, which is not a list of filters")]
pub struct InvalidDirectives {
    text: String,
    source: ParseError,
}

impl Directives {
    /// Reads the value of `KINSTALL_LOG`, such as `debug` or `kinstall::ssh=trace,kinstall::run=debug`; without one,
    /// the number of `-v` decides: one for debug, two for trace.
    pub fn new(variable: Option<&str>, verbosity: u8) -> Result<Self, InvalidDirectives> {
        if let Some(text) = variable.filter(|text| !text.trim().is_empty()) {
            let targets = text.parse().map_err(|source| InvalidDirectives {
                text: text.to_owned(),
                source,
            })?;
            return Ok(Self(Some(targets)));
        }
        let level = match verbosity {
            0 => return Ok(Self(None)),
            1 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        Ok(Self(Some(Targets::new().with_target("kinstall", level))))
    }

    /// Returns whether nothing is logged on the terminal.
    pub fn is_quiet(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn targets(&self) -> Targets {
        self.0.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::Directives;

    fn shows(variable: Option<&str>, verbosity: u8, target: &str, level: Level) -> bool {
        let directives = Directives::new(variable, verbosity).unwrap();
        directives.targets().would_enable(target, &level)
    }

    #[test]
    fn each_v_shows_more() {
        assert!(Directives::new(None, 0).unwrap().is_quiet());
        assert!(Directives::new(Some(" "), 0).unwrap().is_quiet());
        assert!(shows(None, 1, "kinstall::ssh", Level::DEBUG));
        assert!(!shows(None, 1, "kinstall::ssh", Level::TRACE));
        assert!(shows(None, 2, "kinstall::ssh", Level::TRACE));
        assert!(!shows(None, 2, "another_crate", Level::ERROR));
    }

    #[test]
    fn the_variable_takes_the_place_of_v() {
        let variable = Some("kinstall::ssh=trace,kinstall::run=debug");
        assert!(shows(variable, 0, "kinstall::ssh::auth", Level::TRACE));
        assert!(shows(variable, 0, "kinstall::run", Level::DEBUG));
        assert!(!shows(variable, 2, "kinstall::run", Level::TRACE));
        assert!(!shows(variable, 2, "kinstall::plan", Level::DEBUG));
        assert!(shows(Some("debug"), 0, "kinstall::plan", Level::DEBUG));
    }

    #[test]
    fn a_wrong_level_is_an_error() {
        let error = Directives::new(Some("kinstall=loud"), 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "KINSTALL_LOG is `kinstall=loud`, which is not a list of filters"
        );
    }
}
