//! What the agents' facts say of the hosts' addresses.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::model::ReportedAddresses;
use crate::wire::Facts;

/// Returns the addresses of each host, by its name.
pub fn addresses(facts: &IndexMap<String, Facts>) -> BTreeMap<String, ReportedAddresses> {
    let address = |text: &str| text.split('/').next()?.parse().ok();
    let reported = facts.iter().map(|(host, facts)| {
        // `interface address/prefix`
        // kube-proxy in its IPVS mode gives every node the addresses of all services, which can be those of other nodes.
        let is_own = |line: &&String| !line.starts_with("kube-ipvs0 ");
        let all = facts.addresses.iter().filter(is_own);
        let all = all.filter_map(|line| address(line.rsplit(' ').next()?));
        let reported = ReportedAddresses {
            all: all.collect(),
            default: address(&facts.default_address),
        };
        (host.clone(), reported)
    });
    reported.collect()
}
