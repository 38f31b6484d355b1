//! `kinstall etcd backup`.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::passphrase::PassphraseArgument;
use crate::cli::GlobalArguments;
use crate::cli::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::install::etcd::backup::make::{self, Source};
use crate::install::etcd::backup::{BackupError, open};
use crate::ui;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Args)]
pub struct BackupArguments {
    /// File to write [default: NAME-etcd-TIME.tar.age, in the current directory]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub passphrase: PassphraseArgument,
    /// Check a backup that is there, and show what is in it
    #[arg(long, requires = "file")]
    pub verify: bool,
    /// Most members of etcd are lost for good: take the data of the one that is left, or of the one that knows most
    #[arg(long, conflicts_with = "verify")]
    pub from_survivor: bool,
}

/// Makes a backup, or checks one.
pub fn run(
    global: &GlobalArguments,
    arguments: &BackupArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    match &arguments.file {
        Some(file) if arguments.verify => verify(file, arguments, printer),
        _ => make(global, arguments, printer),
    }
}

fn make(
    global: &GlobalArguments,
    arguments: &BackupArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(None)?;
    project.require_lab()?;
    let passphrase = arguments.passphrase.new_one()?;
    let file = arguments.file.clone().unwrap_or_else(|| {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        PathBuf::from(format!("{}-etcd-{now}.tar.age", project.cluster.name))
    });
    let source = if arguments.from_survivor {
        Source::Survivor
    } else {
        Source::Cluster
    };
    let record = make::make(project, &file, &passphrase, source);
    let record = record.map_err(BackupError::diagnostics)?;
    match printer.format {
        Format::Text => printer.data(&ui::etcd::backup(&record)),
        Format::Json => printer.json(&record),
    }
    printer.message(&format!(
        "{} can make the cluster again, with its passphrase. Keep both away from these machines.",
        file.display()
    ));
    Ok(Exit::Success)
}

fn verify(file: &Path, arguments: &BackupArguments, printer: Printer) -> Result<Exit, Diagnostics> {
    let passphrase = arguments.passphrase.of_a_file()?;
    let contents = open::open(file, &passphrase, |snapshot| {
        io::copy(snapshot, &mut io::sink()).map_err(|source| BackupError::Read {
            path: file.to_owned(),
            source,
        })
    });
    let contents = contents.map_err(BackupError::diagnostics)?;
    match printer.format {
        Format::Text => printer.data(&ui::etcd::backup(&contents.record)),
        Format::Json => printer.json(&contents.record),
    }
    let count = contents.files.len();
    printer.message(&format!("{} is complete: {count} files.", file.display()));
    Ok(Exit::Success)
}
