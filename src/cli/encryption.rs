//! `kinstall encryption`: the key that encrypts Secrets at rest.

use clap::Subcommand;

use super::exit::Exit;
use super::{GlobalArguments, InventoryArgument};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::Installation;
use crate::install::installation::rotation;
use crate::ui::printer::Printer;
use crate::ui::prompt;

#[derive(Debug, Subcommand)]
pub enum EncryptionCommand {
    /// Encrypt Secrets with a new key: all of them are written anew, and stay readable meanwhile
    Rotate {
        #[command(flatten)]
        inventory: InventoryArgument,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Rotates the key.
pub fn run(
    global: &GlobalArguments,
    command: &EncryptionCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let EncryptionCommand::Rotate { inventory, yes } = command;
    let project = global.project(inventory.path.as_deref())?;
    project.require_lab()?;
    let name = &project.cluster.name;
    let question = if rotation::of_encryption_is_under_way(&project)? {
        format!("Go on with the rotation of the encryption key of {name}?")
    } else {
        format!("Give {name} a new encryption key, and write all Secrets anew with it?")
    };
    if !yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was changed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let installation = Installation::to_apply(&global.settings(), project)?;
    let applied = installation.rotate_encryption_key(printer.observer())?;
    printer.summary(&applied.summary);
    if !applied.all_done {
        printer.message(
            "The rotation stopped; the keys of before and after are in place. When the cause is mended, run the same command again.",
        );
        return Ok(Exit::of_failures(&applied.summary));
    }
    printer.message(
        "All of it is encrypted with the newest key. Save .kinstall/secrets.json again. It keeps the old key, which earlier backups need.",
    );
    Ok(Exit::Success)
}
