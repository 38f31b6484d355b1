//! The folders `components/` and `addons/` inside of the program, so that the program alone can build a bundle.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::BundleError;
use super::catalog::GoSource;
use crate::addon;
use crate::diagnostic::{Diagnostic, Kind};
use crate::resource::Sha256;

#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/components"]
struct Components;

/// Returns one file as text: `catalog.yml`, `metallb/source/go.mod`.
pub(super) fn text(path: &str) -> Result<String, Diagnostic> {
    let missing = || Diagnostic::error(Kind::Internal, format!("no `{path}` in the program"));
    let bytes = bytes(path).ok_or_else(missing)?;
    String::from_utf8(bytes.into_owned())
        .map_err(|error| Diagnostic::from_error(Kind::Internal, &error))
}

fn bytes(path: &str) -> Option<Cow<'static, [u8]>> {
    let component = Components::get(path).map(|file| file.data);
    component.or_else(|| addon::bytes(path))
}

/// The source files of one component: path below its folder, and content.
pub(super) struct SourceTree {
    folder: String,
    files: Vec<(String, Cow<'static, [u8]>)>,
}

impl SourceTree {
    /// Returns the files that a component is built from, sorted by path.
    pub(super) fn of(source: &GoSource) -> Self {
        let mut files = Self::below(&source.folder);
        if let Some(folder) = &source.modules {
            files.extend(Self::below(folder));
        }
        Self {
            folder: source.folder.clone(),
            files: files.into_iter().collect(),
        }
    }

    fn below(folder: &str) -> BTreeMap<String, Cow<'static, [u8]>> {
        let prefix = format!("{folder}/");
        Components::iter()
            .chain(addon::source_files())
            .filter_map(|path| {
                let below = path.strip_prefix(&prefix)?.to_owned();
                Some((below, bytes(&path)?))
            })
            .collect()
    }

    /// Returns a hash over all paths and contents.
    pub(super) fn sha256(&self) -> Sha256 {
        let hashes = self
            .files
            .iter()
            .map(|(path, content)| (path, Sha256::of(content)));
        let list = hashes.map(|(path, sha256)| format!("{sha256} {path}"));
        Sha256::of(list.collect::<Vec<_>>().join("\n").as_bytes())
    }

    /// Writes the files below `parent`, in place of what is there, and returns the component's folder.
    pub(super) fn unpack(&self, parent: &Path) -> Result<PathBuf, BundleError> {
        let root = parent.join(&self.folder);
        match std::fs::remove_dir_all(&root) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(BundleError::file("remove", &root, source));
            }
            _ => {}
        }
        for (path, content) in &self.files {
            let path = root.join(path);
            let folder = path.parent().unwrap_or(&root);
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, content))
                .map_err(|source| BundleError::file("write", &path, source))?;
        }
        Ok(root)
    }
}
