//! Which files an inventory is read from.
//!
//! Of a folder, Ansible puts all inventory files together, in the order of their names. Beside the real
//! inventory often lies kubespray's sample, as it was copied: it names no host, and is left out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Inventory, Vault, location};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};

/// Names that inventories usually have. Files with other names are read if their text is an inventory.
const USUAL_NAMES: [&str; 8] = [
    "inventory.ini",
    "hosts.yaml",
    "hosts.yml",
    "hosts.ini",
    "inventory.yaml",
    "inventory.yml",
    "hosts",
    "inventory",
];

/// Endings of inventories; a file without one may be an inventory as well.
const EXTENSIONS: [&str; 4] = ["ini", "yaml", "yml", "json"];

/// Returns the inventory file, or the inventory files of a folder; never empty. Edited files are taken as they
/// will be.
pub(super) fn find(
    path: &Path,
    edited: &[Arc<SourceFile>],
    diagnostics: &mut Diagnostics,
) -> Result<Vec<Arc<SourceFile>>, Diagnostic> {
    let source = |path: &Path| match edited.iter().find(|edited| edited.path == path) {
        Some(edited) => Ok(Arc::clone(edited)),
        None => SourceFile::read(path),
    };
    if !path.is_dir() {
        return Ok(vec![source(path)?]);
    }
    let mut candidates = Vec::new();
    for path in listed(path)? {
        let is_usual = is_usual(&path);
        match source(&path) {
            Ok(file) => candidates.extend(Candidate::of(file, is_usual)),
            Err(error) if is_usual => return Err(error),
            // No text: not an inventory.
            Err(_) => {}
        }
    }
    if candidates.is_empty() {
        return Err(Diagnostic::error(
            Kind::Inventory,
            format!("no inventory file in {}", path.display()),
        )
        .hint(format!("looked for {}", USUAL_NAMES.join(", "))));
    }
    if candidates.iter().any(|candidate| candidate.has_hosts) {
        let (samples, real) = candidates
            .into_iter()
            .partition::<Vec<_>, _>(|candidate| candidate.is_sample);
        diagnostics.extend(samples.iter().map(|sample| left_out(sample, &real)));
        candidates = real;
    }
    // The file with hosts is the one that others are told about.
    candidates.sort_by_key(|candidate| !candidate.has_hosts);
    Ok(candidates
        .into_iter()
        .map(|candidate| candidate.file)
        .collect())
}

/// Tells whether a file is kubespray's sample as it was copied: it has the groups and no host.
fn is_sample(path: &Path) -> bool {
    SourceFile::read(path)
        .ok()
        .and_then(|file| Candidate::of(file, false))
        .is_some_and(|candidate| candidate.is_sample)
}

/// A file of a folder that may be an inventory.
struct Candidate {
    file: Arc<SourceFile>,
    has_hosts: bool,
    is_sample: bool,
}

impl Candidate {
    /// Looks into a file. One that has not a usual name must be a whole and right inventory.
    fn of(file: Arc<SourceFile>, is_usual: bool) -> Option<Self> {
        let mut diagnostics = Diagnostics::new();
        let files = [Arc::clone(&file)];
        let inventory = Inventory::of(&files, Vault::default(), &mut diagnostics)?;
        let has_groups = inventory.groups.values().any(|group| group.is_defined);
        let is_inventory = has_groups && diagnostics.is_empty();
        if !(is_usual || is_inventory) {
            return None;
        }
        let has_hosts = !inventory.hosts.is_empty();
        let control_planes = inventory.groups.get("kube_control_plane");
        let is_sample = !has_hosts
            && control_planes.is_some_and(|group| group.is_defined && group.children.is_empty())
            && diagnostics.iter().all(|it| !it.is_error());
        Some(Self {
            file,
            has_hosts,
            is_sample,
        })
    }
}

/// Returns the files of a folder that could be inventories, in the order of their names.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let failed = |error: std::io::Error| {
        Diagnostic::error(
            Kind::Inventory,
            format!("can't read {}: {error}", folder.display()),
        )
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().map(|it| it.to_string_lossy());
        let is_readable = extension.is_none_or(|it| EXTENSIONS.contains(&it.as_ref()));
        if path.is_file() && is_readable && !name.starts_with('.') && !name.ends_with('~') {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_usual(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    USUAL_NAMES.iter().any(|usual| *usual == name)
}

fn left_out(sample: &Candidate, real: &[Candidate]) -> Diagnostic {
    let names: Vec<String> = real
        .iter()
        .map(|candidate| candidate.file.path.display().to_string())
        .collect();
    let place = sample
        .file
        .text
        .find('[')
        .map_or(0..0, |start| start..start + 1);
    Diagnostic::warning(format!(
        "{} is left out: it names no host",
        sample.file.path.display()
    ))
    .at(location(&sample.file, place), "groups without hosts")
    .hint(format!("the inventory is {}", names.join(", ")))
}

/// Returns the inventory of a folder that no path names: `inventory.ini`, unless it is an untouched sample.
pub(super) fn usual(folder: &Path) -> PathBuf {
    let usual = folder.join(USUAL_NAMES[0]);
    let others = USUAL_NAMES[1..].iter().any(|it| folder.join(it).is_file());
    if others && (!usual.is_file() || is_sample(&usual)) {
        folder.to_owned()
    } else {
        usual
    }
}
