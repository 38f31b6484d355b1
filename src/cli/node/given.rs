//! A host as it is typed: a name and `key=value` words.

use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::inventory_edit::EditedFile;
use crate::inventory::edit::NewHost;
use crate::ui::printer::Printer;

/// The words behind the names: variables, and at most one inventory.
pub struct Given {
    pub variables: Vec<(String, String)>,
    pub inventory: Option<PathBuf>,
}

impl Given {
    /// A word with `=` is a variable; another one is the inventory.
    pub fn of(words: &[String]) -> Result<Self, Diagnostics> {
        let mut given = Self {
            variables: Vec::new(),
            inventory: None,
        };
        for word in words {
            match word.split_once('=') {
                Some((key, value)) => given.variables.push((key.to_owned(), value.to_owned())),
                None if given.inventory.is_none() => given.inventory = Some(PathBuf::from(word)),
                None => {
                    let message = format!("`{word}` is neither a variable nor the only inventory");
                    let error = Diagnostic::error(Kind::Inventory, message);
                    return Err(vec![error.hint("write variables as `key=value`")]);
                }
            }
        }
        Ok(given)
    }

    pub fn inventory(&self) -> Option<&Path> {
        self.inventory.as_deref()
    }

    /// Gives the variables a host.
    pub fn host(&self, name: &str) -> NewHost {
        NewHost {
            name: name.to_owned(),
            variables: self.variables.clone(),
        }
    }
}

/// Says where the inventory changes; the lines may hold passwords, so they are not shown.
pub fn show_lines(file: &EditedFile, printer: Printer, verb: &str) {
    let lines: Vec<String> = file.lines().iter().map(ToString::to_string).collect();
    if !lines.is_empty() {
        let (path, lines) = (file.path().display(), lines.join(", "));
        printer.message(&format!("{path} {verb} new lines: {lines}."));
    }
}

/// Adds what to do next to a run that did not come to its end.
pub fn with_next_step(
    result: Result<Exit, Diagnostics>,
    printer: Printer,
    next: &str,
) -> Result<Exit, Diagnostics> {
    match result {
        Ok(Exit::Success) => {}
        Ok(_) => printer.message(next),
        Err(mut errors) => {
            if let Some(last) = errors.pop() {
                errors.push(last.hint(next));
            }
            return Err(errors);
        }
    }
    result
}
