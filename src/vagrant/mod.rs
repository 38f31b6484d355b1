//! From a lab's Vagrantfile to an inventory, without Ruby.
//!
//! ```text
//! ruby (text -> tree) -> evaluate (tree -> settings) -> lab (settings -> machines) -> inventory
//! ```
//!
//! Nothing of the Vagrantfile is run. A value that can't be known without that is never guessed: it is
//! listed with its line, and left as a comment in the inventory.

mod evaluate;
mod inventory;
mod lab;
mod note;
mod report;
mod roles;
mod ruby;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

pub use lab::machine::Machine;
pub use lab::missing::Missing;
pub use note::{Note, Notes};
pub use roles::Role;

use crate::diagnostic::{Diagnostic, Kind, SourceFile};
use evaluate::Evaluator;

/// Deeply nested files need their stack: Ruby's parser goes 10,000 levels down. The system gives what is used of it.
const STACK: usize = 512 << 20;

/// Says why machines can't start from an image, if they can't.
pub type ImageCheck<'a> = &'a (dyn Fn(&str) -> Result<(), Diagnostic> + Sync);

/// What the Vagrantfile may read of the environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Variables that the user gives: they are taken as they are.
    pub given: BTreeMap<String, String>,
    /// Variables that every computer has, with the values of this one: what is taken of them is told.
    pub computer: BTreeMap<String, String>,
}

/// What came of a Vagrantfile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The inventory, as text.
    pub inventory: String,
    pub machines: Vec<Machine>,
    /// In the order of the machines.
    pub roles: Vec<Role>,
    /// How the roles were found.
    pub roles_reason: String,
    #[serde(flatten)]
    pub notes: Notes,
}

impl Import {
    /// Tells whether the inventory can be used as it is.
    pub fn is_complete(&self) -> bool {
        self.notes.to_fill_in.is_empty()
    }

    /// Returns the report for people.
    pub fn report(&self) -> String {
        report::text(self)
    }
}

/// Reads a Vagrantfile, and the files beside it that it reads itself; `images` tells which of its images
/// `kinstall up` would take.
///
/// # Errors
///
/// Only when the file itself can't be read, is not a Vagrantfile, or none of its machines is known; everything else is
/// told in the notes.
pub fn import(
    path: &Path,
    environment: &Environment,
    images: ImageCheck<'_>,
) -> Result<Import, Diagnostic> {
    let file = SourceFile::read(path)?;
    let failed = || Diagnostic::error(Kind::Internal, "reading the Vagrantfile failed");
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK);
        let reader = reader.spawn_scoped(scope, || read(&file, environment, images));
        let reader = reader.map_err(|error| {
            Diagnostic::error(Kind::Environment, format!("can't start a thread: {error}"))
        })?;
        reader.join().map_err(|_| failed())?
    })
}

fn read(
    file: &Arc<SourceFile>,
    environment: &Environment,
    images: ImageCheck<'_>,
) -> Result<Import, Diagnostic> {
    let mut evaluator = Evaluator::new(Arc::clone(file), environment);
    evaluator.file(file);
    evaluator.machines()?;
    let Evaluator { lab, mut notes, .. } = evaluator;
    let found = lab::machine::read(&lab, images, &mut notes);
    let roles = roles::find(&found.machines, &found.groups);
    roles.tell(&found.machines, &mut notes);
    roles.tell_etcd(&found.machines, &found.groups, &mut notes);
    notes.sort();
    let source = file.path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Import {
        inventory: inventory::write(&source, &found, &roles.by_machine, &notes),
        machines: found.machines,
        roles: roles.by_machine,
        roles_reason: roles.reason,
        notes,
    })
}
