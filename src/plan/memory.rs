//! How much memory a host needs for what is installed on it.
//!
//! The figures are measured: the share of physical memory (`Pss`) that the processes of each component
//! had right after `up` of the course's lab, one control plane and three workers, rounded up. Those of add-ons stand in
//! their definitions. The components' own requests are lower: they are what the scheduler keeps free, not what is used.

use crate::addon::{self, Addon};
use crate::model::{ClusterSpec, HostSpec, NetworkPlugin};

/// On every node, in MiB: kubelet 145, containerd and its shims 120, kube-proxy 110, pause 10.
const NODE: u64 = 385;
/// systemd, journald, sshd and logind 30; the kernel, and the files that programs are read from, are not
/// measured but what a small machine has to keep free for them.
const SYSTEM: u64 = 30 + 256;
const ETCD: u64 = 65;
/// API server 330, controller manager 100, scheduler 65, etcd 65.
const CONTROL_PLANE: u64 = 560;
/// kubeadm refuses a control plane with less than 1700 MiB (`ControlPlaneMem` in its constants), and
/// counts what the kernel leaves, which is about 100 MiB less than the machine has.
const CONTROL_PLANE_LEAST: u64 = 1700 + 100;
const FLANNEL: u64 = 30;
const NODE_LOCAL_DNS: u64 = 40;
const COREDNS: u64 = 50;

/// Returns the memory in MiB that a host needs for its role and the cluster's components, without
/// anything of the user's.
pub fn need(cluster: &ClusterSpec, host: &HostSpec) -> u64 {
    if !host.roles.is_node() {
        return SYSTEM + ETCD;
    }
    let mut mib = SYSTEM + NODE;
    let mut add = |is_there: bool, share: u64| mib += if is_there { share } else { 0 };
    add(cluster.network.plugin == NetworkPlugin::Flannel, FLANNEL);
    add(cluster.dns.node_local_address.is_some(), NODE_LOCAL_DNS);
    add(true, COREDNS);
    let takes_workloads = host.roles.worker || cluster.workers().next().is_none();
    for Addon { memory, .. } in addon::all().iter().filter(|it| cluster.has(it)) {
        mib += memory.each_node;
        if takes_workloads {
            mib += memory.each_worker + memory.one_worker;
        }
    }
    if host.roles.control_plane {
        return (mib + CONTROL_PLANE).max(CONTROL_PLANE_LEAST);
    }
    mib + if host.roles.etcd { ETCD } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::need;
    use crate::model::{Addons, NetworkPlugin};
    use crate::plan::tests::fixture::Fixture;

    #[test]
    fn a_host_needs_memory_for_its_role_and_the_add_ons() {
        let mut cluster = Fixture::without_playbooks().cluster;
        let needs = |cluster: &crate::model::ClusterSpec| -> Vec<u64> {
            cluster.hosts.iter().map(|it| need(cluster, it)).collect()
        };
        cluster.addons = Addons::default();
        cluster.dns.node_local_address = None;
        cluster.network.plugin = NetworkPlugin::Cilium;
        assert_eq!(needs(&cluster), [1800, 906, 906]);
        cluster.network.plugin = NetworkPlugin::Flannel;
        // kubeadm's own limit is higher than what the control plane takes.
        assert_eq!(needs(&cluster), [1800, 751, 751]);
        let metrics_server = cluster.addons.defined.get_mut("metrics_server");
        metrics_server.unwrap().enabled = true;
        assert_eq!(needs(&cluster), [1800, 816, 816]);
        // What runs on every node runs on the control plane too, which has room for it.
        let victoria_logs = cluster.addons.defined.get_mut("victoria_logs");
        victoria_logs.unwrap().enabled = true;
        assert_eq!(needs(&cluster), [1800, 886, 886]);
        cluster.addons.defined.remove("victoria_logs");
        // A control plane that is a worker as well takes all the add-ons; a host that only runs etcd has nothing else.
        cluster.hosts[0].roles.worker = true;
        cluster.hosts[1].roles.worker = false;
        cluster.hosts[1].roles.etcd = true;
        assert_eq!(needs(&cluster), [1800, 351, 816]);
    }
}
