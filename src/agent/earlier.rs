//! Earlier agents: each kinstall build leaves its own on the node; only a few are worth their room.

use std::fs;
use std::path::Path;

use crate::converge::Node;
use crate::resource::Sha256;

/// The unit that runs an agent as the proxy to the API servers.
const PROXY_UNIT: &str = "/etc/systemd/system/kinstall-api-proxy.service";

/// Agents kept: this one and the one before.
const KEPT: usize = 2;

/// Removes the oldest agents beside this one; the one that the node's proxy starts from stays. A program whose name isn't a digest is no agent, and
/// where this one isn't either (a test, a build folder), nothing is touched.
pub fn remove(this: &Path, node: &Node) {
    let is_agent = |path: &Path| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.parse::<Sha256>().is_ok())
    };
    let Some(folder) = this.parent().filter(|_| is_agent(this)) else {
        return;
    };
    let unit = node.read_or_empty(PROXY_UNIT);
    let mut agents: Vec<_> = folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| is_agent(path) && path != this)
        .filter(|path| !unit.contains(&*path.to_string_lossy()))
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
    fn this_agent_the_newest_other_and_the_proxys_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = |text: &str| folder.path().join(Sha256::of(text.as_bytes()).to_string());
        for (age, name) in ["new", "old", "older", "this"].into_iter().enumerate() {
            let file = fs::File::create(path(name)).unwrap();
            let age = Duration::from_hours(age as u64);
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        fs::write(folder.path().join("kinstall"), "").unwrap();
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let unit = node.path(PROXY_UNIT);
        fs::create_dir_all(unit.parent().unwrap()).unwrap();
        let text = format!("ExecStart={} api-proxy\n", path("older").display());
        fs::write(&unit, text).unwrap();
        remove(&folder.path().join("kinstall"), &node);
        assert_eq!(folder.path().read_dir().unwrap().count(), 5);
        remove(&path("this"), &node);
        assert_eq!(folder.path().read_dir().unwrap().count(), 4);
        assert!(["this", "new", "older"].iter().all(|it| path(it).exists()));
    }
}
