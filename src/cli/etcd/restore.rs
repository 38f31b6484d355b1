//! `kinstall etcd restore`.

use std::path::PathBuf;

use clap::Args;

use super::passphrase::PassphraseArgument;
use crate::cli::exit::Exit;
use crate::cli::lost::LostArgument;
use crate::cli::{GlobalArguments, InventoryArgument};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::installation::restore::Opened;
use crate::install::{Installation, Project};
use crate::secret::Secret;
use crate::ui::printer::{Format, Printer};
use crate::ui::{self, changes, prompt};

#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The backup
    pub file: PathBuf,
    #[command(flatten)]
    pub inventory: InventoryArgument,
    #[command(flatten)]
    pub passphrase: PassphraseArgument,
    #[command(flatten)]
    pub lost: LostArgument,
    /// Only show what would be done; exit 2
    #[arg(long)]
    pub plan: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Shows what will be done, asks, and does it.
pub fn run(
    global: &GlobalArguments,
    arguments: &RestoreArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(arguments.inventory.path.as_deref())?;
    let passphrase = arguments.passphrase.of_a_file()?;
    if project.require_lab().is_err() {
        return without_a_cluster(&project, arguments, &passphrase, printer);
    }
    let mut installation = if arguments.plan {
        Installation::to_check_alone(&global.settings(), project)?
    } else {
        Installation::to_apply(&global.settings(), project)?
    };
    let lost = arguments.lost.names();
    let project = &installation.project;
    let opened = Opened::open(project, &arguments.file, &passphrase)?;
    printer.message(ui::etcd::backup(&opened.record).trim_end());
    opened.check_keys(project)?;
    let question = format!(
        "Stop the control planes of {} and replace all that is in the cluster by what it was at {}?",
        project.cluster.name,
        opened
            .record
            .snapshot
            .created
            .strftime("%Y-%m-%d %H:%M:%S UTC")
    );
    let found = installation.check_restore(&opened, &lost, printer.commentator())?;
    if arguments.plan {
        match printer.format {
            Format::Text => printer.data(&changes::render(&found.planned)),
            Format::Json => printer.json(&found.planned),
        }
        return Ok(if found.failed {
            Exit::Failed
        } else {
            Exit::Changes
        });
    }
    if printer.format == Format::Text {
        printer.message(changes::render(&found.planned).trim_end());
    }
    if !arguments.yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was restored");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let applied = installation.restore(&opened, &lost, printer.observer())?;
    printer.summary(&applied.summary);
    if !applied.all_done {
        printer.message(
            "The restore stopped halfway. When the cause is mended, the same command goes on.",
        );
        return Ok(Exit::of_failures(&applied.summary));
    }
    printer.message(
        "The data is restored. What etcd had before is in /var/lib/etcd-before-… on each control plane; remove it when it isn't needed any more.",
    );
    arguments.lost.say_what_is_next(printer);
    Ok(Exit::Success)
}

/// Gives an inventory whose cluster isn't made yet the keys of the backup.
fn without_a_cluster(
    project: &Project,
    arguments: &RestoreArguments,
    passphrase: &Secret,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let _lock = project.lock()?;
    let opened = Opened::open(project, &arguments.file, passphrase)?;
    printer.message(ui::etcd::backup(&opened.record).trim_end());
    if !arguments.plan {
        opened.give_keys(project)?;
        opened.check_keys(project)?;
    }
    let error = Diagnostic::error(
        Kind::Environment,
        "there is no cluster on these machines yet",
    );
    Err(vec![error.hint(
        "this command, without --plan, gives the inventory the cluster's keys; then `kinstall up` makes a cluster with them, and this command again restores the data",
    )])
}
