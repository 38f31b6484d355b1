//! What says that a restore, or a rollback, has begun: the control planes may stand still, each with other data.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use crate::bundle::Minor;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::format_version;
use crate::install::project::Project;
use crate::private_file;
use crate::resource::Sha256;

/// Below `.kinstall`; gone when it is over.
const FILE: &str = "restore.json";

/// Version of that file's layout.
pub(super) const FORMAT: u32 = 1;

/// A restore that has begun. The nodes know it by its name: what is done for it is not done twice.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
    pub format: u32,
    pub name: String,
    pub snapshot: Sha256,
    /// Control planes that are lost: the others begin without them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// The release that all nodes go back to, where this is a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_to: Option<Minor>,
}

impl Begun {
    pub(super) fn load(project: &Project) -> Option<Self> {
        let bytes = fs::read(project.directory.join(FILE)).ok()?;
        format_version::read(&bytes, FORMAT).ok()
    }

    pub(super) fn exists(project: &Project) -> bool {
        project.directory.join(FILE).exists()
    }

    pub(super) fn save(&self, project: &Project) -> Result<(), Diagnostics> {
        let path = project.directory.join(FILE);
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|text| private_file::write(&path, &text));
        written.map_err(|error| vec![unwritable(project, &error)])
    }

    /// Says which command goes on.
    pub(super) fn was_interrupted(&self) -> Diagnostic {
        if self.back_to.is_some() {
            let message = "a rollback of an upgrade was interrupted";
            let option = lost_option(&self.lost);
            return Diagnostic::error(Kind::Environment, message).hint(format!(
                "`kinstall upgrade rollback{option}` goes on with it"
            ));
        }
        restore_was_interrupted(&self.lost)
    }
}

/// Fails where a restore or a rollback was interrupted.
pub fn refuse_if_begun(project: &Project) -> Result<(), Diagnostics> {
    if !Begun::exists(project) {
        return Ok(());
    }
    let begun = Begun::load(project);
    Err(vec![begun.map_or_else(
        || restore_was_interrupted(&[]),
        |it| it.was_interrupted(),
    )])
}

/// Forgets a restore that was interrupted: nothing of its cluster is left.
pub fn forget(project: &Project) -> Result<(), Diagnostics> {
    match fs::remove_file(project.directory.join(FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(vec![unwritable(project, &error)])
        }
        _ => Ok(()),
    }
}

fn restore_was_interrupted(lost: &[String]) -> Diagnostic {
    let option = lost_option(lost);
    let message = "a restore of etcd's data was interrupted";
    Diagnostic::error(Kind::Environment, message).hint(format!(
        "`kinstall etcd restore FILE{option}` with the same backup ends it"
    ))
}

fn lost_option(lost: &[String]) -> String {
    match lost {
        [] => String::new(),
        _ => format!(" --lost {}", lost.join(",")),
    }
}

fn unwritable(project: &Project, error: &io::Error) -> Diagnostic {
    let path = project.directory.join(FILE);
    let message = format!("failed to write `{}`: {error}", path.display());
    Diagnostic::error(Kind::Environment, message)
}
