//! `kinstall import vagrant`: an inventory from a lab's Vagrantfile.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::image::ImageReference;
use crate::install::stores::open_images;
use crate::ui::printer::{Format, Printer};
use crate::vagrant::{self, Environment, Import};
use crate::whole_file;

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Make an inventory from a Vagrantfile; exit code 0: complete, 2: values are left to fill in
    Vagrant(VagrantArguments),
}

const FILE: &str = "inventory.ini";

#[derive(Debug, Args)]
pub struct VagrantArguments {
    #[arg(value_name = "VAGRANTFILE", default_value = "Vagrantfile")]
    pub path: PathBuf,
    /// Folder to write inventory.ini into [default: print it]
    #[arg(long, value_name = "DIRECTORY")]
    pub output_directory: Option<PathBuf>,
    /// Replace an inventory that is there
    #[arg(long, requires = "output_directory")]
    pub force: bool,
    /// Set an environment variable for the Vagrantfile, as in `NODES=3 vagrant up`
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = environment_variable)]
    pub environment: Vec<(String, String)>,
}

fn environment_variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// Imports; the inventory goes to stdout or into a folder, the report to the person.
pub fn run(command: &ImportCommand, printer: Printer) -> Result<Exit, Diagnostics> {
    let ImportCommand::Vagrant(arguments) = command;
    let path = if arguments.path.is_dir() {
        arguments.path.join("Vagrantfile")
    } else {
        arguments.path.clone()
    };
    let store = open_images()?;
    let folder = arguments.output_directory.as_deref();
    let folder = folder.unwrap_or(Path::new("."));
    let images = |image: &str| {
        let reference = ImageReference::parse(image, folder)?;
        store.find(&reference).map(drop).map_err(Diagnostic::from)
    };
    let environment = environment(arguments);
    let import = vagrant::import(&path, &environment, &images).map_err(|error| vec![error])?;
    let written = write(arguments, &import).map_err(|error| vec![error])?;
    match printer.format {
        Format::Json => printer.json(&Answer {
            path: written.as_deref(),
            import: &import,
        }),
        Format::Text => {
            if written.is_none() {
                printer.data(&import.inventory);
            }
            printer.message(import.report().trim_end());
            if let Some(path) = &written {
                printer.message(&format!("\nThe inventory is in {}.", path.display()));
            }
        }
    }
    Ok(if import.is_complete() {
        Exit::Success
    } else {
        Exit::Changes
    })
}

/// Names of variables that hold the user's name, and those that Vagrantfiles read.
const USER_NAMES: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// Returns the variables that the user gives, and of this computer's own those that say who uses it.
fn environment(arguments: &VagrantArguments) -> Environment {
    let own = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
    let user = USER_NAMES.into_iter().find_map(own);
    let named = |user: String| USER_NAMES.map(|name| (name.to_owned(), user.clone()));
    Environment {
        given: arguments.environment.iter().cloned().collect(),
        computer: user.map(named).into_iter().flatten().collect(),
    }
}

/// The answer for scripts.
#[derive(Serialize)]
struct Answer<'a> {
    path: Option<&'a Path>,
    #[serde(flatten)]
    import: &'a Import,
}

/// Writes the inventory if a folder was named; an inventory that is there is left alone.
fn write(arguments: &VagrantArguments, import: &Import) -> Result<Option<PathBuf>, Diagnostic> {
    let Some(folder) = &arguments.output_directory else {
        return Ok(None);
    };
    let path = folder.join(FILE);
    if !arguments.force && path.symlink_metadata().is_ok() {
        let message = format!("`{}` is there already", path.display());
        return Err(Diagnostic::error(Kind::Environment, message)
            .hint("name another --output-directory, or replace it with --force"));
    }
    let written = fs::create_dir_all(folder)
        .and_then(|()| whole_file::write(&path, import.inventory.as_bytes()));
    written.map_err(|error| {
        let message = format!("failed to write `{}`: {error}", path.display());
        Diagnostic::error(Kind::Environment, message)
    })?;
    Ok(Some(path))
}
