//! What a node is like apart from Kubernetes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What has kept clusters from working, and is not for kinstall to decide: said before it bites.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Milliseconds since 1970 when the agent greeted.
    pub clock: i64,
    /// Milliseconds that the node's clock is ahead of the controller's, which is who finds that out.
    pub clock_ahead: i64,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// Largest packet, by interface.
    pub mtus: BTreeMap<String, u32>,
    /// Size of the file system that holds `/var/lib`.
    pub disk_size_mib: u64,
    /// `fs.inotify.max_user_instances`; containers share it with their computer.
    pub inotify_instances: u32,
    /// Files of the user's or of another installer's that make kinstall's units start something else.
    pub drop_ins: Vec<String>,
    /// The same of packages, below `/etc/systemd/system`, where a link to `/dev/null` switches each off:
    /// `kubelet.service.d/10-kubeadm.conf`.
    pub packaged_drop_ins: Vec<String>,
    /// Folders below `/etc/containerd/certs.d` that kinstall made: the names of registries.
    pub registries: Vec<String>,
    /// nftables chains that drop packets which no rule of theirs accepts: `ip filter FORWARD`.
    pub dropping_chains: Vec<String>,
}
