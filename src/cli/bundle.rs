//! `kinstall bundle …`.

use std::path::PathBuf;
use std::sync::Mutex;

use clap::{Args, Subcommand};

use super::GlobalArguments;
use super::exit::Exit;
use crate::bundle::{self, BuildOptions, Minor, Origin};
use crate::diagnostic::Diagnostics;
use crate::install::project::{Project, addons_on_demand, no_inventory};
use crate::install::stores::{bundle_directory, cache_directory, open_bundle};
use crate::ui::build::BuildLines;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Build every component from its pinned Go modules
    Build {
        #[command(flatten)]
        parts: PartsArguments,
    },
    /// Fetch upstream's releases instead of building, where there are any
    Pull {
        #[command(flatten)]
        parts: PartsArguments,
        /// Replaces scheme and host in every release URL
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
    /// List what is in the bundle
    Show,
    /// Check every part of the bundle against its hash
    Verify,
    /// Write the whole bundle into one file, for a computer without internet access
    Save { file: PathBuf },
    /// Take the bundle out of such a file
    Load {
        file: PathBuf,
        /// Hash that the file must have
        #[arg(long, value_name = "HEX")]
        sha256: Option<crate::resource::Sha256>,
    },
    /// Write the bundle's programs into a folder: kubernetes/kubectl, containerd/ctr, …
    Unpack {
        directory: PathBuf,
        /// Minor version of Kubernetes [default: the newest in the bundle]
        #[arg(long, value_name = "MINOR")]
        kubernetes: Option<Minor>,
    },
}

/// What the bundle is to have.
#[derive(Debug, Args)]
pub struct PartsArguments {
    /// Inventory whose add-ons to put into the bundle [default: all add-ons but helm]
    pub inventory: Option<PathBuf>,
    /// Minor versions of Kubernetes to put into the bundle: 1.36,1.37 [default: the newest]
    #[arg(long, value_name = "MINOR", value_delimiter = ',')]
    pub kubernetes: Vec<Minor>,
}

/// Builds, fetches, lists or verifies the bundle.
pub fn run(
    global: &GlobalArguments,
    command: &BundleCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let chosen = global.bundle.as_deref();
    let directory = bundle_directory(chosen)?;
    match command {
        BundleCommand::Build { parts } => {
            let options = options(global, directory, Origin::Source, parts)?;
            make(&options, printer)?;
        }
        BundleCommand::Pull { parts, mirror } => {
            let mirror = mirror.clone();
            let options = options(global, directory, Origin::Releases { mirror }, parts)?;
            make(&options, printer)?;
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
        BundleCommand::Save { file } => {
            let saved = bundle::save(&open_bundle(chosen)?, file);
            let saved = saved.map_err(|error| vec![error.into()])?;
            let (size, file) = (saved.size >> 20, file.display());
            printer.message(&format!(
                "The bundle is in {file} ({size} MiB); its sha256 is"
            ));
            printer.data(&format!("{}\n", saved.sha256));
        }
        BundleCommand::Load { file, sha256 } => {
            let loaded = bundle::load(file, *sha256, &directory);
            let loaded = loaded.map_err(|error| vec![error.into()])?;
            printer.message(&format!(
                "The bundle is in {}: {} parts, {} of them new.",
                directory.display(),
                loaded.parts,
                loaded.new
            ));
        }
        BundleCommand::Verify => {
            open_bundle(chosen)?.verify(true)?;
            printer.message("Every part of the bundle is complete and undamaged.");
        }
    }
    Ok(Exit::Success)
}

fn options(
    global: &GlobalArguments,
    output: PathBuf,
    origin: Origin,
    parts: &PartsArguments,
) -> Result<BuildOptions, Diagnostics> {
    let unwanted_addons = match &parts.inventory {
        Some(path) if !path.exists() => return Err(vec![no_inventory(path)]),
        Some(path) => Project::load(path, global.vault()?)?.unwanted_addons(),
        None => addons_on_demand(),
    };
    Ok(BuildOptions {
        output,
        cache: cache_directory()?,
        origin,
        releases: parts.kubernetes.clone(),
        unwanted_addons,
    })
}

fn make(options: &BuildOptions, printer: Printer) -> Result<(), Diagnostics> {
    let lines = Mutex::new(BuildLines::new(printer));
    let report = |progress: bundle::Progress<'_>| {
        if let Ok(mut lines) = lines.lock() {
            lines.tell(progress);
        }
    };
    bundle::build(options, &report).map_err(|error| vec![error])?;
    printer.message(&format!("The bundle is in {}.", options.output.display()));
    Ok(())
}
