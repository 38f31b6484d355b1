//! The folder `addons/` inside of the program.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use rust_embed::Embed;

use crate::diagnostic::SourceFile;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/addons"]
struct Addons;

/// A text file in an add-on's folder.
pub struct AddonFile {
    /// The add-on's name, which is that of its folder.
    pub addon: String,
    /// In the folder.
    pub name: String,
    pub source: Arc<SourceFile>,
}

/// Returns the files of all add-ons whose names end with this, sorted by add-on; not those in folders below.
pub fn files(end: &str) -> Vec<AddonFile> {
    let mut paths: Vec<_> = Addons::iter().filter(|path| path.ends_with(end)).collect();
    paths.sort();
    let files = paths.into_iter().filter_map(|path| {
        let (addon, name) = path.split_once('/')?;
        let file = Addons::get(&path).filter(|_| !name.contains('/'))?;
        let source = SourceFile {
            path: PathBuf::from(format!("<kinstall>/addons/{path}")),
            text: String::from_utf8_lossy(&file.data).into_owned(),
        };
        Some(AddonFile {
            addon: addon.to_owned(),
            name: name.to_owned(),
            source: Arc::new(source),
        })
    });
    files.collect()
}

/// Returns the paths of all files below a folder of `addons/`: `metallb/source/go.mod`.
pub fn source_files() -> impl Iterator<Item = Cow<'static, str>> {
    Addons::iter()
}

/// Returns one file, by its path below `addons/`.
pub fn bytes(path: &str) -> Option<Cow<'static, [u8]>> {
    Addons::get(path).map(|file| file.data)
}
