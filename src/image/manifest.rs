//! The manifest beside an appliance's files: `SHA256(disk.vmdk)= …`.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::checksum_list::ChecksumList;
use crate::digest;

/// What is wrong with the files of a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("failed to read `{file}`")]
    Read { file: String, source: io::Error },
    #[error(
        "`{file}` isn't what the manifest says: it is damaged, or was changed after it was made"
    )]
    Other { file: String },
}

/// Checks the files of a folder against a manifest in it.
pub(super) fn check(folder: &Path, manifest: &str) -> Result<(), ManifestError> {
    let read_error = |file: &str, source| ManifestError::Read {
        file: file.into(),
        source,
    };
    let text =
        fs::read_to_string(folder.join(manifest)).map_err(|error| read_error(manifest, error))?;
    for (name, expected) in ChecksumList::parse(&text).named() {
        if name.contains(['/', '\\']) {
            // Only what lies beside it has been unpacked.
            continue;
        }
        let actual = File::open(folder.join(name))
            .and_then(|file| digest::of_reader(expected.algorithm(), file))
            .map_err(|error| read_error(name, error))?;
        if actual != *expected {
            return Err(ManifestError::Other { file: name.into() });
        }
    }
    Ok(())
}
