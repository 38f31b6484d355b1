//! `kinstall upgrade`: the cluster moves to another version of Kubernetes, node by node.

mod rollback;

use clap::{Args, Subcommand};

use self::rollback::RollbackArguments;
use super::exit::Exit;
use super::{GlobalArguments, InventoryArgument};
use crate::bundle::Minor;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::installation::begun;
use crate::install::installation::upgrade::{Hop, RunningVersions, SNAPSHOTS};
use crate::install::{Installation, Project, Settings, named_hosts};
use crate::model::VersionRequest;
use crate::ui::printer::{Format, Printer};
use crate::ui::{changes, prompt, upgrade};

/// What `upgrade` is told.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct UpgradeArguments {
    #[command(subcommand)]
    pub command: Option<UpgradeCommand>,
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// Version of Kubernetes: 1.37 or 1.37.2 [default: kube_version of the inventory, else the newest in the bundle]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub to: Option<VersionRequest>,
    /// Only show the path and what its first part would change; exit 0: nothing, 2: something
    #[arg(long)]
    pub plan: bool,
    /// Stop when this node has moved; the same command again goes on
    #[arg(long, value_name = "NODE", conflicts_with = "plan")]
    pub pause_after: Option<String>,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// What else is done about an upgrade.
#[derive(Debug, Subcommand)]
pub enum UpgradeCommand {
    /// Go back to the version before: all nodes, and the cluster's data as it was before the upgrade
    Rollback(RollbackArguments),
}

/// Shows the path, and goes it.
pub fn run(
    global: &GlobalArguments,
    arguments: &UpgradeArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    if let Some(UpgradeCommand::Rollback(arguments)) = &arguments.command {
        return rollback::run(global, arguments, printer);
    }
    let project = global.project(arguments.inventory.path.as_deref())?;
    project.require_lab()?;
    if let Some(name) = &arguments.pause_after {
        named_hosts::host(&project.cluster, name)?;
    }
    let settings = Settings {
        release: arguments.to.as_ref().map(minor),
        ..global.settings()
    };
    let mut installation = if arguments.plan {
        Installation::to_check(&settings, project)?
    } else {
        Installation::to_apply(&settings, project)?
    };
    begun::refuse_if_begun(&installation.project)?;
    check_patch(arguments.to.as_ref(), &installation)?;
    let mut running = installation.running()?;
    let hops = installation.path(&running)?;
    if hops.is_empty() {
        return nothing_to_do(&installation, &running, printer);
    }
    printer.message(&upgrade::path(&hops));
    if arguments.plan {
        return plan(installation, &hops[0], &running, printer);
    }
    let question = format!("Upgrade the cluster {}?", installation.project.cluster.name);
    if !arguments.yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was changed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    for hop in &hops {
        let pause_after = arguments.pause_after.as_deref();
        let minor = hop.versions.kubernetes.minor;
        let mut kubelets = running.nodes.values().flat_map(|node| &node.kubelet);
        let goes_back = kubelets.any(|version| version.minor != minor);
        let rolled = installation.take_hop(hop, &running, pause_after, printer.observer())?;
        printer.summary(&rolled.summary);
        if !rolled.all_done {
            // Where the API doesn't answer, the next attempt does it.
            for node in installation.let_in_again().unwrap_or_default() {
                printer.message(&format!("{node} takes pods again."));
            }
            printer.message(&stopped(&installation.project, hop));
            return Ok(Exit::of_failures(&rolled.summary));
        }
        running = installation.running()?;
        printer.data(&upgrade::table(&running));
        if !rolled.backed_up.is_empty() {
            printer.message(&format!(
                "etcd's data as it was before is in {SNAPSHOTS}/before-{}.db on {}{}.",
                hop.versions.kubernetes,
                rolled.backed_up.join(", "),
                if goes_back {
                    "; `kinstall upgrade rollback` goes back to it"
                } else {
                    ""
                }
            ));
        }
        if let Some(node) = pause_after {
            printer.message(&format!("Paused after {node}. `kinstall upgrade` goes on."));
            return Ok(Exit::Success);
        }
        let behind = installation.differences(&running)?;
        if !behind.is_empty() {
            return Err(upgrade::differences(
                &behind,
                &hop.versions.kubernetes,
                "upgrade",
            ));
        }
    }
    if let Some(hop) = hops.last() {
        printer.message(&arrived(&installation.project, hop));
    }
    Ok(Exit::Success)
}

fn plan(
    mut installation: Installation,
    hop: &Hop,
    running: &RunningVersions,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let found = installation.check_hop(hop, running, printer.commentator())?;
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

fn nothing_to_do(
    installation: &Installation,
    running: &RunningVersions,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let release = installation.release()?;
    let version = release
        .components
        .get("kubernetes")
        .map_or("", String::as_str);
    printer.data(&upgrade::table(running));
    printer.message(&format!(
        "Nothing to do: all nodes run Kubernetes {version}."
    ));
    if let Some(newest) = installation.newer_releases().last() {
        printer.message(&format!(
            "The bundle has {newest} as well: `kinstall upgrade --to {newest}`."
        ));
    }
    Ok(Exit::Success)
}

fn stopped(project: &Project, hop: &Hop) -> String {
    format!(
        "The upgrade stopped; what has moved stays, and works beside what has not. When the cause is mended, this goes on:\n  \
         kinstall upgrade {} --to {}",
        project.inventory.display(),
        hop.release
    )
}

fn arrived(project: &Project, hop: &Hop) -> String {
    let all = format!("All nodes run Kubernetes {}.", hop.versions.kubernetes);
    match kube_version_to_set(project, hop.release) {
        None => all,
        Some(setting) => format!("{all}\n{setting}"),
    }
}

/// Says where the inventory has another version than what runs now.
fn kube_version_to_set(project: &Project, release: Minor) -> Option<String> {
    let wanted = project.cluster.kubernetes_version.as_ref()?;
    let is_same = (wanted.version.major, wanted.version.minor) == (release.major, release.minor);
    (!is_same).then(|| {
        format!(
            "Set `kube_version: {release}` at {}:{}: it says {}, and `kinstall up` goes by it.",
            wanted.location.path().display(),
            wanted.location.line(),
            wanted.version
        )
    })
}

/// A patch version has to be the one that the bundle has.
fn check_patch(
    wanted: Option<&VersionRequest>,
    installation: &Installation,
) -> Result<(), Diagnostics> {
    let release = installation.release()?;
    let offered = release
        .components
        .get("kubernetes")
        .map_or("", String::as_str);
    match wanted {
        Some(wanted) if wanted.patch.is_some() && wanted.to_string() != offered => {
            let message = format!("the bundle has Kubernetes {offered}, not {wanted}");
            let error = Diagnostic::error(Kind::Bundle, message);
            Err(vec![
                error.hint(format!("`--to {offered}` takes what it has")),
            ])
        }
        _ => Ok(()),
    }
}

fn minor(version: &VersionRequest) -> Minor {
    Minor {
        major: version.major,
        minor: version.minor,
    }
}

fn version(text: &str) -> Result<VersionRequest, String> {
    let version = VersionRequest::parse(text);
    version.ok_or_else(|| "write it like `1.37` or `1.37.2`".to_owned())
}
