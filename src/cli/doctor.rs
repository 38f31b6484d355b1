//! `kinstall doctor`: what stands in the way on this computer, and what mends it.

use clap::Args;

use super::exit::Exit;
use super::{GlobalArguments, ProviderArgument};
use crate::diagnostic::Diagnostics;
use crate::install::doctor::{Subjects, examine};
use crate::model::Provider;
use crate::ui::doctor;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Look at this provider only
    #[arg(long, value_enum)]
    pub provider: Option<ProviderArgument>,
}

/// Looks at everything; exit 1 when a machine can't be made the way that was asked for, or a check found
/// a problem.
pub fn run(
    global: &GlobalArguments,
    arguments: &DoctorArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let vault = global.vault()?;
    let (checks, is_well) = examine(&Subjects {
        provider: arguments.provider.map(Provider::from),
        inventory: global.inventory.as_deref(),
        vault,
        bundle: global.bundle.as_deref(),
    });
    match printer.format {
        Format::Text => printer.data(&doctor::render(&checks)),
        Format::Json => printer.json(&checks),
    }
    Ok(if is_well { Exit::Success } else { Exit::Failed })
}
