//! `kinstall reset`: machines are as they were before there was a cluster, apart from what is installed.

use super::kinstall::{Kinstall, eventually};
use super::lived_before::on_node;

const NODES: [&str; 3] = ["controll-plane", "node1", "node2"];

/// What Kubernetes leaves its traces in.
const STATE: &str = "
for folder in /etc/kubernetes /etc/cni/kinstall.d /var/lib/cni /var/lib/etcd /var/lib/kubelet /run/flannel /run/netns \
    /var/log/pods /var/log/containers /root/.kube/config; do
  [ ! -e $folder ] || find $folder ! -type d
done | sort
cut -d' ' -f2 /proc/self/mounts | grep -v ^/run/user/ | sort
ls /sys/class/net
ip -oneline address | awk '{ print $2, $4 }'
nft list tables | sort
grep -l kubepods /proc/[0-9]*/cgroup || true
for unit in kubelet kinstall-api-proxy; do systemctl is-active $unit || true; done
";

/// What isn't Kubernetes' own, in places that it uses as well; a backup, and what a restore that was killed needs no more.
const OF_OTHERS: &str = "
mkdir -p /etc/cni/net.d
echo '{\"cniVersion\":\"0.3.1\",\"name\":\"other\",\"plugins\":[{\"type\":\"bridge\"}]}' > /etc/cni/net.d/99-other.conflist
nft add table ip other
nft add chain ip other input '{ type filter hook input priority 10; }'
nft add rule ip other input tcp dport 4444 drop
ip link add other type bridge
mkdir -p /var/backups/kinstall-etcd /var/lib/kinstall/restore
touch /var/backups/kinstall-etcd/kept /var/lib/kinstall/restore/snapshot.db
";
const ARE_THERE: &str = "
test -e /etc/cni/net.d/99-other.conflist
nft list table ip other | grep 4444
ip link show other
test -e /var/backups/kinstall-etcd/kept
test ! -e /var/lib/kinstall/restore
";
const GO: &str = "rm /etc/cni/net.d/99-other.conflist; nft delete table ip other; ip link delete other; \
     rm /var/backups/kinstall-etcd/kept";

/// What each machine is like before it is a node.
pub struct Fresh(Vec<String>);

impl Fresh {
    pub fn of(lab: &Kinstall) -> Self {
        Self(NODES.map(|node| on_node(lab, node, STATE)).into())
    }

    /// Takes Kubernetes off all machines, one of them with a containerd that is dead, and makes the cluster again.
    pub fn is_what_a_reset_leaves(&self, lab: &Kinstall) {
        on_node(lab, "node1", OF_OTHERS);
        let program = "/usr/local/bin/containerd";
        on_node(
            lab,
            "node2",
            &format!("mv {program} {program}.away; systemctl kill --signal=KILL containerd"),
        );
        let asked = lab.run(&["reset"]);
        asked.expect_code(130);
        assert!(
            asked.stderr().contains("nftables table ip kube-proxy"),
            "{}",
            asked.stderr()
        );
        lab.ok(&["reset", "--yes"]);
        on_node(lab, "node2", &format!("mv {program}.away {program}"));
        on_node(lab, "node1", ARE_THERE);
        on_node(lab, "node1", GO);
        for (node, fresh) in NODES.iter().zip(&self.0) {
            // The kernel takes a pod's interface away some time after the last process of the pod has ended.
            let mut left = String::new();
            for _ in 0..20 {
                left = on_node(lab, node, STATE);
                if left == *fresh {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(500));
            }
            assert_eq!(left, *fresh, "{node}");
        }
        lab.ok(&["up"]);
        eventually("all nodes are ready", 60, || {
            let nodes = lab.kubectl(&["get", "nodes", "--no-headers"]);
            nodes
                .lines()
                .filter(|line| line.contains(" Ready "))
                .count()
                == NODES.len()
        });
    }
}

#[test]
#[ignore = "needs root and a bundle: `./test lifecycle`"]
fn a_cluster_comes_and_goes_on_the_same_machines_ten_times() {
    let lab = super::lived_before::lab();
    super::lived_before::machines_without_a_cluster(&lab);
    let fresh = Fresh::of(&lab);
    lab.ok(&["up"]);
    for _ in 0..10 {
        fresh.is_what_a_reset_leaves(&lab);
    }
}
