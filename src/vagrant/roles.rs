//! Who is what in the cluster: from the groups of an Ansible provisioner, else from the names.

use serde::Serialize;

use super::lab::machine::Machine;
use super::note::{self, Note, Notes};

/// What a machine is in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    ControlPlane,
    Worker,
    /// The control plane of a cluster without workers runs the workloads as well.
    Both,
    /// Not a node: a load balancer, a file server.
    Outside,
}

/// The roles, in the order of the machines, and how they were found.
pub struct Roles {
    pub by_machine: Vec<Role>,
    pub reason: String,
    /// Machines whose names decide nothing.
    guessed: Vec<usize>,
}

impl Roles {
    /// Says which machines `kinstall up` makes otherwise than Vagrant did, and which not at all.
    pub fn tell(&self, machines: &[Machine], notes: &mut Notes) {
        for index in &self.guessed {
            let (name, place) = (&machines[*index].name, &machines[*index].place);
            let role = match self.by_machine[*index] {
                Role::ControlPlane => "a control plane",
                Role::Both => "control plane and worker",
                Role::Worker | Role::Outside => "a worker",
            };
            let message =
                format!("{name}: no word of the name tells its role; it is taken as {role}");
            note::add(&mut notes.assumed, Note::new(place, message));
        }
        for (machine, role) in machines.iter().zip(&self.by_machine) {
            let name = &machine.name;
            if *role == Role::Outside {
                let message = format!(
                    "machine {name}: kinstall makes only nodes of the cluster; if it is to be one, \
                     write it into `[kube_node]`"
                );
                note::add(&mut notes.left_out, Note::new(&machine.place, message));
            } else if machine.is_manual {
                let message = format!("autostart is off: `kinstall up` starts {name} as well");
                note::add(&mut notes.assumed, Note::new(&machine.place, message));
            }
        }
    }

    /// Says where etcd runs, if the groups of Ansible have it elsewhere.
    pub fn tell_etcd(
        &self,
        machines: &[Machine],
        groups: &[(String, Vec<String>)],
        notes: &mut Notes,
    ) {
        let etcd = groups
            .iter()
            .filter(|it| it.0 == "etcd")
            .flat_map(|it| &it.1);
        let names: Vec<&String> = etcd.collect();
        let is_member = |machine: &&Machine| names.contains(&&machine.name);
        let is_other =
            |index: usize| !matches!(self.by_machine[index], Role::ControlPlane | Role::Both);
        let other = machines
            .iter()
            .enumerate()
            .find(|it| is_member(&it.1) && is_other(it.0));
        if let Some((_, machine)) = other {
            let message = "etcd runs on the control planes: the other members of the group `etcd` don't get it";
            note::add(&mut notes.left_out, Note::new(&machine.place, message));
        }
    }
}

/// Groups of control planes in inventories of kubespray and of other playbooks.
const CONTROL_PLANES: [&str; 12] = [
    "kube_control_plane",
    "kube-master",
    "kube_master",
    "control_plane",
    "control-plane",
    "controlplane",
    "controllers",
    "masters",
    "master",
    "k8s_master",
    "k8s-master",
    "managers",
];

const WORKERS: [&str; 9] = [
    "kube_node",
    "kube-node",
    "workers",
    "worker",
    "nodes",
    "node",
    "minions",
    "k8s_node",
    "k8s-node",
];

/// Parts of names of machines that stand beside a cluster, whatever else the name says.
const NEVER_NODES: [&str; 13] = [
    "ansible",
    "balancer",
    "bastion",
    "client",
    "desktop",
    "haproxy",
    "jump",
    "jumpbox",
    "lb",
    "loadbalancer",
    "proxy",
    "windows",
    "workstation",
];

/// Parts of names of machines with one task of their own, unless they are called masters as well.
const OWN_TASK: [&str; 7] = [
    "consul",
    "etcd",
    "installer",
    "router",
    "rr",
    "vault",
    "vyos",
];

/// Parts of names of machines that stand beside a cluster, unless they are called nodes.
const OUTSIDE: [&str; 17] = [
    "admin",
    "backup",
    "calico",
    "database",
    "db",
    "dns",
    "git",
    "gitlab",
    "grafana",
    "harbor",
    "jenkins",
    "monitoring",
    "nfs",
    "prometheus",
    "registry",
    "storage",
    "user",
];

/// Words of control planes and of workers, wherever they stand in a name.
const MASTER: [&str; 2] = ["master", "control"];
const WORKER: [&str; 5] = ["worker", "node", "minion", "agent", "slave"];

/// Finds the roles of all machines.
pub fn find(machines: &[Machine], groups: &[(String, Vec<String>)]) -> Roles {
    from_groups(machines, groups).unwrap_or_else(|| from_names(machines))
}

fn from_groups(machines: &[Machine], groups: &[(String, Vec<String>)]) -> Option<Roles> {
    let in_group = |names: &[&str], machine: &Machine| {
        let mut members = groups
            .iter()
            .filter(|(group, _)| names.contains(&group.as_str()))
            .flat_map(|(_, members)| members);
        members.any(|it| *it == machine.name || Some(it) == machine.host_name.as_ref())
    };
    let role = |machine: &Machine| match (
        in_group(&CONTROL_PLANES, machine),
        in_group(&WORKERS, machine),
    ) {
        (true, true) => Role::Both,
        (true, false) => Role::ControlPlane,
        (false, true) => Role::Worker,
        (false, false) => Role::Outside,
    };
    let mut roles: Vec<Role> = machines.iter().map(role).collect();
    let is_control_plane = |it: &Role| matches!(it, Role::ControlPlane | Role::Both);
    if !roles.iter().any(is_control_plane) {
        return None;
    }
    without_workers(&mut roles);
    Some(Roles {
        by_machine: roles,
        reason: "roles are those of the groups that the Ansible provisioner is given".to_owned(),
        guessed: Vec::new(),
    })
}

fn from_names(machines: &[Machine]) -> Roles {
    let told: Vec<Option<Role>> = machines.iter().map(from_name).collect();
    // A machine is a worker unless its name says otherwise.
    let mut roles: Vec<Role> = told.iter().map(|it| it.unwrap_or(Role::Worker)).collect();
    let mut reason = "roles are taken from the names".to_owned();
    if !roles
        .iter()
        .any(|it| matches!(it, Role::ControlPlane | Role::Both))
    {
        let first = roles.iter().position(|it| *it == Role::Worker);
        let first = first.unwrap_or_else(|| {
            roles.fill(Role::Worker);
            0
        });
        if let (Some(role), Some(machine)) = (roles.get_mut(first), machines.get(first)) {
            *role = Role::ControlPlane;
            reason = match machines.len() {
                1 => format!("{} is control plane and worker: it is alone", machine.name),
                _ => format!(
                    "no name tells which machine is the control plane: the first, {}, is taken",
                    machine.name
                ),
            };
        }
    }
    without_workers(&mut roles);
    let untold = told
        .iter()
        .enumerate()
        .filter(|it| it.1.is_none() && machines.len() > 1);
    Roles {
        by_machine: roles,
        reason,
        guessed: untold.map(|it| it.0).collect(),
    }
}

fn without_workers(roles: &mut [Role]) {
    if roles
        .iter()
        .any(|it| matches!(it, Role::Worker | Role::Both))
    {
        return;
    }
    for role in roles.iter_mut().filter(|it| **it == Role::ControlPlane) {
        *role = Role::Both;
    }
}

/// The name inside speaks where the other is mute.
fn from_name(machine: &Machine) -> Option<Role> {
    let names = [Some(&machine.name), machine.host_name.as_ref()];
    names.into_iter().flatten().find_map(|name| told(name))
}

fn told(name: &str) -> Option<Role> {
    let name = name.split('.').next().unwrap_or(name).to_lowercase();
    let parts: Vec<&str> = name
        .split(|it: char| !it.is_ascii_alphabetic())
        .filter(|it| !it.is_empty())
        .collect();
    let has = |words: &[&str]| parts.iter().any(|part| words.contains(part));
    let contains = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&NEVER_NODES) {
        return Some(Role::Outside);
    }
    if contains(&MASTER) {
        // "master-node" is a master; "master-worker" is both.
        let is_both = contains(&["worker", "minion"]);
        return Some(if is_both {
            Role::Both
        } else {
            Role::ControlPlane
        });
    }
    if has(&OWN_TASK) {
        return Some(Role::Outside);
    }
    if contains(&WORKER) {
        return Some(Role::Worker);
    }
    if has(&OUTSIDE) {
        return Some(Role::Outside);
    }
    if contains(&["manager"]) || has(&["cp", "ctrl", "ctl", "m", "server"]) {
        return Some(Role::ControlPlane);
    }
    has(&["w", "n"]).then_some(Role::Worker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_roles() {
        use Role::{Both, ControlPlane, Outside, Worker};
        for (name, role) in [
            ("controll-plane", Some(ControlPlane)),
            ("kmaster1", Some(ControlPlane)),
            ("master-node", Some(ControlPlane)),
            ("k8s-m1", Some(ControlPlane)),
            ("cp-01", Some(ControlPlane)),
            ("server-0", Some(ControlPlane)),
            ("kworker2", Some(Worker)),
            ("node-3.lab.local", Some(Worker)),
            ("minion1", Some(Worker)),
            ("k8s-w2", Some(Worker)),
            ("agent0", Some(Worker)),
            ("nfs-server1", Some(Outside)),
            ("haproxy", Some(Outside)),
            ("storage-node1", Some(Worker)),
            ("storage", Some(Outside)),
            ("lb1", Some(Outside)),
            ("ansible-controller", Some(Outside)),
            ("etcd-1", Some(Outside)),
            ("etcd-node1", Some(Outside)),
            ("etcd-master", Some(ControlPlane)),
            ("calico-1", Some(Outside)),
            ("calico-node1", Some(Worker)),
            ("rr1", Some(Outside)),
            ("vault", Some(Outside)),
            ("vault-server-0", Some(Outside)),
            ("consul-server1", Some(Outside)),
            ("installer", Some(Outside)),
            ("router", Some(Outside)),
            ("user", Some(Outside)),
            ("admin", Some(Outside)),
            ("monitoring", Some(Outside)),
            ("master-worker", Some(Both)),
            ("controlplane-worker-1", Some(Both)),
            ("box1", None),
            ("k8s-1", None),
            ("k8scp", None),
        ] {
            assert_eq!(told(name), role, "{name}");
        }
    }
}
