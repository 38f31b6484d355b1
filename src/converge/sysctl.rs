//! Kernel parameters.

use std::fs;
use std::io;

use super::draft;
use super::error::FileContext;
use super::sysctl_files::{self, Setting, live_path};
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Sysctl};

/// Where values are kept for the next boot.
const PERSISTED: &str = "/etc/sysctl.d/99-zz-kinstall.conf";

/// The parameter now and after a boot.
#[derive(Debug)]
pub struct Observed {
    /// `None` where the kernel hasn't got it (yet: its module may not be loaded).
    live: Option<String>,
    /// The last of all files' settings.
    at_boot: Option<Setting>,
}

impl Converge for Sysctl {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let path = node.path(&live_path(&self.key));
        let live = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            result => Some(result.doing("read", &path)?),
        };
        Ok(Observed {
            live,
            at_boot: sysctl_files::last(&self.key, node),
        })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let wanted = normal(&self.value);
        let live = observed.live.as_deref().map(normal);
        let at_boot = observed.at_boot.as_ref();
        let boot_value = at_boot.map(|setting| normal(&setting.value));
        // Another file's word is good as long as it says the same.
        let shown = at_boot.map(|Setting { file, value }| match file.as_str() {
            PERSISTED => normal(value),
            file => format!("{} by {file}", normal(value)),
        });
        [
            ("live value", live.clone(), live),
            ("value at boot", boot_value, shown),
        ]
        .into_iter()
        .filter(|(_, is, _)| is.as_ref() != Some(&wanted))
        .map(|(subject, is, shown)| {
            let action = if is.is_some() {
                Action::Update
            } else {
                Action::Create
            };
            Change::new(action, subject).values(shown, Some(wanted.clone()))
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

/// Returns the value that kinstall's own file gives a parameter.
pub(super) fn persisted(key: &str, node: &Node) -> Option<String> {
    let text = node.read_or_empty(PERSISTED);
    let line = text.lines().find(|line| is_about(line, key))?;
    line.split_once('=').map(|(_, value)| normal(value))
}

/// Returns what a parameter would be at boot without kinstall's own file.
pub(super) fn said_by_others(key: &str, node: &Node) -> Option<Setting> {
    sysctl_files::last_besides(PERSISTED, key, node)
}

/// Takes a parameter out of kinstall's own file.
pub(super) fn forget(key: &str, node: &Node) -> Result<(), ResourceError> {
    let text = node.read_or_empty(PERSISTED);
    let lines = text.split_inclusive('\n');
    let left: String = lines.filter(|line| !is_about(line, key)).collect();
    let path = node.path(PERSISTED);
    if left.is_empty() {
        fs::remove_file(&path).doing("remove", &path)
    } else {
        draft::rewrite(&path, left.as_bytes())
    }
}

impl Sysctl {
    pub(super) fn set(&self, node: &Node) -> Result<(), ResourceError> {
        let path = node.path(&live_path(&self.key));
        // Not create: a file under /proc/sys is there or the kernel doesn't know the parameter.
        let file = fs::OpenOptions::new().write(true).open(&path);
        file.and_then(|mut file| io::Write::write_all(&mut file, self.value.as_bytes()))
            .doing("set the kernel parameter", &path)
    }

    fn persist(&self, node: &Node) -> Result<(), ResourceError> {
        let old = node.read_or_empty(PERSISTED);
        let mut lines: Vec<&str> = old
            .lines()
            .filter(|line| !is_about(line, &self.key))
            .collect();
        let line = format!("{} = {}", self.key, normal(&self.value));
        lines.push(&line);
        lines.sort_unstable();
        draft::rewrite(&node.path(PERSISTED), (lines.join("\n") + "\n").as_bytes())?;
        match sysctl_files::last(&self.key, node) {
            Some(Setting { file, value }) if normal(&value) != normal(&self.value) => {
                Err(ResourceError::other(format!(
                    "`{file}` sets {} to {value} at every boot, after kinstall's file",
                    self.key
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Returns whether a line of kinstall's own file is about a parameter.
fn is_about(line: &str, key: &str) -> bool {
    line.split_once('=').is_some_and(|(it, _)| it.trim() == key)
}

/// `"1\t2  3\n"` and `"1 2 3"` are the same value.
pub(super) fn normal(value: &str) -> String {
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
    fn a_file_that_is_read_later_is_seen_and_named() {
        let root = tempfile::tempdir().unwrap();
        let hardening = "/etc/sysctl.d/99-hardening.conf";
        let mut node = node_with(&root, "/proc/sys/net/ipv4/ip_forward", "1\n");
        node_with(&root, hardening, "-net/ipv4/ip_forward=0\n");
        let forward = sysctl("net.ipv4.ip_forward", "1");
        let changes = forward.diff(&forward.probe(&node).unwrap());
        assert_eq!(changes.len(), 1);
        assert_eq!(
            changes[0].from.as_deref(),
            Some("0 by /etc/sysctl.d/99-hardening.conf")
        );
        forward.apply(&changes, &mut node).unwrap();
        assert!(forward.diff(&forward.probe(&node).unwrap()).is_empty());

        node_with(
            &root,
            "/usr/lib/sysctl.d/zzz.conf",
            "net.ipv4.ip_forward = 0\n",
        );
        let changes = forward.diff(&forward.probe(&node).unwrap());
        let error = forward.apply(&changes, &mut node).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/usr/lib/sysctl.d/zzz.conf` sets net.ipv4.ip_forward to 0 at every boot, after kinstall's file"
        );
    }

    #[test]
    fn another_file_that_says_the_same_is_enough() {
        let root = tempfile::tempdir().unwrap();
        let node = node_with(&root, "/proc/sys/net/ipv4/ip_forward", "1\n");
        node_with(&root, "/etc/sysctl.d/k8s.conf", "net.ipv4.ip_forward=1\n");
        let forward = sysctl("net.ipv4.ip_forward", "1");
        assert!(forward.diff(&forward.probe(&node).unwrap()).is_empty());
    }
}
