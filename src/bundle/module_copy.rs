//! Modules of which a part can't be had: copies of them without that part, beside the `go.mod` that replaces them.

use std::fs;
use std::path::Path;

use super::BundleError;
use super::catalog::ModuleCopy;

impl ModuleCopy {
    /// Copies a module, which lies in `module`, below the folder that a component is built in. Files of ours that
    /// are there stay.
    pub(super) fn make(&self, module: &Path, folder: &Path) -> Result<(), BundleError> {
        self.copy(module, &folder.join(&self.folder), "")
    }

    /// Copies what is at `path` in the module.
    fn copy(&self, from: &Path, to: &Path, path: &str) -> Result<(), BundleError> {
        if self.leave_out.iter().any(|it| it == path) {
            return Ok(());
        }
        if !from.is_dir() {
            if to.exists() {
                return Ok(());
            }
            // Not by `fs::copy`: files of the module cache may not be written to, and their copies would neither.
            let content =
                fs::read(from).map_err(|source| BundleError::file("read", from, source))?;
            return fs::write(to, content).map_err(|source| BundleError::file("write", to, source));
        }
        fs::create_dir_all(to).map_err(|source| BundleError::file("create", to, source))?;
        let failed = |source| BundleError::file("read", from, source);
        for entry in from.read_dir().map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let below = match path {
                "" => name.to_string_lossy().into_owned(),
                _ => format!("{path}/{}", name.to_string_lossy()),
            };
            self.copy(&from.join(&name), &to.join(&name), &below)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::ModuleCopy;

    #[test]
    fn a_copy_lacks_what_is_left_out_and_keeps_files_of_ours() {
        let (module, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = ["go.mod", "a/a.go", "a/b/b.go", "b/b.go"];
        for path in files {
            let path = module.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "theirs").unwrap();
            let mut permissions = path.metadata().unwrap().permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&path, permissions).unwrap();
        }
        let copy = work.path().join("x");
        fs::create_dir_all(copy.join("a/b")).unwrap();
        fs::write(copy.join("go.mod"), "ours").unwrap();
        fs::write(copy.join("a/b/ours.go"), "ours").unwrap();
        let module_copy = ModuleCopy {
            module: "x.test/x@v1.0.0".into(),
            sum: "h1:".into(),
            folder: "x".into(),
            leave_out: vec!["a/b".into()],
        };
        module_copy.make(module.path(), work.path()).unwrap();
        let text = |path: &str| fs::read_to_string(copy.join(path)).unwrap();
        assert_eq!(text("go.mod"), "ours");
        assert_eq!(text("a/b/ours.go"), "ours");
        assert_eq!(text("a/a.go"), "theirs");
        assert_eq!(text("b/b.go"), "theirs");
        assert!(!copy.join("a/b/b.go").exists());
        // They can be written over and removed as any other.
        fs::write(copy.join("a/a.go"), "other").unwrap();
    }
}
