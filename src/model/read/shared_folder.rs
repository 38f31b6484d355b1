//! Folders of this computer that machines mount.

use std::path::{Component, Path, PathBuf};

use super::super::SharedFolder;
use super::home::expand_home;

/// Reads `HOST:GUEST`. The guest's path is what follows the last `:/`, so that `C:\data:/srv` is
/// understood as well.
pub(super) fn parse(text: &str) -> Option<SharedFolder> {
    let at = text.rfind(":/")?;
    let (host, guest) = (&text[..at], text[at + 1..].trim_end_matches('/'));
    (!host.is_empty() && !guest.is_empty()).then(|| SharedFolder {
        host: expand_home(host),
        guest: guest.to_owned(),
    })
}

/// Returns a path from `folder` on as providers give it back: absolute, and written in one way only, or
/// a machine would seem to have another folder than the inventory asks for.
pub(super) fn absolute(folder: &Path, path: &Path) -> PathBuf {
    let path = folder.join(path);
    dunce::canonicalize(&path)
        .or_else(|_| std::path::absolute(&path).map(|path| without_dots(&path)))
        .unwrap_or(path)
}

fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{absolute, parse};

    fn parts(text: &str) -> Option<(String, String)> {
        let folder = parse(text)?;
        Some((folder.host.display().to_string(), folder.guest))
    }

    #[test]
    fn both_paths_are_read() {
        let home = etcetera::home_dir().unwrap();
        let in_home = home.join("data").display().to_string();
        for (text, host, guest) in [
            ("./data:/srv/data", "./data", "/srv/data"),
            ("data:/srv/data//", "data", "/srv/data"),
            (r"C:\data:/srv", r"C:\data", "/srv"),
            ("~/data:/data", in_home.as_str(), "/data"),
            ("~:/data", home.to_str().unwrap(), "/data"),
            ("~ann/data:/data", "~ann/data", "/data"),
        ] {
            let expected = (host.to_owned(), guest.to_owned());
            assert_eq!(parts(text), Some(expected), "{text}");
        }
        for text in ["./data", "./data:srv", ":/srv", "./data:/", "./data://"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_has_one_path() {
        let there = tempfile::tempdir().unwrap();
        let root = dunce::canonicalize(there.path()).unwrap();
        std::fs::create_dir_all(root.join("lab/own")).unwrap();
        std::fs::create_dir(root.join("data")).unwrap();
        std::os::unix::fs::symlink("../data", root.join("lab/link")).unwrap();
        for (path, expected) in [
            ("own", "lab/own"),
            ("./own/", "lab/own"),
            ("../data", "data"),
            ("link/", "data"),
            ("./missing//", "lab/missing"),
            ("../missing/./a/../b", "missing/b"),
        ] {
            let found = absolute(&root.join("lab"), Path::new(path));
            assert_eq!(found, root.join(expected), "{path}");
            assert_eq!(found.to_str(), root.join(expected).to_str(), "{path}");
        }
        let elsewhere = absolute(&root, Path::new("/missing/../../x/"));
        assert_eq!(elsewhere.to_str(), Some("/x"));
    }
}
