//! Where etcd runs: in static pods of the control planes, or as a service of hosts that the inventory names.

use serde::Serialize;

use super::read::Reader;
use crate::inventory::{Host, Inventory};

/// Where kubeadm has the data of its static pods, and what `kubeadm reset` empties: no service keeps its data there.
const KUBEADMS: &str = "/var/lib/etcd";
const OWN: &str = "/var/lib/etcd-data";

/// The cluster's etcd; all of its members are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Etcd {
    /// Each host of `[etcd]` runs it as a service; else each control plane as a static pod, as kubeadm has it.
    pub on_hosts: bool,
    /// `etcd_data_dir`: where such a service keeps its data.
    pub data_dir: String,
}

impl Default for Etcd {
    fn default() -> Self {
        Self {
            on_hosts: false,
            data_dir: OWN.to_owned(),
        }
    }
}

impl Etcd {
    /// Reads it for a cluster of which it is known already who runs etcd.
    pub(super) fn read(reader: &mut Reader<'_>, on_hosts: bool) -> Self {
        let usual = Self {
            on_hosts,
            ..Self::default()
        };
        let name = "etcd_data_dir";
        let Some(value) = reader.value(name) else {
            return usual;
        };
        let Some(path) = value.text().map(|it| it.trim_end_matches('/')) else {
            reader.wrong_kind(name, &value, "a path");
            return usual;
        };
        if path == KUBEADMS {
            // kubespray's default.
            return usual;
        }
        if !on_hosts {
            reader.warning(
                &value.location,
                format!("`{name}` has no effect: etcd runs on the control planes with kubeadm's settings"),
                "no effect",
                format!("its data is in {KUBEADMS}"),
            );
            return usual;
        }
        let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-".contains(it);
        let parts = path.split('/').skip(1);
        let is_path = path.starts_with('/')
            && path.chars().all(is_plain)
            && parts.clone().count() > 1
            && parts.clone().all(|part| !["", ".", ".."].contains(&part));
        let of_others = [KUBEADMS, "/var/lib/kubelet", "/etc/kubernetes"];
        let is_others =
            |folder: &&&str| path == **folder || path.starts_with(&format!("{folder}/"));
        if !is_path {
            reader.wrong_kind(
                name,
                &value,
                "an absolute path of letters, digits and `._-`",
            );
        } else if let Some(folder) = of_others.iter().find(is_others) {
            reader.error(
                &value.location,
                format!("etcd can't keep its data in `{path}`"),
                "not safe there",
                format!("`kubeadm reset` empties {folder}: leave the variable out to get {OWN}"),
            );
        }
        Self {
            on_hosts,
            data_dir: path.to_owned(),
        }
    }
}

/// Tells whether the inventory has etcd on other hosts than exactly the control planes.
pub fn is_on_hosts(inventory: &Inventory) -> bool {
    let control_planes = inventory.hosts_in("kube_control_plane");
    let members = inventory.hosts_in("etcd");
    let is_in = |hosts: &[&Host], host: &Host| hosts.iter().any(|other| other.name == host.name);
    let is_same = members.len() == control_planes.len()
        && members.iter().all(|host| is_in(&control_planes, host));
    !members.is_empty() && !control_planes.is_empty() && !is_same
}
