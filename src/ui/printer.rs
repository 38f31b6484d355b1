//! Where output goes, and whether it has colour.

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;

use super::bars::Bars;
use super::json::JsonLines;
use super::lines::Lines;
use super::recap;
use crate::diagnostic::Diagnostic;
use crate::report::Summary;
use crate::run::{Observer, RunEvent};
use crate::ssh::NewHostKey;

/// `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts: one JSON document, or one a line while a run goes on.
    Json,
}

/// Prints data on stdout and messages on stderr.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    pub format: Format,
    /// The terminal also shows the log, which would tear bars apart.
    pub is_verbose: bool,
}

impl Printer {
    /// Prints a command's result. A closed pipe (`| head`) is no error.
    pub fn data(self, text: &str) {
        let _ = write!(anstream::stdout().lock(), "{text}");
    }

    /// Prints a value as one JSON document.
    pub fn json(self, value: &impl serde::Serialize) {
        // The types that commands print have string keys only, so they always serialise.
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        self.data(&format!("{text}\n"));
    }

    /// Prints a value as one line of JSON, after the events of a run.
    pub fn json_line(self, value: &impl serde::Serialize) {
        self.data(&format!(
            "{}\n",
            serde_json::to_string(value).unwrap_or_default()
        ));
    }

    /// Tells the person at the terminal something.
    pub fn message(self, text: &str) {
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Shows what a run that changed hosts came to: a table, or one line of JSON.
    pub fn summary(self, summary: &Summary) {
        if self.format == Format::Json {
            self.json_line(&serde_json::json!({ "summary": summary }));
        } else {
            self.message(&recap::render(summary));
        }
    }

    /// Tells what happens to a machine: a message, or an event as of a run.
    pub fn machine(self, host: &str, state: &str) {
        match self.format {
            Format::Text => self.message(format!("{host}  {state}").trim_start()),
            Format::Json => self.json_line(&RunEvent::Machine {
                host: host.to_owned(),
                state: state.to_owned(),
            }),
        }
    }

    /// Tells of host keys that were accepted without being known.
    pub fn new_host_keys(self, keys: &[NewHostKey]) {
        for NewHostKey {
            address,
            fingerprint,
        } in keys
        {
            self.message(&format!(
                "{address}: new host key {fingerprint}, remembered"
            ));
        }
    }

    /// Shows errors or warnings.
    pub fn diagnostics(self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            self.diagnostic(diagnostic);
        }
    }

    /// Shows an error or a warning.
    pub fn diagnostic(self, diagnostic: &Diagnostic) {
        match self.format {
            Format::Text => {
                let colour = std::io::stderr().is_terminal();
                self.message(&super::diagnostic::render(diagnostic, colour));
            }
            Format::Json => self.message(&super::json::diagnostic(diagnostic).to_string()),
        }
    }

    /// Returns what shows a run whose events are the result: JSON lines, or as for people.
    pub fn observer(self) -> Box<dyn Observer> {
        match self.format {
            Format::Json => Box::new(JsonLines),
            Format::Text => self.commentator(),
        }
    }

    /// Returns what shows a run to people only, as stdout is for its result: bars on a terminal, lines
    /// elsewhere.
    pub fn commentator(self) -> Box<dyn Observer> {
        if std::io::stderr().is_terminal() && !self.is_verbose {
            Box::new(Bars::default())
        } else {
            Box::new(Lines::default())
        }
    }
}
