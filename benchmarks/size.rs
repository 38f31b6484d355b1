//! How large the program is that nodes get: the agent is kinstall itself.

use std::fs::File;

use flate2::Compression;
use flate2::read::GzEncoder;

use crate::Result;
use crate::lab::program;
use crate::table::{Table, megabytes};

/// kinstall compresses it at this level before it travels.
const LEVEL: u32 = 3;

/// Measures the program's file, and what goes over the wire.
pub fn measure(table: &mut Table) -> Result<()> {
    let file = File::open(program())?;
    let size = file.metadata()?.len();
    let travels = std::io::copy(
        &mut GzEncoder::new(file, Compression::new(LEVEL)),
        &mut std::io::sink(),
    )?;
    table.row(
        "agent on a node (the program itself)",
        megabytes(size),
        "< 6 MB",
    );
    table.row(
        "agent on its way, once a build and node",
        megabytes(travels),
        "",
    );
    Ok(())
}
