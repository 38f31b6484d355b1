//! How long the bundle takes.

use std::process::Command;

use crate::Result;
use crate::lab::program;
use crate::measure;
use crate::table::{Table, seconds};

/// Measures a build that has nothing to do. If it has, it is done once before.
pub fn measure_warm(table: &mut Table) -> Result<()> {
    let build = || measure::run(Command::new(program()).args(["bundle", "build"]));
    build()?;
    let runs = [build()?.seconds, build()?.seconds, build()?.seconds];
    table.row("bundle build, warm", seconds(&runs), "");
    Ok(())
}

/// Measures a build from nothing but the Go client and downloaded modules: kinstall's cache and Go's
/// build cache are empty folders. Modules (GOMODCACHE) are kept, because fetching them measures the
/// network.
pub fn measure_cold(table: &mut Table) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let measured = measure::run(
        Command::new(program())
            .args(["bundle", "build"])
            .env("KINSTALL_CACHE", folder.path().join("kinstall"))
            .env("GOCACHE", folder.path().join("go")),
    )?;
    let figure = seconds(&[measured.seconds]);
    table.row("bundle build, cold (modules are there)", figure, "");
    Ok(())
}
