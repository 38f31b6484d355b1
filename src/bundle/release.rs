//! Takes programs out of what upstream publishes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::build_error::BuildError;
use super::catalog::Upstream;
use super::manifest::Encoding;
use super::store::Store;
use crate::resource::BlobRef;

/// Stores the programs of a downloaded release, by their names in the bundle.
pub(super) fn programs(
    part: &str,
    release: &Upstream,
    download: &Path,
    store: &Store,
) -> Result<BTreeMap<String, BlobRef>, BuildError> {
    let unreadable = |source| BuildError::Archive {
        part: format!("the release of {part}"),
        source,
    };
    let mut file = File::open(download).map_err(unreadable)?;
    let mut found = BTreeMap::new();
    if is_archive(&release.url) {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            let path = entry.path().map_err(unreadable)?;
            let path = path.strip_prefix("./").unwrap_or(&path);
            let wanted = release
                .programs
                .iter()
                .find(|it| Path::new(&it.path) == path);
            if let Some(program) = wanted {
                let blob = store.put(&mut entry, Encoding::Zstd)?;
                found.insert(program.output.clone(), blob);
            }
        }
    } else if let [program] = release.programs.as_slice() {
        let blob = store.put(&mut file as &mut dyn Read, Encoding::Zstd)?;
        found.insert(program.output.clone(), blob);
    }
    match release
        .programs
        .iter()
        .find(|it| !found.contains_key(&it.output))
    {
        Some(program) => Err(BuildError::Lacks {
            part: format!("the release of {part}"),
            path: program.path.clone(),
        }),
        None => Ok(found),
    }
}

fn is_archive(url: &str) -> bool {
    [".tar.gz", ".tgz"]
        .iter()
        .any(|ending| url.ends_with(ending))
}
