//! The state of a cluster, put together from what the API server and kubeadm say.

use serde::Serialize;
use serde_json::Value;

use super::ingress_annotations::{self, Notice};
use super::network_policies;
use crate::provision::MachineState;

/// What `kinstall status` shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ClusterStatus {
    pub hosts: Vec<HostStatus>,
    pub workloads: Vec<Workload>,
    /// Nodes that Kubernetes has and the inventory hasn't.
    pub foreign_nodes: Vec<String>,
    /// Services with an address outside of the cluster.
    pub addresses: Vec<ServiceAddress>,
    pub certificates: Vec<Certificate>,
    /// Annotations of Ingress objects that have no effect, or that keep them from being served.
    pub ingress_notices: Vec<Notice>,
    /// NetworkPolicy objects, which have no effect.
    pub network_policies: Vec<String>,
    /// Why a part is missing: the API didn't answer, a host can't be reached.
    pub problems: Vec<String>,
}

/// A host: its machine and its node.
#[derive(Clone, Debug, Serialize)]
pub struct HostStatus {
    pub name: String,
    pub address: String,
    /// `None` where kinstall doesn't make the machines.
    pub machine: Option<MachineState>,
    /// `None` where there is no such node.
    pub node: Option<NodeStatus>,
    /// Whether the host is to be a node, and not only to run etcd.
    pub is_to_be_node: bool,
    /// Whether its member of etcd is well, where etcd is a service of hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etcd: Option<bool>,
}

/// A node as the API server sees it.
#[derive(Clone, Debug, Serialize)]
pub struct NodeStatus {
    pub ready: bool,
    pub schedulable: bool,
    pub kubelet: String,
    pub runtime: String,
}

/// A Deployment or DaemonSet of the system namespaces.
#[derive(Clone, Debug, Serialize)]
pub struct Workload {
    pub namespace: String,
    pub name: String,
    /// Tag of its first image.
    pub version: String,
    pub ready: u64,
    pub wanted: u64,
}

/// A Service's address outside of the cluster.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceAddress {
    pub service: String,
    pub address: String,
    pub ports: Vec<u64>,
}

/// A certificate of the control plane.
#[derive(Clone, Debug, Serialize)]
pub struct Certificate {
    pub name: String,
    /// RFC 3339.
    pub expires: String,
}

impl NodeStatus {
    /// Reads a Node object.
    pub fn of(node: &Value) -> Self {
        let conditions = node["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten();
        let info = &node["status"]["nodeInfo"];
        Self {
            ready: conditions
                .into_iter()
                .any(|it| it["type"] == "Ready" && it["status"] == "True"),
            schedulable: node["spec"]["unschedulable"] != Value::Bool(true),
            kubelet: text(&info["kubeletVersion"]),
            runtime: text(&info["containerRuntimeVersion"]),
        }
    }
}

impl ClusterStatus {
    /// Tells whether no machine runs, so that nobody needs to be asked.
    pub fn is_off(&self) -> bool {
        let runs = |it: &HostStatus| it.machine.is_none_or(|it| it == MachineState::Running);
        !self.hosts.is_empty() && !self.hosts.iter().any(runs)
    }

    /// Returns what is there and has no effect, as sentences.
    pub fn notices(&self) -> Vec<String> {
        let ingresses = self.ingress_notices.iter().map(Notice::message);
        let policies = network_policies::notice(&self.network_policies);
        ingresses.chain(policies).collect()
    }

    /// Takes in a List of nodes, workloads, services and ingresses, as `kubectl get -o json` prints it.
    pub fn add_objects(&mut self, list: &Value) {
        for item in list["items"].as_array().into_iter().flatten() {
            let name = text(&item["metadata"]["name"]);
            match item["kind"].as_str() {
                Some("Node") => match self.hosts.iter_mut().find(|host| host.name == name) {
                    Some(host) => host.node = Some(NodeStatus::of(item)),
                    None => self.foreign_nodes.push(name),
                },
                Some("Deployment" | "DaemonSet") => self.workloads.push(workload(item, name)),
                Some("Service") => self.addresses.extend(address(item, &name)),
                _ => {}
            }
        }
        self.ingress_notices
            .extend(ingress_annotations::without_effect(list));
        self.network_policies
            .extend(network_policies::without_effect(list));
    }

    /// Takes in what `etcdctl endpoint health` prints, by hosts and the URLs of their members.
    pub fn add_etcd_health(&mut self, report: &Value, members: &[(String, String)]) {
        for (host, url) in members {
            let Some(host) = self.hosts.iter_mut().find(|it| it.name == *host) else {
                continue;
            };
            let mut answers = report.as_array().into_iter().flatten();
            host.etcd = Some(answers.any(|it| it["endpoint"] == *url && it["health"] == true));
        }
    }

    /// Takes in what `kubeadm certs check-expiration -o json` prints.
    pub fn add_certificates(&mut self, report: &Value) {
        for key in ["certificates", "certificateAuthorities"] {
            let items = report[key].as_array().into_iter().flatten();
            // kubeadm lists those as well that aren't there.
            for item in items.filter(|item| item["missing"] != true) {
                let expires = text(&item["expirationDate"]);
                self.certificates.push(Certificate {
                    name: text(&item["name"]),
                    expires,
                });
            }
        }
    }
}

fn workload(item: &Value, name: String) -> Workload {
    let status = &item["status"];
    let image = text(&item["spec"]["template"]["spec"]["containers"][0]["image"]);
    let (ready, wanted) = if item["kind"] == "DaemonSet" {
        (&status["numberReady"], &status["desiredNumberScheduled"])
    } else {
        (&status["readyReplicas"], &item["spec"]["replicas"])
    };
    Workload {
        namespace: text(&item["metadata"]["namespace"]),
        name,
        version: image
            .rsplit_once(':')
            .map(|(_, tag)| tag.to_owned())
            .unwrap_or_default(),
        ready: ready.as_u64().unwrap_or(0),
        wanted: wanted.as_u64().unwrap_or(0),
    }
}

fn address(item: &Value, name: &str) -> Option<ServiceAddress> {
    let ingress = item["status"]["loadBalancer"]["ingress"].get(0)?;
    let ports = item["spec"]["ports"].as_array().into_iter().flatten();
    Some(ServiceAddress {
        service: format!("{}/{name}", text(&item["metadata"]["namespace"])),
        address: text(&ingress["ip"]),
        ports: ports.filter_map(|port| port["port"].as_u64()).collect(),
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn certificates_that_are_not_there_do_not_end() {
        let mut status = ClusterStatus::default();
        status.add_certificates(&json!({ "certificates": [
            { "name": "super-admin.conf", "expirationDate": null, "residualTime": 0, "missing": true },
            { "name": "apiserver", "expirationDate": "2027-11-27T01:16:15Z", "residualTime": 31_535_998, "missing": false },
        ]}));
        let names: Vec<&str> = status
            .certificates
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        assert_eq!(names, ["apiserver"]);
    }
}
