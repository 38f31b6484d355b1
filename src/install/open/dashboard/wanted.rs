//! What can be asked for: a list, and nothing beside it.

use std::borrow::Cow;
use std::str::FromStr;

use super::super::target::is_name;

/// Lines of a log that are shown unless the page asks for another number.
const TAIL: u16 = 200;
/// Lines at most.
const LONGEST_TAIL: u16 = 5000;

/// What can be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Page,
    Style,
    Script,
    Views,
    Overview,
    Nodes,
    Workloads,
    Events,
    Addresses,
    History,
    Logs {
        namespace: String,
        pod: String,
        container: String,
        tail: u16,
    },
    Search {
        words: String,
    },
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "this page answers at 127.0.0.1:{port} and localhost:{port} only: from elsewhere, forward the same port"
    )]
    Host { port: u16 },
    #[error(
        "open the address that `kinstall open dashboard` printed; it lets one browser in, so run the command again for another"
    )]
    Token,
    #[error("this page only reads")]
    Method,
    #[error("there is nothing here")]
    Path,
    #[error("a parameter is missing or wrong")]
    Parameter,
}

impl Wanted {
    /// Reads a path and what stands behind its question mark.
    pub(super) fn of(path: &str, query: &str) -> Result<Self, Refusal> {
        Ok(match path {
            "/" => Self::Page,
            "/style.css" => Self::Style,
            "/script.js" => Self::Script,
            "/views.js" => Self::Views,
            "/api/overview" => Self::Overview,
            "/api/nodes" => Self::Nodes,
            "/api/workloads" => Self::Workloads,
            "/api/events" => Self::Events,
            "/api/addresses" => Self::Addresses,
            "/api/history" => Self::History,
            "/api/logs" => Self::Logs {
                namespace: name(query, "namespace")?,
                pod: name(query, "pod")?,
                container: name(query, "container")?,
                tail: tail(query)?,
            },
            "/api/search" => Self::Search {
                words: parameter(query, "words").ok_or(Refusal::Parameter)?.into(),
            },
            _ => return Err(Refusal::Path),
        })
    }
}

/// Returns the first value of a parameter.
pub(super) fn parameter<'a>(query: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value)
}

/// A name as Kubernetes has them: it becomes part of a line of shell.
fn name(query: &str, wanted: &str) -> Result<String, Refusal> {
    let value = parameter(query, wanted).filter(|it| is_name(it) && !it.starts_with('-'));
    Ok(value.ok_or(Refusal::Parameter)?.into())
}

fn tail(query: &str) -> Result<u16, Refusal> {
    let Some(value) = parameter(query, "tail") else {
        return Ok(TAIL);
    };
    let tail = u16::from_str(&value).map_err(|_| Refusal::Parameter)?;
    Ok(tail.clamp(1, LONGEST_TAIL))
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Wanted};

    #[test]
    fn names_in_a_request_are_names() {
        let wanted = |query: &str| Wanted::of("/api/logs", query);
        let logs = |tail| Wanted::Logs {
            namespace: "shop".to_owned(),
            pod: "web-1".to_owned(),
            container: "web".to_owned(),
            tail,
        };
        let named = "namespace=shop&pod=web-1&container=web";
        assert_eq!(wanted(named), Ok(logs(200)));
        assert_eq!(wanted(&format!("{named}&tail=7")), Ok(logs(7)));
        assert_eq!(wanted(&format!("{named}&tail=60000")), Ok(logs(5000)));
        for wrong in [
            "",
            "namespace=shop&pod=web-1",
            "namespace=shop&pod=web-1&container=",
            "namespace=shop&pod=$(id)&container=web",
            "namespace=shop&pod=web%201&container=web",
            "namespace=shop&pod=--all&container=web",
            &format!("{named}&tail=all"),
        ] {
            assert_eq!(wanted(wrong), Err(Refusal::Parameter), "{wrong}");
        }
        let found = Wanted::of("/api/search", "words=sold%20%223%22+apples");
        let words = "sold \"3\" apples".to_owned();
        assert_eq!(found, Ok(Wanted::Search { words }));
    }
}
