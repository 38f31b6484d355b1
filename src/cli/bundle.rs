//! `kinstall bundle …`.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;

use clap::{Args, Subcommand};

use super::GlobalArguments;
use super::exit::Exit;
use crate::bundle::{self, BuildOptions, Minor, Origin, Unpacked};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::project::{Project, addons_on_demand, no_inventory};
use crate::install::stores::{bundle_directory, cache_directory, open_bundle};
use crate::registry::{Access, NotAReference, Reference, Registry};
use crate::ui::build::BuildLines;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Build every component from its pinned Go modules
    Build {
        #[command(flatten)]
        parts: PartsArguments,
    },
    /// Fetch the bundle from a registry, or upstream's releases instead of building, where there are any
    Pull {
        /// oci://REGISTRY/REPOSITORY:TAG, or the inventory whose add-ons to put into the bundle [default: upstream's
        /// releases, all add-ons but helm and cilium]
        from: Option<PullFrom>,
        #[command(flatten)]
        registry: RegistryArguments,
        /// Minor versions of Kubernetes to fetch of upstream's releases: 1.36,1.37 [default: the newest]
        #[arg(long, value_name = "MINOR", value_delimiter = ',')]
        kubernetes: Vec<Minor>,
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
    /// Put the bundle into a registry, for other computers to pull
    Push {
        /// oci://REGISTRY/REPOSITORY:TAG
        reference: Reference,
        #[command(flatten)]
        registry: RegistryArguments,
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
    /// Inventory whose add-ons to put into the bundle [default: all add-ons but helm and cilium]
    pub inventory: Option<PathBuf>,
    /// Minor versions of Kubernetes to put into the bundle: 1.36,1.37 [default: the newest]
    #[arg(long, value_name = "MINOR", value_delimiter = ',')]
    pub kubernetes: Vec<Minor>,
}

/// Where a bundle is pulled from.
#[derive(Clone, Debug)]
pub enum PullFrom {
    Registry(Reference),
    /// Upstream's releases, with the add-ons of an inventory.
    Releases(PathBuf),
}

impl FromStr for PullFrom {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        if Reference::is_meant(text) {
            text.parse().map(Self::Registry)
        } else {
            Ok(Self::Releases(text.into()))
        }
    }
}

/// How a registry is reached.
#[derive(Debug, Args)]
pub struct RegistryArguments {
    /// Ask a registry that has no TLS; one on this computer is always asked so
    #[arg(long)]
    plain_http: bool,
    /// Certificates (PEM) of the authorities that may vouch for the registry, in place of the public ones
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
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
        BundleCommand::Pull {
            from,
            registry,
            kubernetes,
            mirror,
        } => {
            if let Some(PullFrom::Registry(reference)) = from {
                if mirror.is_some() || !kubernetes.is_empty() {
                    let message = "--mirror and --kubernetes are for upstream's releases: a registry's bundle comes whole";
                    return Err(vec![Diagnostic::error(Kind::Environment, message)]);
                }
                let registry = registry.open(reference.clone())?;
                let pulled = with_lines(printer, |report| {
                    bundle::pull(&registry, &directory, report)
                });
                let pulled = pulled.map_err(|error| vec![error.into()])?;
                tell_what_came(printer, &directory, pulled);
                return Ok(Exit::Success);
            }
            let inventory = match from {
                Some(PullFrom::Releases(inventory)) => Some(inventory.clone()),
                _ => None,
            };
            let parts = PartsArguments {
                inventory,
                kubernetes: kubernetes.clone(),
            };
            let mirror = mirror.clone();
            let options = options(global, directory, Origin::Releases { mirror }, &parts)?;
            make(&options, printer)?;
        }
        BundleCommand::Push {
            reference,
            registry,
        } => {
            let bundle = open_bundle(chosen)?;
            let registry = registry.open(reference.clone())?.for_storing();
            let registry = registry.map_err(|error| vec![error.into()])?;
            let pushed = with_lines(printer, |report| bundle::push(&bundle, &registry, report));
            let pushed = pushed.map_err(|error| vec![error.into()])?;
            printer.message(&format!(
                "The bundle is in {reference}: {} parts, {} of them new. To pull exactly this one:",
                pushed.parts, pushed.new
            ));
            printer.data(&format!("{}\n", reference.pinned(&pushed.digest)));
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
            tell_what_came(printer, &directory, loaded);
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

impl RegistryArguments {
    fn open(&self, reference: Reference) -> Result<Registry, Diagnostics> {
        let access = Access {
            plain_http: self.plain_http,
            authorities: self.ca_file.clone(),
        };
        Registry::open(reference, &access).map_err(|error| vec![error.into()])
    }
}

fn tell_what_came(printer: Printer, directory: &Path, came: Unpacked) {
    printer.message(&format!(
        "The bundle is in {}: {} parts, {} of them new.",
        directory.display(),
        came.parts,
        came.new
    ));
}

fn make(options: &BuildOptions, printer: Printer) -> Result<(), Diagnostics> {
    with_lines(printer, |report| bundle::build(options, report)).map_err(|error| vec![error])?;
    printer.message(&format!("The bundle is in {}.", options.output.display()));
    Ok(())
}

/// Does something long, and prints its news.
fn with_lines<T>(printer: Printer, work: impl FnOnce(&bundle::Report<'_>) -> T) -> T {
    let lines = Mutex::new(BuildLines::new(printer));
    work(&|progress| {
        if let Ok(mut lines) = lines.lock() {
            lines.tell(progress);
        }
    })
}
