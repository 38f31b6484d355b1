//! Changes the text of an inventory: a host more, or a host in the place of another. All other bytes stay.
//!
//! ```text
//! text -> ini | yaml: splices -> new text -> read again: the same inventory, and only the host is new
//! ```
//!
//! The two editors are simple, because nothing depends on their being right: a text that doesn't read as expected
//! afterwards is refused ([`meaning`]), and the user is told which lines to add.

mod by_hand;
mod ini;
mod meaning;
mod yaml;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use self::meaning::Meaning;
use super::form::Form;
use super::group::canonical;
use super::{Inventory, Vault, files};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};

/// A host as the user gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHost {
    pub name: String,
    /// Its own variables, as they would stand on its line.
    pub variables: Vec<(String, String)>,
}

/// A changed inventory that isn't written yet.
#[derive(Debug)]
pub struct Edit {
    /// The file as it is.
    pub before: Arc<SourceFile>,
    /// The file as it will be, with the same path.
    pub after: Arc<SourceFile>,
}

/// Why a text can't be changed; the words complete "the inventory can't be edited: …".
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotEditable {
    #[error("`{0}` has no plain section or mapping that the host could be added to")]
    NoPlace(String),
    #[error("`{0}` stands in a range of hosts")]
    InRange(String),
    #[error("`{0}` has a value in a form that can't be replaced")]
    Value(String),
    #[error("the result would not be the same inventory with the host in it")]
    OtherMeaning,
}

/// A part of a text and what takes its place.
#[derive(Debug)]
struct Splice {
    at: Range<usize>,
    text: String,
}

impl Splice {
    fn insert(at: usize, text: String) -> Self {
        Self { at: at..at, text }
    }
}

/// Adds a host to groups of the inventory.
pub fn add(path: &Path, host: &NewHost, groups: &[String]) -> Result<Edit, Diagnostics> {
    let text = Text::read(path)?;
    if text.inventory.hosts.contains_key(&host.name) {
        let message = format!("the inventory has a host `{}` already", host.name);
        let place = text.inventory.hosts[&host.name].location.clone();
        let error = Diagnostic::error(Kind::Inventory, message).at(place, "here");
        return Err(vec![error.hint(format!(
            "choose another name, or `kinstall node replace {}` for another machine in its place",
            host.name
        ))]);
    }
    let groups: Vec<&str> = groups.iter().map(|it| canonical(it)).collect();
    let file = text.file_with_groups(&groups);
    let edited = match form_of(&file) {
        Form::Ini => Ok(ini::add(&file.text, host, &groups)),
        Form::Yaml => yaml::add(&file, host, &groups),
    };
    let expected = Meaning::of(&text.inventory).with_host(host, &groups);
    text.checked(&file, edited, &expected)
        .map_err(|error| vec![refused(&file, &error, &by_hand::added(host, &groups))])
}

/// Puts a host into the place of another one, whose other variables it keeps; the two may have the same name.
pub fn replace(path: &Path, old: &str, new: &NewHost) -> Result<Edit, Diagnostics> {
    let text = Text::read(path)?;
    let file = text.file_with_host(old);
    let edited = match form_of(&file) {
        Form::Ini => ini::replace(&file.text, old, new),
        Form::Yaml => yaml::replace(&file, old, new),
    };
    let expected = Meaning::of(&text.inventory).with_replaced(old, new);
    text.checked(&file, edited, &expected)
        .map_err(|error| vec![refused(&file, &error, &by_hand::replaced(old, new))])
}

/// What an inventory's own files say, without the folders beside them.
struct Text {
    inventory: Inventory,
}

impl Text {
    fn read(path: &Path) -> Result<Self, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let files = files::find(path, None, &mut diagnostics).map_err(|error| vec![error])?;
        let inventory = Inventory::of(&files, Vault::default(), &mut diagnostics);
        let has_errors = diagnostics.iter().any(Diagnostic::is_error);
        match inventory {
            Some(inventory) if !has_errors => Ok(Self { inventory }),
            _ => Err(diagnostics),
        }
    }

    /// Returns the file that says most of some groups: of several, the one with the first of them.
    fn file_with_groups(&self, groups: &[&str]) -> Arc<SourceFile> {
        let known = groups
            .iter()
            .filter_map(|it| self.inventory.groups.get(*it));
        let place = known.map(|group| &group.location).next();
        Arc::clone(place.map_or(&self.inventory.file, |place| &place.file))
    }

    fn file_with_host(&self, name: &str) -> Arc<SourceFile> {
        let host = self.inventory.hosts.get(name);
        Arc::clone(host.map_or(&self.inventory.file, |host| &host.location.file))
    }

    /// Makes the edit if the whole inventory then says what it should.
    fn checked(
        &self,
        file: &Arc<SourceFile>,
        splices: Result<Vec<Splice>, NotEditable>,
        expected: &Meaning,
    ) -> Result<Edit, NotEditable> {
        let after = Arc::new(SourceFile {
            path: file.path.clone(),
            text: spliced(&file.text, splices?),
        });
        let files: Vec<Arc<SourceFile>> = self
            .inventory
            .files
            .iter()
            .map(|it| Arc::clone(if it.path == file.path { &after } else { it }))
            .collect();
        let mut diagnostics = Diagnostics::new();
        let read = Inventory::of(&files, Vault::default(), &mut diagnostics);
        let is_right = read.is_some_and(|read| Meaning::of(&read) == *expected)
            && !diagnostics.iter().any(Diagnostic::is_error);
        if is_right {
            let before = Arc::clone(file);
            Ok(Edit { before, after })
        } else {
            Err(NotEditable::OtherMeaning)
        }
    }
}

fn form_of(file: &Arc<SourceFile>) -> Form {
    // It was read once already, and what is to be said of it was said.
    Form::of(file, &mut Diagnostics::new()).unwrap_or(Form::Ini)
}

fn spliced(text: &str, mut splices: Vec<Splice>) -> String {
    // Those at one place stay in their order.
    splices.sort_by_key(|splice| splice.at.start);
    let mut result = String::with_capacity(text.len() + 200);
    let mut done = 0;
    for Splice { at, text: new } in splices {
        result.push_str(&text[done..at.start.max(done)]);
        result.push_str(&new);
        done = at.end.max(done);
    }
    result.push_str(&text[done..]);
    result
}

/// Returns the end of line that a text has.
fn end_of_line(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn refused(file: &SourceFile, error: &NotEditable, by_hand: &str) -> Diagnostic {
    let message = format!("{} can't be edited: {error}", file.path.display());
    Diagnostic::error(Kind::Inventory, message).hint(by_hand)
}

#[cfg(test)]
mod tests;
