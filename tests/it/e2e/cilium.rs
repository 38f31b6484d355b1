//! A pod network that enforces policies: between nodes on one kernel, again with a new agent, and gone after a reset.

use super::kinstall::{Kinstall, eventually};
use super::lived_before::on_node;

const INVENTORY: &str = include_str!("cilium.ini");

/// What cilium leaves its traces in. The computer's own parameters stay as they are.
const TRACES: &str = "
ls /sys/class/net | grep -E '^(cilium|lxc)' || true
cut -d' ' -f2 /proc/self/mounts | grep cilium || true
ls -d /run/cilium /etc/cni/kinstall.d/* 2> /dev/null || true
ip rule list | wc -l
cat /proc/sys/kernel/unprivileged_bpf_disabled /proc/sys/kernel/timer_migration
";

#[test]
#[ignore = "needs root and a bundle with cilium: `./test cilium`"]
fn cilium_enforces_policies() {
    let lab = Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    lab.run(&["plan"]).expect_code(0);
    let verified = lab.ok(&["verify"]);
    assert!(verified.contains("network policies"), "{verified}");

    // Pods that run go on with the next agent.
    lab.kubectl(&["delete", "pods", "-n", "kube-system", "-l", "app=cilium"]);
    lab.kubectl(&["rollout", "status", "daemonset/cilium", "-n", "kube-system"]);
    lab.ok(&["verify"]);

    lab.edit("inventory.ini", "=cilium", "=flannel");
    let refused = lab.run(&["up"]);
    let said = refused.stderr();
    refused.expect_code(3);
    assert!(said.contains("cilium connects the pods"), "{said}");
    let kept = std::fs::read_to_string(lab.path(".kinstall/lab.json")).unwrap();
    assert!(kept.contains("\"cilium\""), "{kept}");
    // Where the inventory leaves it open, the cluster keeps what it has.
    lab.edit("inventory.ini", "=flannel", "=calico");
    lab.run(&["plan"]).expect_code(0);

    lab.ok(&["reset", "--yes"]);
    for node in ["controll-plane", "node1"] {
        let left = on_node(&lab, node, TRACES);
        let computer = ["unprivileged_bpf_disabled", "timer_migration"]
            .map(|it| std::fs::read_to_string(format!("/proc/sys/kernel/{it}")).unwrap());
        assert_eq!(left, format!("3\n{}", computer.concat()), "{node}");
    }
    lab.edit("inventory.ini", "=calico", "=flannel");
    lab.ok(&["up"]);
    lab.ok(&["verify", "--quick"]);
    eventually("nothing is left to do", 60, || {
        lab.run(&["plan"]).output.status.success()
    });
}
