//! `kinstall bundle …`.

use std::path::PathBuf;
use std::sync::Mutex;

use super::exit::Exit;
use super::{BundleCommand, GlobalArguments};
use crate::bundle::{self, BuildOptions, Minor, Origin};
use crate::diagnostic::Diagnostics;
use crate::install::stores::{bundle_directory, cache_directory, open_bundle};
use crate::ui::build::BuildLines;
use crate::ui::printer::{Format, Printer};

/// Builds, fetches, lists or verifies the bundle.
pub fn run(
    global: &GlobalArguments,
    command: &BundleCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let chosen = global.bundle.as_deref();
    let directory = bundle_directory(chosen)?;
    match command {
        BundleCommand::Build { releases } => {
            make(directory, Origin::Source, &releases.kubernetes, printer)?;
        }
        BundleCommand::Pull { releases, mirror } => {
            let mirror = mirror.clone();
            let origin = Origin::Releases { mirror };
            make(directory, origin, &releases.kubernetes, printer)?;
        }
        BundleCommand::Show => {
            let rows = bundle::show(open_bundle(chosen)?.manifest());
            match printer.format {
                Format::Text => printer.data(&crate::ui::build::table(&rows)),
                Format::Json => printer.json(&rows),
            }
        }
        BundleCommand::Unpack {
            directory,
            kubernetes,
        } => {
            let bundle = open_bundle(chosen)?;
            let release = bundle.release(*kubernetes).map_err(|error| vec![error])?;
            bundle::unpack(&bundle, release, directory).map_err(|error| vec![error])?;
        }
        BundleCommand::Verify => {
            open_bundle(chosen)?.verify(true)?;
            printer.message("Every part of the bundle is complete and undamaged.");
        }
    }
    Ok(Exit::Success)
}

fn make(
    output: PathBuf,
    origin: Origin,
    releases: &[Minor],
    printer: Printer,
) -> Result<(), Diagnostics> {
    let cache = cache_directory()?;
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
        releases: releases.to_vec(),
    };
    bundle::build(&options, &report).map_err(|error| vec![error])?;
    printer.message(&format!("The bundle is in {}.", options.output.display()));
    Ok(())
}
