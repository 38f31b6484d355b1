//! Interfaces of the pod network, of kube-proxy and of the DNS cache.

use super::Remain;
use crate::converge::program::Program;
use crate::converge::{Node, ResourceError};

const INTERFACES: &str = "/sys/class/net";
/// The bridge of the pods, flannel's tunnel, cilium's two, kube-proxy's (of the ipvs mode) and the DNS cache's.
const OURS: [&str; 6] = [
    "cni0",
    "flannel.1",
    "cilium_host",
    "cilium_vxlan",
    "kube-ipvs0",
    "nodelocaldns",
];

/// Finds them, and the DNS cache's address where it is on another one.
pub(super) fn find(dns_address: Option<&str>, node: &Node) -> Result<Vec<Remain>, ResourceError> {
    let exists = |name: &str| node.path(&format!("{INTERFACES}/{name}")).exists();
    let ours = OURS.iter().filter(|name| exists(name));
    let mut found: Vec<Remain> = ours
        .map(|name| Remain::Interface((*name).to_owned()))
        .collect();
    if let Some(address) = dns_address.filter(|_| exists("lo")) {
        let argv = ["ip", "-oneline", "-4", "address", "show", "dev", "lo"];
        let shown = Program::new(argv).output(node)?;
        let with_prefix = format!("{address}/32");
        if shown.split_whitespace().any(|word| word == with_prefix) {
            found.push(Remain::Address {
                interface: "lo".to_owned(),
                address: with_prefix,
            });
        }
    }
    Ok(found)
}

/// Removes them; what is attached to the bridge goes with the pods.
pub(super) fn remove(found: &[Remain], node: &Node) -> Result<(), ResourceError> {
    for it in found {
        let argv: Vec<&str> = match it {
            Remain::Interface(name) => vec!["ip", "link", "delete", name],
            Remain::Address { interface, address } => {
                vec!["ip", "address", "delete", address, "dev", interface]
            }
            _ => continue,
        };
        Program::new(argv).output(node)?;
    }
    Ok(())
}
