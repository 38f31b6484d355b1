//! Why an image can't be had, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::appliance::ApplianceError;
use super::archive::ArchiveError;
use super::catalog::NameError;
use super::checksum_list::Unlisted;
use super::probe_error::ProbeError;
use super::reference::ReferenceError;
use crate::diagnostic::{Diagnostic, Kind};
use crate::digest::Digest;
use crate::download::DownloadError;
use crate::format_version::FormatError;
use crate::resource::Sha256;

/// A failure while an image is fetched, added or removed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the catalog has no image `{name}` for {architecture}")]
    Architecture {
        name: String,
        architecture: &'static str,
    },
    #[error("machine image `{image}` can't be fetched")]
    Download {
        image: String,
        source: Box<DownloadError>,
        /// What to write for the publisher's newest build.
        newest: Option<String>,
    },
    #[error("the list of hashes for machine image `{image}` can't be fetched")]
    List {
        image: String,
        source: Box<DownloadError>,
    },
    #[error("the list of hashes `{list}` has none for machine image `{image}`")]
    Unlisted {
        image: String,
        list: String,
        source: Unlisted,
    },
    #[error("`{path}` is another file than expected: its {} is {}, not {}",
        expected.algorithm().name(), actual.hex(), expected.hex(), path = path.display())]
    Hash {
        path: PathBuf,
        expected: Digest,
        actual: Digest,
    },
    #[error("failed to {action} `{path}`", path = path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("machine image `{image}` can't be used")]
    Unusable { image: String, source: ProbeError },
    #[error("machine image `{image}` can't be used")]
    Archive { image: String, source: ArchiveError },
    #[error("machine image `{image}` can't be used")]
    Appliance {
        image: String,
        source: ApplianceError,
    },
    #[error("can't use `{path}`", path = path.display())]
    Format { path: PathBuf, source: FormatError },
    #[error("`{name}` can't be the name of an image: {why}")]
    BadName { name: String, why: &'static str },
    #[error("machine image `{name}` is not what it was: `{path}` has changed or is gone", path = path.display())]
    Gone { name: String, path: PathBuf },
    #[error("no stored image is called `{name}`")]
    NotStored { name: String },
    #[error("`{name}` is the name of several images, or the beginning of their hashes")]
    Ambiguous { name: String, hashes: Vec<Sha256> },
    #[error("machine image `{name}` is in use by {}", labs.iter().map(|it| format!("`{}`", it.display())).collect::<Vec<_>>().join(", "))]
    InUse { name: String, labs: Vec<PathBuf> },
}

impl From<ReferenceError> for Diagnostic {
    fn from(error: ReferenceError) -> Self {
        ImageError::from(error).into()
    }
}

impl From<ImageError> for Diagnostic {
    fn from(error: ImageError) -> Self {
        let kind = match &error {
            ImageError::Reference(_)
            | ImageError::Name(_)
            | ImageError::BadName { .. }
            | ImageError::NotStored { .. }
            | ImageError::Ambiguous { .. } => Kind::Inventory,
            _ => Kind::Environment,
        };
        let hints = hints(&error);
        let diagnostic = Diagnostic::from_error(kind, &error);
        hints.into_iter().fold(diagnostic, Diagnostic::hint)
    }
}

fn hints(error: &ImageError) -> Vec<String> {
    let one = |hint: &str| vec![hint.to_owned()];
    match error {
        ImageError::Reference(error) => reference_hints(error),
        ImageError::Name(error) => name_hints(error),
        ImageError::Architecture { .. } => one(
            "name an image for this computer: `machine_image: PATH`, or an address with its hash",
        ),
        ImageError::Download { source, newest, .. } => download_hints(source, newest.as_deref()),
        ImageError::List { source, .. } => download_hints(source, None),
        ImageError::Unlisted { source, .. } => match source {
            Unlisted::Missing { names, .. } if names.len() <= 8 => {
                vec![format!("it has: {}", names.join(", "))]
            }
            _ => one("is it the list that belongs to this file?"),
        },
        ImageError::Hash { .. } => one("the file is damaged, or the hash is another file's"),
        ImageError::File { source, .. } => match source.kind() {
            io::ErrorKind::NotFound => {
                one("is the path right? a relative one starts at the inventory's folder")
            }
            io::ErrorKind::StorageFull => one(FULL),
            _ => Vec::new(),
        },
        ImageError::Unusable { source, .. } => probe_hints(source),
        ImageError::Archive { source, .. } => match source {
            ArchiveError::Read(_) => one("is the file complete?"),
            ArchiveError::Refused { .. } => one("no tool makes such a box: don't use it"),
            ArchiveError::NoSpace { .. } => one(FULL),
            ArchiveError::Write { .. } => Vec::new(),
        },
        ImageError::Appliance { source, .. } => match source {
            ApplianceError::Provider { .. } => {
                one("take the box that was made for virtualbox or libvirt, or a cloud image")
            }
            ApplianceError::Disk { source, .. } => probe_hints(source),
            _ => Vec::new(),
        },
        ImageError::NotStored { .. } => one("`kinstall image list` lists them"),
        ImageError::Ambiguous { hashes, .. } => {
            let short = hashes.iter().map(|it| it.to_string()[..16].to_owned());
            let short: Vec<String> = short.collect();
            vec![format!("say which one: {}", short.join(", "))]
        }
        ImageError::InUse { .. } => {
            one("remove those labs first: `kinstall down` beside their inventories")
        }
        ImageError::Gone { name, .. } => {
            vec![format!(
                "add it again: `kinstall image add FILE --name {name}`"
            )]
        }
        ImageError::Format { source, .. } => source.hint().map(str::to_owned).into_iter().collect(),
        ImageError::BadName { .. } => Vec::new(),
    }
}

const FULL: &str = "the disk is full: make room there, or choose another place with KINSTALL_CACHE";

fn reference_hints(error: &ReferenceError) -> Vec<String> {
    match error {
        ReferenceError::NoChecksum { url } => vec![
            format!(
                "add the hash that the publisher names: `{url}#sha256=…`, or the list with it: \
                 `{url}#sha256sums=https://…/SHA256SUMS`"
            ),
            "in an INI inventory put it in quotes: `#` starts a comment there".into(),
            "where there is no hash: download the file from a source that you trust, then `kinstall image \
             add FILE --name NAME`"
                .into(),
        ],
        ReferenceError::Fragment { .. } => vec![
            "write `#sha256=` or `#sha512=` with all digits, or `#sha256sums=` or `#sha512sums=` with \
             the address or path of a list"
                .into(),
        ],
        ReferenceError::Empty
        | ReferenceError::Scheme { .. }
        | ReferenceError::Weak
        | ReferenceError::NamedWithChecksum { .. } => Vec::new(),
    }
}

fn name_hints(error: &NameError) -> Vec<String> {
    let own = |name: &str| {
        format!(
            "if you have the box, `kinstall image add FILE --name {name}` gives it this name; else \
             write an image that kinstall knows, or `machine_image: PATH`"
        )
    };
    match error {
        NameError::Unknown { meant, known, .. } => match meant {
            Some(meant) => vec![format!("did you mean `{meant}`?")],
            None => vec![format!(
                "known are {}; a file is written as `./FILE`, an address as `https://…#sha256=…`",
                known.join(", ")
            )],
        },
        NameError::Box { name, why, default } => {
            let reason = why.iter().cloned();
            let instead = format!("`machine_image: {default}` is what most labs can take");
            reason.chain([instead, own(name)]).collect()
        }
    }
}

fn download_hints(error: &DownloadError, newest: Option<&str>) -> Vec<String> {
    let one = |hint: &str| vec![hint.to_owned()];
    match error {
        DownloadError::Status {
            status: 404 | 410, ..
        } => match newest {
            Some(newest) => vec![format!(
                "the publisher has removed this build; the newest is `machine_image: \"{newest}\"`"
            )],
            None => one("is the address right?"),
        },
        DownloadError::Status { .. } => one("the server refuses: try later"),
        DownloadError::Hash { .. } => one(
            "what was downloaded is removed; if it happens again, the hash is another file's, or \
             something on the way changes files",
        ),
        DownloadError::Stalled { .. }
        | DownloadError::Cut { .. }
        | DownloadError::Connection { .. } => one(
            "what came so far is kept: check the network (behind a proxy, set https_proxy) and run \
             the command again",
        ),
        DownloadError::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
            one(FULL)
        }
        DownloadError::Write { .. } => one("do you have permission to write to the folder?"),
    }
}

fn probe_hints(error: &ProbeError) -> Vec<String> {
    let hint = match error {
        ProbeError::Packed("xz") => "unpack it first: `xz --decompress --keep FILE`",
        ProbeError::Packed("gzip") => "unpack it first: `gunzip --keep FILE`",
        ProbeError::Packed("bzip2") => "unpack it first: `bunzip2 --keep FILE`",
        ProbeError::Packed("zstd") => "unpack it first: `unzstd FILE`",
        ProbeError::Packed(_) => "unpack it first",
        ProbeError::Other("an installation CD") => {
            "machines start from a cloud image or a box, on which the system is installed already"
        }
        ProbeError::Other("a VHD disk" | "a VHDX disk") => {
            "convert it: `qemu-img convert -O qcow2 FILE DISK.qcow2`"
        }
        ProbeError::Difference => {
            "make it one with what it builds on: `qemu-img convert -O qcow2 FILE DISK.qcow2`"
        }
        ProbeError::Encrypted => "convert it without encryption",
        ProbeError::Damaged(_) => "download or copy it again",
        ProbeError::Read(_) | ProbeError::Other(_) | ProbeError::Unknown => return Vec::new(),
    };
    vec![hint.into()]
}

pub(super) fn file_error(action: &'static str, path: &Path, source: io::Error) -> ImageError {
    ImageError::File {
        action,
        path: path.into(),
        source,
    }
}
