//! Machines that carry another cluster: they are refused before anything on them is changed, unless the user says
//! that they are to be taken.

use std::collections::BTreeMap;

use super::PlanInput;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::HostSpec;
use crate::resource::Sha256;
use crate::secret::Secret;
use crate::wire::{ClusterTraces, Facts, authority_digests};

/// The cluster's own authorities, with those that it had, by their name among the secrets.
const AUTHORITIES: &str = "all_authorities";

/// The steps that make a member of the cluster of a machine.
pub const JOINING_STEPS: [&str; 4] = [
    "control-plane/init",
    "control-plane-join/join",
    "join/join",
    super::etcd_hosts::STEP,
];

/// Returns the hosts whose machines are taken from another cluster; fails for those that nobody gave away, and for hosts of
/// etcd: what is theirs must never become a member of this one's.
pub fn taken_over<'a>(input: &PlanInput<'a>) -> Result<Vec<&'a str>, Diagnostics> {
    let ours = authorities(&input.secrets.cluster);
    let mut refusals = Diagnostics::new();
    let mut taken = Vec::new();
    for host in &input.cluster.hosts {
        let Some(facts) = input.facts.get(&host.name) else {
            continue;
        };
        let carried = carried(facts, &ours);
        if !input.may_change(host) {
            // Nothing is done there.
        } else if !facts.traces.distributions.is_empty() {
            refusals.push(other_distribution(host, &facts.traces));
        } else if carried.is_empty() {
            // A fresh machine, or one of this cluster.
        } else if input.cluster.etcd.on_hosts && host.roles.etcd {
            refusals.push(host_of_etcd(host, &carried));
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

/// Returns the hosts whose machines carry another cluster, whatever becomes of them.
pub fn carriers<'a>(input: &PlanInput<'a>) -> Vec<&'a str> {
    let ours = authorities(&input.secrets.cluster);
    let is_carrier = |host: &&HostSpec| {
        let facts = input.facts.get(&host.name);
        facts.is_some_and(|facts| !carried(facts, &ours).is_empty())
    };
    let carriers = input.cluster.hosts.iter().filter(is_carrier);
    carriers.map(|host| host.name.as_str()).collect()
}

/// Returns what of a machine belongs to another cluster than ours.
fn carried(facts: &Facts, ours: &[Sha256]) -> Vec<String> {
    let mut steps = JOINING_STEPS.iter();
    let by_kinstall = steps.any(|step| facts.commands.contains_key(*step));
    foreign(&facts.traces, by_kinstall, ours)
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
    anothers(host, carried)
        .hint("nothing on it was changed")
        .hint(format!(
            "`kinstall up --take-over {name}` removes all of that from it and takes it into this cluster"
        ))
        .hint(remade(name))
}

fn host_of_etcd(host: &HostSpec, carried: &[String]) -> Diagnostic {
    let name = &host.name;
    anothers(host, carried)
        .hint("nothing was changed: a host of `[etcd]` can't be taken over with what it has")
        .hint(format!(
            "wipe it first: `kinstall reset {name}` with the project that made that cluster, or install the machine anew"
        ))
        .hint(remade(name))
}

fn anothers(host: &HostSpec, carried: &[String]) -> Diagnostic {
    let (name, carried) = (&host.name, carried.join("; "));
    let message = format!("`{name}` belongs to another cluster: {carried}");
    Diagnostic::error(Kind::Environment, message)
}

fn remade(name: &str) -> String {
    format!(
        "`kinstall down {name}` removes the machine, if kinstall made it; the next `up` makes a new one"
    )
}

fn other_distribution(host: &HostSpec, traces: &ClusterTraces) -> Diagnostic {
    let found = traces.distributions.join(", ");
    let message = format!("`{}` runs another Kubernetes: {found}", host.name);
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing on it was changed")
        .hint("remove it first with its own program (`k3s-uninstall.sh`, `rke2-uninstall.sh`, `k0s reset`, `snap remove microk8s`)")
}

fn authorities(secrets: &BTreeMap<String, Secret>) -> Vec<Sha256> {
    let pem = secrets.get(AUTHORITIES);
    pem.map_or_else(Vec::new, |pem| authority_digests(pem.expose()))
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
