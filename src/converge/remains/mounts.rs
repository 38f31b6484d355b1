//! Mounts of pods, and their network namespaces.

use super::Remain;
use crate::converge::error::FileContext;
use crate::converge::program::Program;
use crate::converge::{Node, ResourceError};

/// Folders with mounts of the kubelet, of its containers and of cilium. What the administrator mounted at the folder itself stays.
const FOLDERS: [&str; 5] = [
    "/var/lib/kubelet/",
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/",
    "/run/containerd/io.containerd.grpc.v1.cri/",
    "/run/netns/cni-",
    "/run/cilium/",
];
/// Where containerd keeps pods' network namespaces.
const NAMESPACES: &str = "/run/netns";

/// Finds them, the innermost first.
pub(super) fn find(node: &Node) -> Vec<Remain> {
    let mut paths: Vec<String> = node
        .read_or_empty("/proc/self/mounts")
        .lines()
        .filter_map(|line| Some(unescaped(line.split(' ').nth(1)?)))
        .filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)))
        .collect();
    paths.sort();
    paths.reverse();
    let mounts = paths.into_iter().map(Remain::Mount);
    let entries = node.path(NAMESPACES).read_dir().into_iter().flatten();
    let names = entries.flatten().map(|entry| entry.file_name());
    let names = names.filter_map(|name| name.to_str().map(str::to_owned));
    let mut namespaces: Vec<String> = names.filter(|name| name.starts_with("cni-")).collect();
    namespaces.sort();
    let path = |name: String| Remain::NetworkNamespace(format!("{NAMESPACES}/{name}"));
    mounts.chain(namespaces.into_iter().map(path)).collect()
}

/// Removes them; who still uses a mount keeps it until the end.
pub(super) fn remove(found: &[Remain], node: &Node) -> Result<(), ResourceError> {
    for it in found {
        match it {
            Remain::Mount(path) => Program::new(["umount", "--lazy", path])
                .output(node)
                .map(drop)?,
            Remain::NetworkNamespace(path) => {
                let path = node.path(path);
                std::fs::remove_file(&path).doing("remove", &path)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The kernel writes spaces and the like as `\\040`.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..3).and_then(|it| std::str::from_utf8(it).ok());
        let escaped = digits.and_then(|it| u8::from_str_radix(it, 8).ok());
        if let Some(byte) = escaped.filter(|_| *first == b'\\') {
            bytes.push(byte);
            rest = &tail[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::Remain;
    use super::find;
    use crate::converge::Node;

    #[test]
    fn the_innermost_mounts_come_first_and_the_administrators_stay() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        fs::create_dir_all(node.path("/proc/self")).unwrap();
        let mounts = "/dev/vdb /var/lib/kubelet ext4 rw 0 0\n\
            tmpfs /var/lib/kubelet/pods/1/volumes/a\\040b tmpfs rw 0 0\n\
            tmpfs /var/lib/kubelet/pods/1/volumes/a\\040b/inner tmpfs rw 0 0\n\
            none /run/cilium/bpf/maps bpf rw 0 0\nnsfs /run/netns/cni-1 nsfs rw 0 0\nnsfs /run/netns/blue nsfs rw 0 0\n\
            overlay /run/containerd/io.containerd.runtime.v2.task/moby/1/rootfs overlay rw 0 0\n";
        fs::write(node.path("/proc/self/mounts"), mounts).unwrap();
        fs::create_dir_all(node.path("/run/netns")).unwrap();
        fs::write(node.path("/run/netns/cni-1"), "").unwrap();
        fs::write(node.path("/run/netns/blue"), "").unwrap();
        let titles: Vec<String> = find(&node).iter().map(Remain::title).collect();
        assert_eq!(
            titles,
            [
                "mount /var/lib/kubelet/pods/1/volumes/a b/inner",
                "mount /var/lib/kubelet/pods/1/volumes/a b",
                "mount /run/netns/cni-1",
                "mount /run/cilium/bpf/maps",
                "network namespace /run/netns/cni-1",
            ]
        );
    }
}
