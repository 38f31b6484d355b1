//! Known complaints of programs: what is probably behind them, and what to do.

/// Finds a hint for a failed step.
pub fn find(message: &str, output: &[String]) -> Option<String> {
    KNOWN
        .iter()
        .find(|known| {
            known
                .all_of
                .iter()
                .all(|part| message.contains(part) || output.iter().any(|line| line.contains(part)))
        })
        .map(|known| known.hint.to_owned())
}

struct Known {
    /// Parts of the message or of the output, in any line.
    all_of: &'static [&'static str],
    hint: &'static str,
}

/// The more special ones first.
const KNOWN: &[Known] = &[
    Known {
        all_of: &["no space left on the file system"],
        hint: "free that much on the file system that is named, or give the node a larger disk; `kinstall up` then goes on where it stopped",
    },
    Known {
        all_of: &["o space left on device"],
        hint: "the disk is full: see `df -h` on the node, free some space; `kinstall up` then goes on where it stopped",
    },
    Known {
        all_of: &["bundle part damaged"],
        hint: "the bundle on this computer differs from its manifest; `kinstall bundle build` repairs it",
    },
    Known {
        all_of: &["[ERROR Port-"],
        hint: "another program, or an earlier cluster, listens on a port that Kubernetes needs; `ss -lptn` on the node shows which; a node of an earlier cluster is cleared by `kubeadm reset`",
    },
    Known {
        all_of: &["[ERROR FileAvailable-"],
        hint: "the node has files of an earlier cluster; if you don't need it, run `kubeadm reset` on the node",
    },
    Known {
        all_of: &["[ERROR DirAvailable-"],
        hint: "the node has data of an earlier cluster; if you don't need it, run `kubeadm reset` on the node",
    },
    Known {
        all_of: &["[ERROR Swap]"],
        hint: "swap is on; `swapoff -a` on the node and no swap in its /etc/fstab; in a container it is the machine's own",
    },
    Known {
        all_of: &["[ERROR NumCPU]"],
        hint: "a control plane needs 2 CPUs",
    },
    Known {
        all_of: &["[ERROR Mem]"],
        hint: "a control plane needs 1700 MB of memory",
    },
    Known {
        all_of: &["[ERROR SystemVerification]", "cgroup"],
        hint: "the node runs on cgroup v1, or lacks a controller that the kubelet needs; boot it with cgroup v2 (`systemd.unified_cgroup_hierarchy=1`)",
    },
    Known {
        all_of: &["[ERROR CRI]"],
        hint: "containerd does not answer; `systemctl status containerd` and `journalctl -u containerd` on the node tell why",
    },
    Known {
        all_of: &["[ERROR ImagePull]"],
        hint: "an image that kubeadm wants is not on the node: the bundle's Kubernetes version differs from the cluster's",
    },
    Known {
        all_of: &["[ERROR FileContent--proc-sys-net-ipv4-ip_forward]"],
        hint: "something on the node switches IP forwarding off again; look for net.ipv4.ip_forward in /etc/sysctl.d",
    },
    Known {
        all_of: &["kubelet", "not healthy"],
        hint: "the kubelet does not start; `journalctl -u kubelet` on the node tells why (often: cgroups, swap, containerd)",
    },
    Known {
        all_of: &["Could not get lock"],
        hint: "another package manager runs on the node (unattended-upgrades?); wait for it, then run `kinstall up` again",
    },
    Known {
        all_of: &["dpkg was interrupted"],
        hint: "run `dpkg --configure -a` on the node, then `kinstall up` again",
    },
    Known {
        all_of: &["Unable to locate package"],
        hint: "the node's package sources do not have it; check /etc/apt/sources.list* and that the node reaches its mirror",
    },
    Known {
        all_of: &["Temporary failure resolving"],
        hint: "the node can't resolve names, so it can't reach its package mirror; check its /etc/resolv.conf",
    },
    Known {
        all_of: &["containerd.sock", "connect"],
        hint: "containerd is not running; `journalctl -u containerd` on the node tells why",
    },
    Known {
        all_of: &["ctr", "failed to extract layer"],
        hint: "a layer can't be unpacked: the disk is full, or the snapshotter can't work here (overlay on overlay?); /var/lib/containerd must be on an ordinary file system",
    },
    Known {
        all_of: &["ctr", "mismatched"],
        hint: "an image's part is damaged; `kinstall bundle build` repairs the bundle",
    },
    Known {
        all_of: &["ctr", "not found"],
        hint: "containerd lost a part of an image that it had; run `kinstall up` again",
    },
    Known {
        all_of: &["modprobe", "not found in directory"],
        hint: "the kernel has no such module; install the distribution's extra modules, or boot the kernel that /lib/modules belongs to",
    },
    Known {
        all_of: &["set the kernel parameter", "Read-only file system"],
        hint: "the node is a container that must not change this parameter; set it on the machine that runs it",
    },
    Known {
        all_of: &["accepts connections", "not reached"],
        hint: "from the node that address and port can't be reached: is the API server running, and does a firewall on either side (nft, iptables, ufw, firewalld, a cloud's security group) let the port through?",
    },
    Known {
        all_of: &["too many open files"],
        hint: "the kernel's limit for file watchers is used up: `sysctl fs.inotify.max_user_instances=8192` (on the computer that runs containers), for good in /etc/sysctl.d",
    },
    Known {
        all_of: &["failed to find plugin"],
        hint: "the node's container runtime uses a pod network that isn't this cluster's: look into its folder of CNI configurations",
    },
    Known {
        all_of: &["ends again and again"],
        hint: "its last output is above; `journalctl -u UNIT` on the node has the rest",
    },
    Known {
        all_of: &["does not answer"],
        hint: "the API server is not running or not reachable from the node; `crictl ps -a` or `journalctl -u kubelet` on the control plane tell why",
    },
    Known {
        all_of: &["swapoff", "Cannot allocate memory"],
        hint: "what is swapped out does not fit into memory; stop something on the node first",
    },
];

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn complaints_are_recognised() {
        let kubeadm = [
            "error execution phase preflight: [preflight] Some fatal errors occurred:".to_owned(),
            "\t[ERROR Port-10250]: Port 10250 is in use".to_owned(),
        ];
        let message = "`kubeadm join --config /x` ended with exit code 1";
        assert!(find(message, &kubeadm).unwrap().contains("ss -lptn"));
        let disk = "failed to write `/x`: No space left on device (os error 28)";
        assert!(find(disk, &[]).unwrap().contains("full"));
        let apt = ["E: Could not get lock /var/lib/dpkg/lock-frontend.".to_owned()];
        assert!(
            find("`apt-get` ended", &apt)
                .unwrap()
                .contains("package manager")
        );
        let watchers = ["couldn't initialize inotify: too many open files".to_owned()];
        let hint = find("`sh` ended with exit code 1", &watchers).unwrap();
        assert!(hint.contains("fs.inotify.max_user_instances"));
        assert_eq!(find("something else", &[]), None);
    }
}
