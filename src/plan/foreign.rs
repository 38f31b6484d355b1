//! Machines that carry another cluster: they are refused before anything on them is changed, unless the user says
//! that they are to be taken.

use std::collections::BTreeMap;

use super::PlanInput;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::HostSpec;
use crate::resource::Sha256;
use crate::secret::Secret;
use crate::wire::{ClusterTraces, authority_digest};

/// The cluster's own authorities, by their names among the secrets.
const AUTHORITIES: [&str; 3] = [
    "cluster_authority_certificate",
    "etcd_authority_certificate",
    "front_proxy_authority_certificate",
];

/// The steps that make a member of the cluster of a machine.
pub const JOINING_STEPS: [&str; 4] = [
    "control-plane/init",
    "control-plane-join/join",
    "join/join",
    super::etcd_hosts::STEP,
];

/// Returns the hosts whose machines are taken from another cluster; fails for those that nobody gave away.
pub fn taken_over<'a>(input: &PlanInput<'a>) -> Result<Vec<&'a str>, Diagnostics> {
    let ours = authorities(input.secrets);
    let mut refusals = Diagnostics::new();
    let mut taken = Vec::new();
    for host in &input.cluster.hosts {
        let Some(facts) = input.facts.get(&host.name) else {
            continue;
        };
        let traces = &facts.traces;
        let by_kinstall = JOINING_STEPS
            .iter()
            .any(|step| facts.commands.contains_key(*step));
        let carried = foreign(traces, by_kinstall, &ours);
        if !input.may_change(host) {
            // Nothing is done there.
        } else if !traces.distributions.is_empty() {
            refusals.push(other_distribution(host, traces));
        } else if carried.is_empty() {
            // A fresh machine, or one of this cluster.
        } else if input.take_over.contains(&host.name) {
            taken.push(host.name.as_str());
        } else {
            refusals.push(refusal(host, &carried));
        }
    }
    if refusals.is_empty() {
        Ok(taken)
    } else {
        Err(refusals)
    }
}

/// Returns what of all this belongs to another cluster than ours.
fn foreign(traces: &ClusterTraces, by_kinstall: bool, ours: &[Sha256]) -> Vec<String> {
    let (own, others): (Vec<_>, Vec<_>) = traces
        .authorities
        .iter()
        .partition(|(_, authority)| ours.contains(authority));
    let mut foreign: Vec<String> = others
        .iter()
        .map(|(path, _)| format!("`{path}` with another cluster's authority"))
        .collect();
    let is_ours = by_kinstall || !own.is_empty();
    if !foreign.is_empty() || !is_ours {
        foreign.extend_from_slice(&traces.data);
    }
    foreign
}

fn refusal(host: &HostSpec, carried: &[String]) -> Diagnostic {
    let name = &host.name;
    let message = format!(
        "`{name}` belongs to another cluster: {}",
        carried.join("; ")
    );
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing on it was changed")
        .hint(format!(
            "`kinstall up --take-over {name}` removes all of that from it and takes it into this cluster"
        ))
        .hint(format!(
            "`kinstall down {name}` removes the machine, if kinstall made it; the next `up` makes a new one"
        ))
}

fn other_distribution(host: &HostSpec, traces: &ClusterTraces) -> Diagnostic {
    let found = traces.distributions.join(", ");
    let message = format!("`{}` runs another Kubernetes: {found}", host.name);
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing on it was changed")
        .hint("remove it first with its own program (`k3s-uninstall.sh`, `rke2-uninstall.sh`, `k0s reset`, `snap remove microk8s`)")
}

fn authorities(secrets: &BTreeMap<String, Secret>) -> Vec<Sha256> {
    let certificates = AUTHORITIES.iter().filter_map(|name| secrets.get(*name));
    certificates
        .filter_map(|pem| authority_digest(pem.expose()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces(authorities: &[(&str, &[u8])], data: &[&str]) -> ClusterTraces {
        ClusterTraces {
            authorities: authorities
                .iter()
                .map(|(path, authority)| ((*path).to_owned(), Sha256::of(authority)))
                .collect(),
            data: data.iter().map(|data| (*data).to_owned()).collect(),
            ..ClusterTraces::default()
        }
    }

    #[test]
    fn whose_it_is_follows_from_authorities_and_from_what_kinstall_did() {
        let ours = [Sha256::of(b"ours")];
        let etcd = ["etcd data"];
        let theirs = "`a.conf` with another cluster's authority";
        // (what is there, whether kinstall began something, what of it is another cluster's)
        let table: [(ClusterTraces, bool, &[&str]); 7] = [
            (traces(&[], &[]), false, &[]),
            (traces(&[], &etcd), false, &etcd),
            (traces(&[], &etcd), true, &[]),
            (traces(&[("a.conf", b"ours")], &etcd), false, &[]),
            (traces(&[("a.conf", b"theirs")], &[]), false, &[theirs]),
            // A worker of ours that somebody let join another cluster.
            (
                traces(&[("a.conf", b"theirs")], &etcd),
                true,
                &[theirs, "etcd data"],
            ),
            (
                traces(&[("a.conf", b"theirs"), ("b.conf", b"ours")], &[]),
                true,
                &[theirs],
            ),
        ];
        for (traces, by_kinstall, expected) in table {
            let found = foreign(&traces, by_kinstall, &ours);
            assert_eq!(found, expected, "{traces:?}");
        }
    }
}
