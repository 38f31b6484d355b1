//! `kinstall upgrade rollback`: the release before comes back, with the data of then.

use clap::Args;
use jiff::Timestamp;

use super::{kube_version_to_set, version};
use crate::cli::exit::Exit;
use crate::cli::lost::LostArgument;
use crate::cli::{GlobalArguments, InventoryArgument};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::installation::rollback::WayBack;
use crate::install::{Installation, Settings};
use crate::model::VersionRequest;
use crate::ui::printer::{Format, Printer};
use crate::ui::{changes, prompt, upgrade};

/// What `upgrade rollback` is told.
#[derive(Debug, Args)]
pub struct RollbackArguments {
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// Version of Kubernetes to go back to: 1.36 [default: that of the newest backup that an upgrade took]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Option<VersionRequest>,
    #[command(flatten)]
    pub lost: LostArgument,
    /// Only show what would come back, what would be lost, and what would change; exit 0: nothing, 2: something
    #[arg(long)]
    pub plan: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Shows the way back, asks, and goes it.
pub fn run(
    global: &GlobalArguments,
    arguments: &RollbackArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(arguments.inventory.path.as_deref())?;
    project.require_lab()?;
    let settings = Settings {
        release: arguments.to.as_ref().map(super::minor),
        ..global.settings()
    };
    let mut installation = if arguments.plan {
        Installation::to_check_alone(&settings, project)?
    } else {
        Installation::to_apply(&settings, project)?
    };
    let lost = arguments.lost.names();
    let Some(back) = installation.way_back(arguments.to.as_ref(), &lost)? else {
        nothing_to_do(&installation, arguments.plan, printer);
        return Ok(Exit::Success);
    };
    printer.message(&upgrade::way_back(&back.rollback, Timestamp::now()));
    if arguments.plan {
        return plan(installation, &back, printer);
    }
    let question = format!(
        "Stop the control planes of {} and take all nodes and all data back?",
        installation.project.cluster.name
    );
    if !arguments.yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was changed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let (summary, all_done) = installation.roll_back(&back, printer.observer())?;
    printer.summary(&summary);
    if !all_done {
        printer.message(
            "The rollback stopped halfway. When the cause is mended, the same command goes on.",
        );
        return Ok(Exit::of_failures(&summary));
    }
    let running = installation.running()?;
    printer.data(&upgrade::table(&running));
    let version = &back.rollback.versions.kubernetes;
    let behind = installation.differences(&running)?;
    if !behind.is_empty() {
        return Err(upgrade::differences(&behind, version, "rollback"));
    }
    printer.message(&format!(
        "All nodes run Kubernetes {version} again, with the data of {}. What etcd had until now is in /var/lib/etcd-before-… on each \
         control plane; remove it when it isn't needed any more.",
        upgrade::time(back.rollback.backup.told.snapshot.created)
    ));
    let setting = kube_version_to_set(&installation.project, back.release);
    printer.message(&setting.unwrap_or_else(|| "`kinstall up` keeps this version.".to_owned()));
    arguments.lost.say_what_is_next(printer);
    Ok(Exit::Success)
}

fn plan(
    mut installation: Installation,
    back: &WayBack,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let found = installation.check_rollback(back, printer.commentator())?;
    match printer.format {
        Format::Text => printer.data(&changes::render(&found.planned)),
        Format::Json => printer.json(&found.planned),
    }
    Ok(if found.failed {
        Exit::Failed
    } else {
        Exit::Changes
    })
}

/// An upgrade may have stopped before any node moved, with one that takes no pods.
fn nothing_to_do(installation: &Installation, only_shows: bool, printer: Printer) {
    printer.message("Nothing to go back from: no node has moved to a newer version since the last backup of an upgrade.");
    if !only_shows {
        for node in installation.let_in_again().unwrap_or_default() {
            printer.message(&format!("{node} takes pods again."));
        }
    }
}
