//! `kinstall reset`: Kubernetes goes, the machines stay.

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::{Installation, members};
use crate::ui::printer::{Format, Printer};
use crate::ui::{changes, prompt};

#[derive(Debug, Args)]
pub struct ResetArguments {
    /// Names of nodes, which leave the cluster in order [default: all hosts; the cluster goes with all that is in it]
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Shows what will be done, asks, and does it.
pub fn run(
    global: &GlobalArguments,
    arguments: &ResetArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(None)?;
    project.require_lab()?;
    members::require(&project, &arguments.nodes)?;
    let cluster = &project.cluster.name;
    let has_control_plane = project
        .cluster
        .control_planes()
        .any(|it| arguments.nodes.is_empty() || arguments.nodes.contains(&it.name));
    let question = if arguments.nodes.is_empty() {
        format!(
            "Take Kubernetes off all machines of the cluster {cluster}, with all that is in it?"
        )
    } else {
        let names = arguments.nodes.join(", ");
        format!("Take {names} out of the cluster {cluster}, and Kubernetes off the machine?")
    };
    let installation = Installation::to_apply(&global.settings(), project)?;
    let found = installation.check_removal(printer.commentator(), &arguments.nodes)?;
    if printer.format == Format::Text {
        printer.message(changes::render(&found.planned).trim_end());
    }
    if !arguments.yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was reset");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let applied = if arguments.nodes.is_empty() {
        installation.reset(printer.observer())?
    } else {
        installation
            .remove(printer.observer(), &arguments.nodes)?
            .applied
    };
    printer.summary(&applied.summary);
    if !applied.all_done {
        return Ok(Exit::of_failures(&applied.summary));
    }
    printer.message("Kubernetes is off. `kinstall up` makes nodes of the machines again.");
    if has_control_plane {
        printer.message(
            "Backups of etcd stay on control planes: /var/backups/kinstall-etcd and /var/lib/etcd-before-…; remove them \
             when they aren't needed any more.",
        );
    }
    Ok(Exit::Success)
}
