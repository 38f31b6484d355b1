//! The playbooks and templates that are part of the program, and the user's in place of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_embed::Embed;

use crate::addon::{self, AddonFile};
use crate::diagnostic::{Diagnostic, Kind, SourceFile};

/// How the names of playbooks and templates end; other files are not looked at.
const PLAYBOOK: &str = ".yml";
const TEMPLATE: &str = ".tera";

/// The files that a plan is made from, by their path below `playbooks` and `templates`.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub playbooks: BTreeMap<String, Arc<SourceFile>>,
    pub templates: BTreeMap<String, Arc<SourceFile>>,
}

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/playbooks"]
struct Playbooks;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/templates"]
struct Templates;

impl Sources {
    /// Returns those of the program; an add-on's have its name: `metallb.yml`, `metallb/key.yaml.tera`. A further playbook
    /// of it, `nodes.playbook.yml`, is `metallb/nodes.yml`.
    pub fn builtin() -> Self {
        let mut sources = Self {
            playbooks: embedded::<Playbooks>("playbooks", PLAYBOOK),
            templates: embedded::<Templates>("templates", TEMPLATE),
        };
        for AddonFile {
            addon,
            name,
            source,
        } in addon::files("playbook.yml")
        {
            let name = match name.strip_suffix(".playbook.yml") {
                Some(name) => format!("{addon}/{name}{PLAYBOOK}"),
                None => format!("{addon}{PLAYBOOK}"),
            };
            sources.playbooks.insert(name, source);
        }
        for AddonFile {
            addon,
            name,
            source,
        } in addon::files(TEMPLATE)
        {
            sources.templates.insert(format!("{addon}/{name}"), source);
        }
        sources
    }

    /// Reads `playbooks/**.yml` and `templates/**.tera` of a folder; each file takes the place of the one
    /// with the same path, or is added.
    pub fn override_from(&mut self, folder: &Path) -> Result<(), Diagnostic> {
        let (playbooks, templates) = (folder.join("playbooks"), folder.join("templates"));
        if !playbooks.is_dir() && !templates.is_dir() {
            let message = format!(
                "`{}` has no folder `playbooks` or `templates`",
                folder.display()
            );
            return Err(Diagnostic::error(Kind::Inventory, message)
                .hint("give --overrides the folder that the two are in"));
        }
        read_folder(&playbooks, PLAYBOOK, &mut self.playbooks)?;
        read_folder(&templates, TEMPLATE, &mut self.templates)
    }
}

fn embedded<Files: Embed>(folder: &str, extension: &str) -> BTreeMap<String, Arc<SourceFile>> {
    Files::iter()
        .filter(|name| name.ends_with(extension))
        .filter_map(|name| {
            let file = Files::get(&name)?;
            let source = SourceFile {
                path: PathBuf::from(format!("<kinstall>/{folder}/{name}")),
                text: String::from_utf8_lossy(&file.data).into_owned(),
            };
            Some((name.into_owned(), Arc::new(source)))
        })
        .collect()
}

fn read_folder(
    root: &Path,
    extension: &str,
    files: &mut BTreeMap<String, Arc<SourceFile>>,
) -> Result<(), Diagnostic> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Neither of the two folders has to be there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && folder == root => break,
            Err(error) => return Err(cannot_read(&folder, &error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| cannot_read(&folder, &error))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
            if name.ends_with(extension) {
                files.insert(name.into_owned(), SourceFile::read(&path)?);
            }
        }
    }
    Ok(())
}

fn cannot_read(folder: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        Kind::Inventory,
        format!("can't read folder {}: {error}", folder.display()),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Sources;

    #[test]
    fn a_further_playbook_of_an_add_on_is_below_its_name() {
        let playbooks = Sources::builtin().playbooks;
        for name in ["registry.yml", "registry/nodes.yml"] {
            assert!(playbooks.contains_key(name), "{name}");
        }
    }

    #[test]
    fn a_folder_of_the_user_replaces_file_by_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("playbooks/a.yml", "first");
        write("playbooks/notes.txt", "not a playbook");
        write("templates/a/b.tera", "b");
        let mut sources = Sources::default();
        sources.override_from(folder.path()).unwrap();
        write("playbooks/a.yml", "second");
        fs::remove_dir_all(folder.path().join("templates")).unwrap();
        sources.override_from(folder.path()).unwrap();
        assert_eq!(sources.playbooks.len(), 1);
        assert_eq!(sources.playbooks["a.yml"].text, "second");
        assert_eq!(sources.templates["a/b.tera"].text, "b");
    }
}
