//! `kinstall halt`, `start`, `suspend`, `resume` and `restart`: machines on and off.

use super::exit::Exit;
use super::{GlobalArguments, NodesArgument};
use crate::diagnostic::Diagnostics;
use crate::install::ready::Clock;
use crate::install::{Keys, LabMachines, lab, lost, named_hosts, ready};
use crate::provision::Power;
use crate::ui::printer::Printer;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Halt,
    Start,
    Suspend,
    Resume,
    Restart,
}

/// Presses the button of the named machines, or of all; those that run afterwards are waited for.
pub fn run(
    global: &GlobalArguments,
    arguments: &NodesArgument,
    button: Button,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let _lock = project.lock()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let (provider, described) = machines.require_made(button.verb())?;
    let observed = provider
        .observe(described)
        .map_err(|error| lab::failed(&error))?;
    let chosen = named_hosts::machines(&project.cluster, &observed, &arguments.nodes)?;
    let names: Vec<&str> = chosen.iter().map(|it| it.name.as_str()).collect();
    if !matches!(button, Button::Halt | Button::Suspend) {
        lost::refuse(&project.directory, &names)?;
    }
    for power in button.presses() {
        provider
            .power(described, &names, *power, &|host, state| {
                printer.machine(host, state);
            })
            .map_err(|error| lab::failed(&error))?;
    }
    let clock = match button {
        Button::Halt | Button::Suspend => return Ok(Exit::Success),
        // A machine that starts reads its computer's clock.
        Button::Restart => Clock::Right,
        // A start also wakes machines that were suspended.
        Button::Start | Button::Resume => Clock::MayBeBehind,
    };
    let report = |host: &str, state: &str| printer.machine(host, state);
    let failures = ready::wait(&project.cluster, &machines, &names, clock, &report)?;
    Ok(Exit::after(&failures, printer))
}

impl Button {
    fn verb(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Start => "start",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Restart => "restart",
        }
    }

    fn presses(self) -> &'static [Power] {
        match self {
            Self::Halt => &[Power::Halt],
            Self::Start => &[Power::Start],
            Self::Suspend => &[Power::Suspend],
            Self::Resume => &[Power::Resume],
            Self::Restart => &[Power::Halt, Power::Start],
        }
    }
}
