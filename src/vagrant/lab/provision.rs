//! Provisioners: none is run; the groups that Ansible is given tell the roles of the machines.

use super::Call;
use super::read::Reader;
use crate::vagrant::evaluate::value::Value;

/// Words of scripts that install what `kinstall up` installs.
const CLUSTER: [&str; 22] = [
    "kube",
    "k3s",
    "k8s",
    "rke",
    "docker",
    "containerd",
    "cri-o",
    "crio",
    "etcd",
    "flannel",
    "calico",
    "cilium",
    "helm",
    "master",
    "worker",
    "node",
    "join",
    "control",
    "swap",
    "/etc/hosts",
    "br_netfilter",
    "sshd_config",
];

/// Groups of Ansible with their members.
pub(super) type Groups = Vec<(String, Vec<String>)>;

impl Reader<'_> {
    /// Says what becomes of a provisioner.
    pub fn provisioner(&mut self, call: &Call, groups: &mut Groups) {
        let option = |name: &str| call.arguments.iter().find_map(|it| it.option(name));
        let text = |name: &str| {
            let value = option(name)?;
            value.as_text().map(|it| it.to_string())
        };
        let first = call
            .arguments
            .first()
            .and_then(Value::as_text)
            .unwrap_or_default();
        let kind = text("type").unwrap_or_else(|| first.to_string());
        let message = match kind.as_str() {
            "shell" => {
                let parts = [text("inline"), text("path"), Some(first.to_string())];
                let script = parts
                    .map(Option::unwrap_or_default)
                    .join(" ")
                    .to_lowercase();
                if CLUSTER.iter().any(|word| script.contains(word)) {
                    "not run: `kinstall up` sets the nodes up and installs the cluster"
                } else {
                    "not run: `kinstall ssh NODE -- COMMAND` runs what is needed beside the cluster"
                }
            }
            "ansible" | "ansible_local" => {
                "not run: `kinstall up` installs the cluster; other playbooks take this inventory"
            }
            "file" => "not copied: `kinstall ssh-config` lets scp and sftp reach the nodes",
            "docker" | "podman" => "not run: nodes run containerd, images come from the bundle",
            "hosts" | "hostmanager" => "not needed: nodes know each other by name",
            "reload" => "not needed: `kinstall restart` restarts machines",
            _ => "not run: kinstall has no provisioners",
        };
        self.left_out(&call.place, message);
        if let Some(Value::Map(found)) = option("groups") {
            for (name, members) in found.borrow().iter() {
                let (Some(name), Value::List(members)) = (name.as_text(), members) else {
                    continue;
                };
                let members = members.borrow();
                let members = members.iter().filter_map(Value::as_text);
                let members: Vec<String> = members.flat_map(|it| expand(&it)).collect();
                match groups.iter_mut().find(|(other, _)| **other == *name) {
                    Some((_, known)) => known.extend(members),
                    None => groups.push((name.to_string(), members)),
                }
            }
        }
    }
}

/// Takes `k8s-[1:3]` apart.
fn expand(pattern: &str) -> Vec<String> {
    let parts = || {
        let (before, rest) = pattern.split_once('[')?;
        let (range, after) = rest.split_once(']')?;
        let (first, last) = range.split_once(':')?;
        let width = if first.starts_with('0') {
            first.len()
        } else {
            0
        };
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        let names = (first..=last.min(first.saturating_add(1000)))
            .map(|number| format!("{before}{number:0width$}{after}"));
        Some(names.collect())
    };
    parts().unwrap_or_else(|| vec![pattern.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn ranges_of_names_are_taken_apart() {
        assert_eq!(expand("k8s-[1:3]"), ["k8s-1", "k8s-2", "k8s-3"]);
        assert_eq!(expand("n[08:10].lab"), ["n08.lab", "n09.lab", "n10.lab"]);
        assert_eq!(expand("master"), ["master"]);
        assert_eq!(expand("a[b"), ["a[b"]);
    }
}
