//! `kinstall plan`: what `up` would change.

use super::exit::Exit;
use super::{GlobalArguments, LabArguments};
use crate::diagnostic::Diagnostics;
use crate::install::{Found, Installation, Project, Settings, memory};
use crate::model::Provider;
use crate::provision::computer;
use crate::ui::printer::{Format, Printer};
use crate::ui::{changes, recap};

/// Shows the changes; exit 0 when there are none, 2 when there are some.
pub fn run(
    global: &GlobalArguments,
    arguments: &LabArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = arguments.project(global, printer)?;
    if project.provider().is_some_and(Provider::makes_machines) {
        let computer = computer::memory();
        for warning in memory::warnings(&project.cluster, computer) {
            printer.diagnostic(&warning);
        }
        let line = memory::line(&project.cluster, computer);
        printer.message(&format!("memory: {line}"));
    }
    show(&arguments.settings(global), project, printer)
}

/// Shows what `up` would change in a project.
pub fn show(settings: &Settings, project: Project, printer: Printer) -> Result<Exit, Diagnostics> {
    let installation = Installation::to_check(settings, project)?;
    printer.diagnostics(&installation.warnings);
    let Found {
        planned,
        failed,
        summary,
    } = installation.check_only(printer.commentator())?;
    let unreachable = recap::unreachable(&summary);
    if !unreachable.is_empty() {
        printer.message(unreachable.trim_end());
    }
    match printer.format {
        Format::Text => printer.data(&changes::render(&planned)),
        Format::Json => printer.json(&planned),
    }
    if !failed && summary.lacks_hosts_only() {
        return Ok(Exit::Unreachable);
    }
    Ok(match (failed, planned.count()) {
        (true, _) => Exit::Failed,
        (false, 0) => Exit::Success,
        (false, _) => Exit::Changes,
    })
}
