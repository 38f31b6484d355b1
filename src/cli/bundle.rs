//! `kinstall bundle …`.

use std::path::PathBuf;
use std::sync::Mutex;

use super::exit::Exit;
use super::{BundleCommand, GlobalArguments};
use crate::bundle::{self, BuildOptions, Bundle, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::ui::build::BuildLines;
use crate::ui::printer::{Format, Printer};

/// Builds, fetches, lists or verifies the bundle.
pub fn run(
    global: &GlobalArguments,
    command: &BundleCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let directory = directory(global)?;
    match command {
        BundleCommand::Build => make(directory, Origin::Source, printer)?,
        BundleCommand::Pull { mirror } => {
            make(
                directory,
                Origin::Releases {
                    mirror: mirror.clone(),
                },
                printer,
            )?;
        }
        BundleCommand::Show => {
            let rows = bundle::show(open(global)?.manifest());
            match printer.format {
                Format::Text => printer.data(&crate::ui::build::table(&rows)),
                Format::Json => printer.json(&rows),
            }
        }
        BundleCommand::Unpack { directory } => {
            bundle::unpack(&open(global)?, directory).map_err(|error| vec![error])?;
        }
        BundleCommand::Verify => {
            open(global)?.verify(true)?;
            printer.message("Every part of the bundle is as it should be.");
        }
    }
    Ok(Exit::Success)
}

/// Opens the bundle that the user chose.
pub fn open(global: &GlobalArguments) -> Result<Bundle, Diagnostics> {
    Bundle::open(&directory(global)?).map_err(|error| vec![error])
}

fn make(output: PathBuf, origin: Origin, printer: Printer) -> Result<(), Diagnostics> {
    let cache = bundle::cache_directory().ok_or_else(no_home)?;
    let lines = Mutex::new(BuildLines::new(printer));
    let report = |progress: bundle::Progress<'_>| {
        if let Ok(mut lines) = lines.lock() {
            lines.tell(progress);
        }
    };
    let options = BuildOptions {
        output,
        cache,
        origin,
    };
    bundle::build(&options, &report).map_err(|error| vec![error])?;
    printer.message(&format!("The bundle is in {}.", options.output.display()));
    Ok(())
}

fn directory(global: &GlobalArguments) -> Result<PathBuf, Diagnostics> {
    global
        .bundle
        .clone()
        .or_else(bundle::bundle_directory)
        .ok_or_else(no_home)
}

fn no_home() -> Diagnostics {
    let error = Diagnostic::error(Kind::Environment, "there is no home folder for the cache");
    vec![error.hint("set KINSTALL_CACHE to a folder")]
}
