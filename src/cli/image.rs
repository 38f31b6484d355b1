//! `kinstall image …`.

use std::path::Path;
use std::sync::Mutex;

use clap::Subcommand;

use super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::digest::Digest;
use crate::image::{Checksum, Image, ImageError, ImageReference, Location};
use crate::install::stores::open_images;
use crate::ui::image::{ImageLines, rows, table};
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// List the images that kinstall knows and those that are stored here
    List,
    /// Fetch or register an image: one of the catalog, a box, an appliance or a disk
    Add {
        /// Path, address, or name of a known image
        image: String,
        /// Name for `machine_image` in the inventory
        #[arg(long)]
        name: Option<String>,
        /// Hash of the file (or its sha512, by its length)
        #[arg(long, value_name = "HEX", conflicts_with = "checksum_file")]
        sha256: Option<crate::digest::Digest>,
        /// Path or address of a list of hashes that has the file's name in it
        #[arg(long, value_name = "PATH|URL")]
        checksum_file: Option<String>,
    },
    /// Remove an image, by its name or the beginning of its hash; your own files stay
    Remove {
        #[arg(value_name = "NAME|HASH")]
        image: String,
    },
}

/// Lists, adds or removes images.
pub fn run(command: &ImageCommand, printer: Printer) -> Result<Exit, Diagnostics> {
    let store = open_images()?;
    match command {
        ImageCommand::List => {
            let rows = rows(store.catalog(), &store.list().map_err(diagnostics)?);
            match printer.format {
                Format::Text => printer.data(&table(&rows)),
                Format::Json => printer.json(&rows),
            }
        }
        ImageCommand::Add {
            image,
            name,
            sha256,
            checksum_file,
        } => {
            let reference = reference(image, sha256.as_ref(), checksum_file.as_deref());
            let reference = reference.map_err(diagnostics)?;
            let image = with_lines(printer, |report| {
                store.add(&reference, name.as_deref(), report)
            })?;
            tell(&image, printer);
        }
        ImageCommand::Remove { image } => {
            let removed = with_lines(printer, |report| store.remove(image, report))?;
            printer.message(&format!("Removed {}.", label(&removed)));
        }
    }
    Ok(Exit::Success)
}

/// Paths on the command line start at the current folder.
fn reference(
    image: &str,
    digest: Option<&Digest>,
    list: Option<&str>,
) -> Result<ImageReference, ImageError> {
    let here = std::env::current_dir().unwrap_or_default();
    // What is here under that name is meant, even if it looks like the name of a box.
    let is_file = !image.contains("://") && here.join(image).is_file();
    let image = if is_file && Path::new(image).is_relative() {
        format!("./{image}")
    } else {
        image.to_owned()
    };
    let checksum = match (digest, list) {
        (Some(digest), _) => Checksum::Digest(digest.clone()),
        (None, Some(list)) => Checksum::List(Location::parse(list, &here)?),
        (None, None) => return Ok(ImageReference::parse(&image, &here)?),
    };
    let reference = ImageReference::with_checksum(&image, Some(checksum), &here);
    Ok(reference?)
}

fn with_lines<T>(
    printer: Printer,
    work: impl FnOnce(&crate::image::Report<'_>) -> Result<T, ImageError>,
) -> Result<T, Diagnostics> {
    let lines = Mutex::new(ImageLines::new(printer));
    let report = |image: &str, progress: crate::image::Progress<'_>| {
        if let Ok(mut lines) = lines.lock() {
            lines.tell(image, progress);
        }
    };
    work(&report).map_err(diagnostics)
}

fn tell(image: &Image, printer: Printer) {
    match printer.format {
        Format::Json => printer.json(&serde_json::json!({
            "name": image.name,
            "sha256": image.sha256,
            "kind": image.kind,
            "user": image.user,
        })),
        Format::Text => printer.message(&format!(
            "{} is here: write `machine_image: {}`.",
            label(image),
            image
                .name
                .clone()
                .unwrap_or_else(|| "PATH, or the address with its hash".into()),
        )),
    }
}

fn label(image: &Image) -> String {
    let hash = image.sha256.to_string();
    match &image.name {
        Some(name) => format!("Image `{name}` (sha256 {}…)", &hash[..12]),
        None => format!("Image {}…", &hash[..12]),
    }
}

fn diagnostics(error: ImageError) -> Diagnostics {
    vec![error.into()]
}
