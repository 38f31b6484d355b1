//! What is left of pods and of the cluster's network when the kubelet is stopped: found and removed piece by piece,
//! without the API server and without containerd, which may be dead.

mod interfaces;
mod mounts;
mod packet_filter;
mod processes;

use std::time::{Duration, Instant};

use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Remains};

/// Processes that are killed are gone in milliseconds, unless they wait for a disk.
const PATIENCE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(100);

/// Something that is left, with its name for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remain {
    /// Of a pod, or the shim that looks after one.
    Process {
        id: u32,
        title: String,
    },
    Mount(String),
    /// Of a pod.
    NetworkNamespace(String),
    Interface(String),
    /// Of the DNS cache, on an interface that isn't its own.
    Address {
        interface: String,
        address: String,
    },
    /// Of nftables: `ip kube-proxy`.
    Table(String),
    /// Of iptables or ip6tables.
    Chain {
        program: &'static str,
        table: String,
        chain: String,
    },
}

impl Converge for Remains {
    type Observed = Vec<Remain>;

    fn probe(&self, node: &Node) -> Result<Vec<Remain>, ResourceError> {
        let mut found = processes::find(node);
        found.extend(mounts::find(node));
        found.extend(interfaces::find(self.dns_address.as_deref(), node)?);
        found.extend(packet_filter::find(node)?);
        Ok(found)
    }

    fn diff(&self, found: &Vec<Remain>) -> Vec<Change> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        let mut changes = Vec::new();
        for it in found {
            match (it.kind(), counts.last_mut()) {
                (Some(kind), Some((last, count))) if *last == kind => *count += 1,
                (Some(kind), _) => counts.push((kind, 1)),
                (None, _) => changes.push(Change::new(Action::Remove, it.title())),
            }
        }
        let counted = counts.into_iter().map(|(kind, count)| {
            Change::new(Action::Remove, kind).values(Some(count.to_string()), None)
        });
        counted.chain(changes).collect()
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = processes::find(node);
            if left.is_empty() {
                break;
            }
            if Instant::now() > end {
                let names: Vec<String> = left.iter().map(Remain::title).collect();
                return Err(ResourceError::other(format!(
                    "these processes don't end: {}",
                    names.join(", ")
                )));
            }
            processes::kill(&left, node)?;
            node.cancel().sleep(INTERVAL)?;
        }
        mounts::remove(&mounts::find(node), node)?;
        interfaces::remove(&interfaces::find(self.dns_address.as_deref(), node)?, node)?;
        packet_filter::remove(&packet_filter::find(node)?, node)
    }
}

impl Remain {
    /// Returns what all those are called that are only counted: a node has dozens.
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Process { .. } => Some("processes of pods"),
            Self::Mount(_) => Some("mounts of pods"),
            Self::NetworkNamespace(_) => Some("network namespaces of pods"),
            _ => None,
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Process { id, title } => format!("process {id} ({title})"),
            Self::Mount(path) => format!("mount {path}"),
            Self::NetworkNamespace(path) => format!("network namespace {path}"),
            Self::Interface(name) => format!("interface {name}"),
            Self::Address { interface, address } => format!("address {address} on {interface}"),
            Self::Table(table) => format!("nftables table {table}"),
            Self::Chain {
                program,
                table,
                chain,
            } => format!("{program} chain {table}/{chain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Converge as _, Remain};
    use crate::resource::Remains;

    #[test]
    fn what_pods_leave_is_counted_and_the_rest_is_named() {
        let process = |id| Remain::Process {
            id,
            title: "/pause".to_owned(),
        };
        let found = vec![
            process(1),
            process(2),
            Remain::Mount("/run/netns/cni-1".to_owned()),
            Remain::NetworkNamespace("/run/netns/cni-1".to_owned()),
            Remain::Interface("cni0".to_owned()),
            Remain::Table("ip kube-proxy".to_owned()),
            Remain::Chain {
                program: "iptables",
                table: "nat".to_owned(),
                chain: "KUBE-SVC".to_owned(),
            },
        ];
        let changes = Remains { dns_address: None }.diff(&found);
        let shown: Vec<String> = changes
            .iter()
            .map(|it| format!("{} {}", it.from.as_deref().unwrap_or("-"), it.subject))
            .collect();
        assert_eq!(
            shown,
            [
                "2 processes of pods",
                "1 mounts of pods",
                "1 network namespaces of pods",
                "- interface cni0",
                "- nftables table ip kube-proxy",
                "- iptables chain nat/KUBE-SVC",
            ]
        );
    }
}
