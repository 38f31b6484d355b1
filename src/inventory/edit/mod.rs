//! Changes the text of an inventory: a host more, a host in the place of another, or hosts fewer. All other bytes stay.
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

/// Hosts that go from an inventory.
#[derive(Debug)]
pub enum Removal {
    /// The files that change.
    Edited(Vec<Edit>),
    /// Its form can't be edited; the warning says which lines to delete.
    ByHand(Diagnostic),
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
    #[error("`{0}` does not stand on lines of its own")]
    NotAlone(String),
    #[error("more than the host would change in it")]
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
    text.checked_one(&file, edited, &expected)
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
    text.checked_one(&file, edited, &expected)
        .map_err(|error| vec![refused(&file, &error, &by_hand::replaced(old, new))])
}

/// Takes hosts out of all groups and files.
pub fn remove(path: &Path, names: &[&str]) -> Result<Removal, Diagnostics> {
    let text = Text::read(path)?;
    let files = text.inventory.files.iter();
    let edited = files.map(|file| {
        let splices = match form_of(file) {
            Form::Ini => ini::remove(&file.text, names),
            Form::Yaml => yaml::remove(file, names),
        };
        splices.map(|splices| (Arc::clone(file), splices))
    });
    let edited: Result<Vec<_>, NotEditable> = edited.collect();
    let expected = Meaning::of(&text.inventory).without_hosts(names);
    Ok(
        match edited.and_then(|edited| text.checked(edited, &expected)) {
            Ok(edits) => Removal::Edited(edits),
            Err(error) => {
                Removal::ByHand(by_hand::removed(&text.inventory, names, &error.to_string()))
            }
        },
    )
}

/// What an inventory's own files say, without the folders beside them.
struct Text {
    inventory: Inventory,
}

impl Text {
    fn read(path: &Path) -> Result<Self, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let files = files::find(path, &[], &mut diagnostics).map_err(|error| vec![error])?;
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

    /// Makes the edit of one file.
    fn checked_one(
        &self,
        file: &Arc<SourceFile>,
        splices: Result<Vec<Splice>, NotEditable>,
        expected: &Meaning,
    ) -> Result<Edit, NotEditable> {
        let edits = self.checked(vec![(Arc::clone(file), splices?)], expected)?;
        // Nothing to change is an edit as well.
        let unchanged = || Edit {
            before: Arc::clone(file),
            after: Arc::clone(file),
        };
        Ok(edits.into_iter().next().unwrap_or_else(unchanged))
    }

    /// Makes the edits if the whole inventory then says what it should; leaves out files that stay as they are.
    fn checked(
        &self,
        edited: Vec<(Arc<SourceFile>, Vec<Splice>)>,
        expected: &Meaning,
    ) -> Result<Vec<Edit>, NotEditable> {
        let edits = edited.into_iter().map(|(before, splices)| {
            let after = Arc::new(SourceFile {
                path: before.path.clone(),
                text: spliced(&before.text, splices),
            });
            Edit { before, after }
        });
        let edits: Vec<Edit> = edits
            .filter(|edit| edit.before.text != edit.after.text)
            .collect();
        let now = |file: &Arc<SourceFile>| {
            let edit = edits.iter().find(|edit| edit.before.path == file.path);
            Arc::clone(edit.map_or(file, |edit| &edit.after))
        };
        let files: Vec<Arc<SourceFile>> = self.inventory.files.iter().map(now).collect();
        let mut diagnostics = Diagnostics::new();
        let read = Inventory::of(&files, Vault::default(), &mut diagnostics);
        let is_right = read.is_some_and(|read| Meaning::of(&read) == *expected)
            && !diagnostics.iter().any(Diagnostic::is_error);
        if is_right {
            Ok(edits)
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
