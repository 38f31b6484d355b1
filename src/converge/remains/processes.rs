//! Processes of pods, and the shims that look after them.

use std::fs;

use super::Remain;
use crate::converge::program::Program;
use crate::converge::{Node, ResourceError};

/// Finds them, pods' processes first: a shim that is gone reaps nothing.
pub(super) fn find(node: &Node) -> Vec<Remain> {
    let entries = node.path("/proc").read_dir().into_iter().flatten();
    let mut ids: Vec<u32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    let (mut pods, mut shims) = (Vec::new(), Vec::new());
    for id in ids {
        let folder = node.path(&format!("/proc/{id}"));
        // One that ended meanwhile is none.
        let text = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
        let arguments = text("cmdline");
        let arguments: Vec<String> = arguments
            .split(|byte| *byte == 0)
            .map(|argument| String::from_utf8_lossy(argument).into_owned())
            .collect();
        let title = arguments.first().cloned().unwrap_or_default();
        if is_of_a_pod(&String::from_utf8_lossy(&text("cgroup"))) && !is_dead(&text("stat")) {
            pods.push(Remain::Process { id, title });
        } else if is_shim(&arguments) {
            shims.push(Remain::Process { id, title });
        }
    }
    pods.extend(shims);
    pods
}

/// Kills them.
pub(super) fn kill(found: &[Remain], node: &Node) -> Result<(), ResourceError> {
    let ids = found.iter().filter_map(|it| match it {
        Remain::Process { id, .. } => Some(id.to_string()),
        _ => None,
    });
    let mut argv = vec!["kill".to_owned(), "-KILL".to_owned()];
    argv.extend(ids);
    // It fails for those that ended by themselves.
    Program::new(argv).capture(node).map(drop)
}

/// The kubelet's control groups: `kubepods.slice/…` with systemd, `kubepods/…` without.
fn is_of_a_pod(control_groups: &str) -> bool {
    let paths = control_groups
        .lines()
        .filter_map(|line| line.splitn(3, ':').nth(2));
    let mut parts = paths.flat_map(|path| path.split('/'));
    parts.any(|part| part == "kubepods" || part == "kubepods.slice")
}

/// The kubelet's containers are in this namespace of containerd's.
fn is_shim(arguments: &[String]) -> bool {
    let program = arguments.first().and_then(|path| path.rsplit('/').next());
    program.is_some_and(|it| it.starts_with("containerd-shim"))
        && arguments
            .windows(2)
            .any(|pair| pair == ["-namespace", "k8s.io"])
}

/// Ended, and only waits for its parent to take notice.
fn is_dead(stat: &[u8]) -> bool {
    let stat = String::from_utf8_lossy(stat);
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    matches!(state, Some('Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Remain;
    use super::find;
    use crate::converge::Node;

    #[test]
    fn only_pods_and_their_shims_are_found() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let shim = "/usr/local/bin/containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0x\0";
        let dockers = "/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0x\0";
        for (id, group, arguments, state) in [
            (10, "0::/system.slice/ssh.service\n", "sshd\0", 'S'),
            (11, "0::/system.slice/containerd.service\n", shim, 'S'),
            (12, "0::/system.slice/docker.service\n", dockers, 'S'),
            (
                13,
                "0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-1.scope\n",
                "/pause\0",
                'S',
            ),
            (
                14,
                "5:pids:/kubepods/besteffort/pod1/2\n1:name=systemd:/kubepods/x\n",
                "etcd\0--name=kubepods\0",
                'S',
            ),
            (15, "0::/user.slice/kubepods-notes\n", "editor\0", 'S'),
            (16, "0::/kubepods.slice/x\n", "", 'Z'),
        ] {
            let folder = node.path(&format!("/proc/{id}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("cgroup"), group).unwrap();
            fs::write(folder.join("cmdline"), arguments).unwrap();
            fs::write(folder.join("stat"), format!("{id} (a ) b) {state} 1 1")).unwrap();
        }
        let found: Vec<u32> = find(&node)
            .into_iter()
            .map(|it| match it {
                Remain::Process { id, .. } => id,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, [13, 14, 11]);
    }
}
