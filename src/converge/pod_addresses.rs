//! Pods whose addresses are of another range than their node's. That is so after a node was deleted and registered
//! again: it gets another range, and nobody has a route to the old one.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use rustix::process::{Pid, Signal, kill_process};

use super::error::FileContext;
use super::program::Program;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, PodAddresses};

/// How long flannel may take to begin anew, and the kubelet to make the pods anew.
const PATIENCE: Duration = Duration::from_secs(90);
const INTERVAL: Duration = Duration::from_millis(500);
/// Where flannel writes the range that pods get addresses of.
const SUBNET: &str = "/run/flannel/subnet.env";
/// Where the plugin that gives addresses keeps a file for each.
const ALLOCATIONS: &str = "/var/lib/cni/networks";

/// What is out of the node's range.
#[derive(Debug, Default)]
pub struct Observed {
    /// The node's ranges; empty where it has none (yet).
    ranges: Vec<IpNet>,
    /// The range in flannel's file, where it is another one.
    flannel: Option<IpNet>,
    stale: Vec<Allocation>,
}

/// An address and the pod that has it.
#[derive(Debug)]
struct Allocation {
    address: IpAddr,
    /// The pod's sandbox in containerd.
    sandbox: String,
}

impl Converge for PodAddresses {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let allocations = self.allocations(node);
        let flannel = flannel_range(node);
        if allocations.is_empty() && flannel.is_none() {
            return Ok(Observed::default());
        }
        let ranges = self.ranges(node);
        let is_stale =
            |address: IpAddr| !ranges.is_empty() && !ranges.iter().any(|it| it.contains(&address));
        Ok(Observed {
            flannel: flannel.filter(|it| is_stale(it.addr())),
            stale: allocations
                .into_iter()
                .filter(|it| is_stale(it.address))
                .collect(),
            ranges,
        })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        if observed.flannel.is_none() && observed.stale.is_empty() {
            return Vec::new();
        }
        let old = match (&observed.flannel, observed.stale.first()) {
            (Some(range), _) => range.trunc().to_string(),
            (None, Some(first)) => format!("{} and the like", first.address),
            (None, None) => String::new(),
        };
        let new: Vec<String> = observed.ranges.iter().map(ToString::to_string).collect();
        let subject = format!("{} pods", observed.stale.len());
        vec![Change::new(Action::Restart, subject).values(Some(old), Some(new.join(", ")))]
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        if self.probe(node)?.flannel.is_some() {
            // It reads its node's range when it starts; the kubelet starts it again.
            end_flannel();
            self.wait_until("flannel has the node's new range", node, |observed| {
                observed.flannel.is_none()
            })?;
        }
        self.remove_sandboxes(node)?;
        self.wait_until(
            "all pods have addresses of the node's range",
            node,
            |observed| observed.stale.is_empty(),
        )
    }
}

impl PodAddresses {
    /// Ends the sandboxes: the kubelet makes new ones, with new addresses, for the same pods.
    fn remove_sandboxes(&self, node: &Node) -> Result<(), ResourceError> {
        let list = ["ctr", "-n", "k8s.io", "tasks", "ls", "-q"];
        let running = Program::new(list).output(node)?;
        for allocation in self.probe(node)?.stale {
            if running.lines().any(|id| id == allocation.sandbox) {
                Program::new([
                    "ctr", "-n", "k8s.io", "tasks", "kill", "--signal", "SIGKILL",
                ])
                .argument(&allocation.sandbox)
                .output(node)?;
                node.tell(&format!("pod with {} begins anew", allocation.address));
            } else {
                // Left by a pod that is gone: nobody will give it back.
                let path = self.folder(node).join(allocation.address.to_string());
                fs::remove_file(&path).doing("remove", &path)?;
            }
        }
        Ok(())
    }

    fn wait_until(
        &self,
        condition: &str,
        node: &Node,
        holds: impl Fn(&Observed) -> bool,
    ) -> Result<(), ResourceError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let observed = self.probe(node)?;
            if holds(&observed) {
                return Ok(());
            }
            if Instant::now() > end {
                let left: Vec<String> = observed
                    .stale
                    .iter()
                    .map(|it| it.address.to_string())
                    .collect();
                return Err(ResourceError::Condition {
                    condition: condition.to_owned(),
                    seconds: u32::try_from(PATIENCE.as_secs()).unwrap_or(u32::MAX),
                    last: format!("out of range: {}", left.join(", ")),
                    output: Vec::new(),
                });
            }
            node.cancel().sleep(INTERVAL)?;
        }
    }

    /// A node that doesn't know its ranges, or can't ask, has nothing out of range.
    fn ranges(&self, node: &Node) -> Vec<IpNet> {
        if !node.path(&self.kubeconfig).exists() {
            return Vec::new();
        }
        let path = format!("/api/v1/nodes/{}", self.name);
        let answer = node
            .kubernetes(&self.kubeconfig)
            .and_then(|client| client.get(&path));
        let Ok(answer) = answer.map(|answer| answer.body) else {
            return Vec::new();
        };
        let ranges = answer["spec"]["podCIDRs"].as_array().into_iter().flatten();
        ranges
            .filter_map(|range| range.as_str()?.parse().ok())
            .collect()
    }

    fn allocations(&self, node: &Node) -> Vec<Allocation> {
        let entries = fs::read_dir(self.folder(node)).into_iter().flatten();
        let mut allocations: Vec<Allocation> = entries
            .flatten()
            .filter_map(|entry| {
                // Beside the addresses there are a lock and the last address.
                let address = entry.file_name().to_str()?.parse().ok()?;
                let text = fs::read_to_string(entry.path()).ok()?;
                let sandbox = text.lines().next()?.trim().to_owned();
                Some(Allocation { address, sandbox })
            })
            .collect();
        allocations.sort_by_key(|it| it.address);
        allocations
    }

    fn folder(&self, node: &Node) -> std::path::PathBuf {
        node.path(ALLOCATIONS).join(&self.network)
    }
}

fn flannel_range(node: &Node) -> Option<IpNet> {
    let text = node.read_or_empty(SUBNET);
    let range = text
        .lines()
        .find_map(|line| line.strip_prefix("FLANNEL_SUBNET="))?;
    range.trim().parse().ok()
}

/// Asks flannel's process to end. It is told from others by the option that only it is started with.
fn end_flannel() {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in entries {
        let Some(id) = entry.file_name().to_str().and_then(|it| it.parse().ok()) else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let mut arguments = line.split(|byte| *byte == 0);
        let program = arguments.next().unwrap_or_default();
        let is_flannel = program.ends_with(b"flannel") || program.ends_with(b"flanneld");
        let has_option = arguments.any(|it| it.starts_with(b"-net-config-path="));
        if let (true, Some(process)) = (is_flannel && has_option, Pid::from_raw(id)) {
            // One that is gone already is what is wanted.
            let _ = kill_process(process, Signal::TERM);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(node: &Node, path: &str, text: &str) {
        let path = node.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn allocations_and_flannels_range_are_read() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let resource = PodAddresses {
            name: "w1".into(),
            network: "pods".into(),
            kubeconfig: "/kubelet.conf".into(),
        };
        assert!(resource.diff(&resource.probe(&node).unwrap()).is_empty());
        put(
            &node,
            "/run/flannel/subnet.env",
            "FLANNEL_NETWORK=10.233.64.0/18\nFLANNEL_SUBNET=10.233.66.1/24\n",
        );
        put(
            &node,
            "/var/lib/cni/networks/pods/10.233.66.5",
            "abc\r\neth0",
        );
        put(
            &node,
            "/var/lib/cni/networks/pods/last_reserved_ip.0",
            "10.233.66.5",
        );
        put(&node, "/var/lib/cni/networks/pods/lock", "");
        let allocations = resource.allocations(&node);
        assert_eq!(allocations.len(), 1);
        assert_eq!(allocations[0].sandbox, "abc");
        assert_eq!(
            flannel_range(&node).unwrap().trunc().to_string(),
            "10.233.66.0/24"
        );
        // Without an answer of the server nothing is out of range.
        assert!(resource.diff(&resource.probe(&node).unwrap()).is_empty());
    }

    #[test]
    fn what_is_out_of_range_is_shown() {
        let resource = PodAddresses {
            name: "w1".into(),
            network: "pods".into(),
            kubeconfig: "/kubelet.conf".into(),
        };
        let observed = Observed {
            ranges: vec!["10.233.67.0/24".parse().unwrap()],
            flannel: Some("10.233.66.1/24".parse().unwrap()),
            stale: vec![Allocation {
                address: "10.233.66.5".parse().unwrap(),
                sandbox: "abc".into(),
            }],
        };
        let change = &resource.diff(&observed)[0];
        assert_eq!(change.subject, "1 pods");
        assert_eq!(change.from.as_deref(), Some("10.233.66.0/24"));
        assert_eq!(change.to.as_deref(), Some("10.233.67.0/24"));
    }
}
