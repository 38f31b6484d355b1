//! Earlier agents: each kinstall build leaves its own on the node; only a few are worth their room.

use std::fs;
use std::path::Path;

use crate::resource::Sha256;

/// Agents kept: this one and the one before.
const KEPT: usize = 2;

/// Removes the oldest agents beside this one. A program whose name isn't a digest is no agent, and
/// where this one isn't either (a test, a build folder), nothing is touched.
pub fn remove(this: &Path) {
    let is_agent = |path: &Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.parse::<Sha256>().is_ok())
    };
    let Some(folder) = this.parent().filter(|_| is_agent(this)) else {
        return;
    };
    let mut agents: Vec<_> = folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_agent(path) && path != this)
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect();
    agents.sort();
    agents.reverse();
    for (_, path) in agents.iter().skip(KEPT - 1) {
        // It only takes room; the next run tries again.
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn this_agent_and_the_newest_other_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = |text: &str| folder.path().join(Sha256::of(text.as_bytes()).to_string());
        for (age, name) in ["new", "old", "older", "this"].into_iter().enumerate() {
            let file = fs::File::create(path(name)).unwrap();
            let age = Duration::from_hours(age as u64);
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        fs::write(folder.path().join("kinstall"), "").unwrap();
        remove(&folder.path().join("kinstall"));
        assert_eq!(folder.path().read_dir().unwrap().count(), 5);
        remove(&path("this"));
        assert_eq!(folder.path().read_dir().unwrap().count(), 3);
        assert!(path("this").exists() && path("new").exists());
    }
}
