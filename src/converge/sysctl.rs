//! Kernel parameters.

use std::fs;
use std::io;

use super::draft;
use super::error::FileContext;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Sysctl};

/// Where values are kept for the next boot.
const PERSISTED: &str = "/etc/sysctl.d/90-kinstall.conf";

/// The parameter now and after a boot.
#[derive(Debug)]
pub struct Observed {
    /// `None` where the kernel hasn't got it (yet: its module may not be loaded).
    live: Option<String>,
    persisted: Option<String>,
}

impl Converge for Sysctl {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let path = node.path(&self.live_path());
        let live = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            result => Some(result.doing("read", &path)?),
        };
        let persisted = node
            .read_or_empty(PERSISTED)
            .lines()
            .filter_map(|line| line.split_once('='))
            .filter(|(key, _)| key.trim() == self.key)
            .map(|(_, value)| value.trim().to_owned())
            .next_back();
        Ok(Observed { live, persisted })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let wanted = normal(&self.value);
        [
            ("live value", &observed.live),
            ("value at boot", &observed.persisted),
        ]
        .into_iter()
        .filter(|(_, is)| is.as_deref().map(normal).as_ref() != Some(&wanted))
        .map(|(subject, is)| {
            let action = if is.is_some() {
                Action::Update
            } else {
                Action::Create
            };
            let from = is.as_deref().map(normal);
            Change::new(action, subject).values(from, Some(wanted.clone()))
        })
        .collect()
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        for change in changes {
            if change.subject == "live value" {
                self.set(node)?;
            } else {
                self.persist(node)?;
            }
        }
        Ok(())
    }
}

impl Sysctl {
    fn set(&self, node: &Node) -> Result<(), ResourceError> {
        let path = node.path(&self.live_path());
        // Not create: a file under /proc/sys is there or the kernel doesn't know the parameter.
        let file = fs::OpenOptions::new().write(true).open(&path);
        file.and_then(|mut file| io::Write::write_all(&mut file, self.value.as_bytes()))
            .doing("set the kernel parameter", &path)
    }

    fn persist(&self, node: &Node) -> Result<(), ResourceError> {
        let old = node.read_or_empty(PERSISTED);
        let mut lines: Vec<&str> = old
            .lines()
            .filter(|line| {
                line.split_once('=')
                    .is_none_or(|(key, _)| key.trim() != self.key)
            })
            .collect();
        let line = format!("{} = {}", self.key, normal(&self.value));
        lines.push(&line);
        lines.sort_unstable();
        draft::rewrite(&node.path(PERSISTED), (lines.join("\n") + "\n").as_bytes())
    }

    /// Dots and slashes change places: `net.ipv4.conf.eth0/1.rp_filter` is about the interface `eth0.1`.
    fn live_path(&self) -> String {
        let path: String = self
            .key
            .chars()
            .map(|letter| match letter {
                '.' => '/',
                '/' => '.',
                other => other,
            })
            .collect();
        format!("/proc/sys/{path}")
    }
}

/// `"1\t2  3\n"` and `"1 2 3"` are the same value.
fn normal(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node_with(root: &tempfile::TempDir, path: &str, value: &str) -> Node {
        let node = Node::at(root.path());
        let path = node.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value).unwrap();
        node
    }

    fn sysctl(key: &str, value: &str) -> Sysctl {
        Sysctl {
            key: key.into(),
            value: value.into(),
        }
    }

    #[test]
    fn live_and_persisted_are_two_changes() {
        let root = tempfile::tempdir().unwrap();
        let mut node = node_with(&root, "/proc/sys/net/ipv4/ip_forward", "0\n");
        let forward = sysctl("net.ipv4.ip_forward", "1");
        let changes = forward.diff(&forward.probe(&node).unwrap());
        let subjects: Vec<_> = changes
            .iter()
            .map(|change| change.subject.as_str())
            .collect();
        assert_eq!(subjects, ["live value", "value at boot"]);
        forward.apply(&changes, &mut node).unwrap();
        assert!(forward.diff(&forward.probe(&node).unwrap()).is_empty());
        assert_eq!(node.read_or_empty(PERSISTED), "net.ipv4.ip_forward = 1\n");
    }

    #[test]
    fn a_fitting_live_value_is_not_written() {
        let root = tempfile::tempdir().unwrap();
        let mut node = node_with(&root, "/proc/sys/net/ipv4/tcp_rmem", "1\t2  3\n");
        let memory = sysctl("net.ipv4.tcp_rmem", "1 2 3");
        let changes = memory.diff(&memory.probe(&node).unwrap());
        assert_eq!(changes.len(), 1);
        memory.apply(&changes, &mut node).unwrap();
        assert_eq!(
            node.read_or_empty("/proc/sys/net/ipv4/tcp_rmem"),
            "1\t2  3\n"
        );
    }

    #[test]
    fn other_parameters_keep_their_lines() {
        let root = tempfile::tempdir().unwrap();
        let node = node_with(&root, PERSISTED, "b = 2\na = 1\n");
        sysctl("a", "9").persist(&node).unwrap();
        assert_eq!(node.read_or_empty(PERSISTED), "a = 9\nb = 2\n");
    }

    #[test]
    fn interface_names_may_hold_dots() {
        let path = sysctl("net.ipv4.conf.eth0/1.rp_filter", "0").live_path();
        assert_eq!(path, "/proc/sys/net/ipv4/conf/eth0.1/rp_filter");
    }
}
