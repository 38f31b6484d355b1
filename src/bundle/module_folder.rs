//! Folders of Go modules that go into images as they are.

use std::fs;
use std::path::Path;

use super::BundleError;
use super::catalog::ModuleFolder;
use super::layer::{Entry, Kind};

impl ModuleFolder {
    /// Returns the folder's files, sorted by path; the module lies in `module`.
    pub(super) fn entries(&self, module: &Path) -> Result<Vec<Entry>, BundleError> {
        let mut entries = Vec::new();
        self.read(&module.join(&self.folder), "", &mut entries)?;
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(entries)
    }

    /// Adds what is at `path` below the folder.
    fn read(&self, from: &Path, path: &str, entries: &mut Vec<Entry>) -> Result<(), BundleError> {
        if self.leave_out.iter().any(|it| it == path) {
            return Ok(());
        }
        let failed = |source| BundleError::file("read", from, source);
        if !from.is_dir() {
            entries.push(Entry {
                path: format!("{}/{path}", self.path),
                mode: 0o644,
                kind: Kind::File(fs::read(from).map_err(failed)?),
            });
            return Ok(());
        }
        for entry in from.read_dir().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let below = match path {
                "" => name.to_string_lossy().into_owned(),
                _ => format!("{path}/{}", name.to_string_lossy()),
            };
            self.read(&from.join(&name), &below, entries)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::catalog::ModuleFolder;

    #[test]
    fn a_folder_comes_whole_but_for_what_is_left_out() {
        let module = tempfile::tempdir().unwrap();
        let files = [
            "go.mod",
            "bpf/b.c",
            "bpf/a.c",
            "bpf/lib/a.h",
            "bpf/tests/a.c",
        ];
        for path in files {
            let path = module.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "code").unwrap();
        }
        let folder = ModuleFolder {
            folder: "bpf".into(),
            path: "/var/lib/x".into(),
            leave_out: vec!["tests".into()],
        };
        let entries = folder.entries(module.path()).unwrap();
        let paths: Vec<_> = entries.iter().map(|it| it.path.as_str()).collect();
        let expected = ["/var/lib/x/a.c", "/var/lib/x/b.c", "/var/lib/x/lib/a.h"];
        assert_eq!(paths, expected);
    }
}
