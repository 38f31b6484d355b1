//! `kinstall upgrade`: the cluster moves to another version of Kubernetes, node by node.

use clap::Args;

use super::exit::Exit;
use super::{GlobalArguments, InventoryArgument};
use crate::bundle::Minor;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::installation::upgrade::{Hop, RunningVersions, SNAPSHOTS};
use crate::install::{Installation, Project, Settings, named_hosts};
use crate::model::VersionRequest;
use crate::ui::printer::{Format, Printer};
use crate::ui::{changes, prompt, upgrade};

/// What `upgrade` is told.
#[derive(Debug, Args)]
pub struct UpgradeArguments {
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

/// Shows the path, and goes it.
pub fn run(
    global: &GlobalArguments,
    arguments: &UpgradeArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
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
        if let Some(host) = rolled.acting {
            printer.message(&format!(
                "etcd's data as it was before is in {SNAPSHOTS}/before-{}.db on {host}.",
                hop.versions.kubernetes
            ));
        }
        if let Some(node) = pause_after {
            printer.message(&format!("Paused after {node}. `kinstall upgrade` goes on."));
            return Ok(Exit::Success);
        }
        let behind = installation.differences(&running)?;
        if !behind.is_empty() {
            return Err(upgrade::differences(&behind, &hop.versions.kubernetes));
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

/// Says where the inventory says something else now.
fn arrived(project: &Project, hop: &Hop) -> String {
    let version = &hop.versions.kubernetes;
    let all = format!("All nodes run Kubernetes {version}.");
    let minor = (version.major, version.minor);
    let wanted = project.cluster.kubernetes_version.as_ref();
    match wanted.filter(|it| (it.version.major, it.version.minor) != minor) {
        None => all,
        Some(wanted) => format!(
            "{all}\nSet `kube_version: {}` at {}:{}: it says {}, and `kinstall up` goes by it.",
            hop.release,
            wanted.location.path().display(),
            wanted.location.line(),
            wanted.version
        ),
    }
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
