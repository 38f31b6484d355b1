//! `kinstall plan`: what `up` would change.

use super::converge::{Converge, Found};
use super::exit::Exit;
use super::project::Project;
use super::{GlobalArguments, LabArguments, memory};
use crate::diagnostic::Diagnostics;
use crate::model::Provider;
use crate::provision::computer;
use crate::ui::changes;
use crate::ui::printer::{Format, Printer};

/// Shows the changes; exit 0 when there are none, 2 when there are some.
pub fn run(
    global: &GlobalArguments,
    arguments: &LabArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = Project::of_lab(global, arguments, printer)?;
    if project.provider().is_some_and(Provider::makes_machines) {
        let computer = computer::memory();
        for warning in memory::warnings(&project.cluster, computer) {
            printer.diagnostic(&warning);
        }
        let line = memory::line(&project.cluster, computer);
        printer.message(&format!("memory: {line}"));
    }
    let Found {
        planned, failed, ..
    } = Converge::to_check(global, project, printer)?.check_only()?;
    match printer.format {
        Format::Text => printer.data(&changes::render(&planned)),
        Format::Json => printer.json(&planned),
    }
    Ok(match (failed, planned.count()) {
        (true, _) => Exit::Failed,
        (false, 0) => Exit::Success,
        (false, _) => Exit::Changes,
    })
}
