//! `kinstall up`: from an inventory to the running cluster.

use clap::Args;

use super::exit::Exit;
use super::{GlobalArguments, LabArguments};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::install::{Applied, Dialogue, Installation, LeftOver, Settings, status};
use crate::ui::printer::Printer;
use crate::ui::prompt;

/// What `up` is told.
#[derive(Debug, Args)]
pub struct UpArguments {
    #[command(flatten)]
    pub lab: LabArguments,
    /// Don't ask before hosts that the inventory doesn't have any more are taken out of the cluster, and their
    /// machines removed
    #[arg(short, long)]
    pub yes: bool,
    /// Take over a machine that belongs to another cluster: removes that cluster from it (may be repeated)
    #[arg(long, value_name = "NODE")]
    pub take_over: Vec<String>,
    /// End the agents of another run that hold the locks of hosts, whatever they do; only if nothing works there any more
    #[arg(long)]
    pub break_lock: bool,
}

/// Creates what is missing and installs the cluster; a second run changes nothing.
pub fn run(
    global: &GlobalArguments,
    arguments: &UpArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = arguments.lab.project(global, printer)?;
    let settings = Settings {
        take_over: arguments.take_over.clone(),
        break_lock: arguments.break_lock,
        ..arguments.lab.settings(global)
    };
    let installation = Installation::to_apply(&settings, project)?;
    carry_out(installation, printer, &|left_over| {
        arguments.yes || may_remove(left_over, printer)
    })
}

/// Does it, and shows how it ended. What the inventory doesn't have any more goes if that is answered with yes.
pub fn carry_out(
    installation: Installation,
    printer: Printer,
    may_remove: &dyn Fn(&LeftOver) -> bool,
) -> Result<Exit, Diagnostics> {
    let dialogue = Dialogue {
        warn: &|warning| printer.diagnostic(warning),
        may_remove,
    };
    printer.diagnostics(&installation.warnings);
    let mut applied = installation.up(printer.observer(), &dialogue)?;
    printer.summary(&applied.summary);
    if !applied.all_done {
        return Ok(Exit::of_failures(&applied.summary));
    }
    if applied.summary.changed() > 0 {
        show_how_to_use(&mut applied, printer)?;
    }
    Ok(Exit::Success)
}

/// Asks whether what the inventory doesn't have any more may go; without a terminal it stays.
pub fn may_remove(left_over: &LeftOver, printer: Printer) -> bool {
    if prompt::confirm(&left_over.question()) {
        return true;
    }
    let names = left_over.names().join(", ");
    let message = format!("{names} stays, although the inventory doesn't have it any more");
    let warning = Diagnostic::warning(message);
    printer.diagnostic(
        &warning.hint("`kinstall up --yes` takes it out of the cluster and removes the machine"),
    );
    false
}

fn show_how_to_use(applied: &mut Applied, printer: Printer) -> Result<(), Diagnostics> {
    let status = status::of(&applied.project, &applied.machines)?;
    for notice in status.notices() {
        printer.message(&format!("warning: {notice}"));
    }
    let cluster = &applied.project.cluster;
    let first = cluster
        .control_planes()
        .next()
        .map_or("NODE", |host| &host.name);
    let ready = status
        .hosts
        .iter()
        .filter(|host| host.node.as_ref().is_some_and(|it| it.ready))
        .count();
    printer.message(&format!(
        "Cluster {} is up: {ready} of {} nodes are ready.",
        cluster.name,
        cluster.nodes().count()
    ));
    for address in &status.addresses {
        printer.message(&format!(
            "  {} answers at {}",
            address.service, address.address
        ));
    }
    printer.message(&format!(
        "\n  kinstall kubeconfig                      use it with kubectl\n  \
         kinstall ssh {first} -- sudo kubectl get nodes\n  \
         kinstall status\n  \
         kinstall forward ADDRESS:PORT            open a Service in the browser"
    ));
    Ok(())
}
