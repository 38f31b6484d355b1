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

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

pub use lab::machine::Machine;
pub use lab::missing::Missing;
pub use note::{Note, Notes};
pub use roles::Role;

use crate::diagnostic::{Diagnostic, Kind, SourceFile};
use evaluate::Evaluator;

/// Deeply nested files need their stack: 64 MiB, of which the system gives what is used.
const STACK: usize = 64 << 20;

/// Says why machines can't start from an image, if they can't.
pub type ImageCheck<'a> = &'a (dyn Fn(&str) -> Result<(), Diagnostic> + Sync);

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
/// Only when the file itself can't be read, or is no Vagrantfile; everything else is told in the notes.
pub fn import(path: &Path, images: ImageCheck<'_>) -> Result<Import, Diagnostic> {
    let file = SourceFile::read(path)?;
    let failed = || Diagnostic::error(Kind::Internal, "reading the Vagrantfile failed");
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK);
        let reader = reader.spawn_scoped(scope, || read(&file, images));
        let reader = reader.map_err(|error| {
            Diagnostic::error(Kind::Environment, format!("can't start a thread: {error}"))
        })?;
        reader.join().map_err(|_| failed())?
    })
}

fn read(file: &Arc<SourceFile>, images: ImageCheck<'_>) -> Result<Import, Diagnostic> {
    let name = file.path.display();
    if !file.text.contains("Vagrant") {
        return Err(
            Diagnostic::error(Kind::Inventory, format!("{name} is not a Vagrantfile"))
                .hint("a Vagrantfile has a line `Vagrant.configure(\"2\") do |config|`"),
        );
    }
    let mut evaluator = Evaluator::new(Arc::clone(file));
    evaluator.file(file);
    evaluator.machines();
    let Evaluator { lab, mut notes, .. } = evaluator;
    let found = lab::machine::read(&lab, images, &mut notes);
    let roles = roles::find(&found.machines, &found.groups);
    roles.tell(&found.machines, &mut notes);
    notes.sort();
    let source = file.path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Import {
        inventory: inventory::write(&source, &found, &roles.roles, &notes),
        machines: found.machines,
        roles: roles.roles,
        roles_reason: roles.reason,
        notes,
    })
}
