//! `kinstall verify`: checks that the cluster works, as a walkthrough that can be read.

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use super::exit::Exit;
use super::{GlobalArguments, InventoryArgument};
use crate::diagnostic::Diagnostics;
use crate::install::verify::watch::{self, Event};
use crate::install::{Keys, LabMachines, Project, verify};
use crate::ui;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// Only what everything else needs, in less than a minute: nodes, pod network, names, Services
    #[arg(long)]
    pub quick: bool,
    /// Ask all the time, ten times a second on every way to the cluster, and say what failed and for how long
    #[arg(long, conflicts_with = "quick")]
    pub watch: bool,
    /// End --watch after this time: 30s, 5m, 1h [default: at Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", requires = "watch", value_parser = duration)]
    pub limit: Option<Duration>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "write it as 30s, 5m or 1h")?;
    Duration::try_from(duration).map_err(|_| "it must not be negative".to_owned())
}

/// Runs the checks; exit 1 when one fails.
pub fn run(
    global: &GlobalArguments,
    arguments: &VerifyArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(arguments.inventory.path.as_deref())?;
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    if arguments.watch {
        return watch(&project, &machines, arguments.limit, printer);
    }
    let show = |progress: verify::Progress<'_>| {
        if printer.format == Format::Text {
            printer.data(&match progress {
                verify::Progress::Started(check) => ui::verify::started(check),
                verify::Progress::Step(step) => ui::verify::step(step),
                verify::Progress::Ended(check) => ui::verify::ended(check),
            });
        }
    };
    let verification = verify::run(&project, &machines, arguments.quick, &show)?;
    printer.new_host_keys(&machines.take_new_host_keys());
    match printer.format {
        Format::Text => printer.data(&ui::verify::summary(&verification)),
        Format::Json => printer.json(&verification),
    }
    Ok(if verification.failed == 0 {
        Exit::Success
    } else {
        Exit::Failed
    })
}

/// Watches; exit 1 when a request failed.
fn watch(
    project: &Project,
    machines: &LabMachines,
    limit: Option<Duration>,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let availability = watch::watch(project, machines, limit, &|event| match event {
        Event::Watching(paths) => printer.message(&format!(
            "Watching {paths} paths, ten requests a second on each; Ctrl-C ends it."
        )),
        Event::LeftOut(reason) => printer.message(&reason),
        Event::Gap { path, milliseconds } => {
            printer.message(&format!("{path}: no answer for {milliseconds} ms"));
        }
    })?;
    printer.new_host_keys(&machines.take_new_host_keys());
    match printer.format {
        Format::Text => printer.data(&ui::availability::render(&availability)),
        Format::Json => printer.json(&availability),
    }
    Ok(if availability.failed() == 0 {
        Exit::Success
    } else {
        Exit::Failed
    })
}
