//! Etcd on hosts: what is refused by what is found, before anything is changed.

use super::PlanInput;
use super::etcd_hosts::{STEP, is_member};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::HostSpec;
use crate::wire::Facts;

/// Refuses what would need that etcd moves. What `carriers` have is another cluster's.
pub(super) fn refuse(input: &PlanInput<'_>, carriers: &[&str]) -> Result<(), Diagnostics> {
    let etcd = &input.cluster.etcd;
    let is_ours = |host: &HostSpec| !carriers.contains(&host.name.as_str());
    // Only who has a part in the quorum says who the members are.
    let mut lists = input.facts.iter().filter_map(|(name, facts)| {
        let host = input.cluster.host(name).filter(|host| is_ours(host))?;
        (host.roles.etcd && !facts.etcd.peers.is_empty()).then_some(&facts.etcd.peers)
    });
    let peers = lists.next();
    let is_outcast = |host: &HostSpec| {
        let url = host.etcd_peer_url();
        peers.is_some_and(|peers| url.is_some_and(|url| !peers.contains(&url)))
    };
    // Then a unit that isn't as kinstall made it is put right.
    let is_begun = |facts: &Facts| facts.commands.contains_key(STEP);
    let mut refusals = Diagnostics::new();
    for host in &input.cluster.hosts {
        let Some(facts) = input.facts.get(&host.name) else {
            continue;
        };
        let is_static = !facts.etcd_version.is_empty() && facts.etcd.data_dir.is_empty();
        let uses_hosts = is_member(facts) || (host.roles.control_plane && facts.etcd.has_access);
        if !is_ours(host) {
            // It has nothing of this cluster.
        } else if etcd.on_hosts && is_static {
            refusals.push(stacked(&host.name));
        } else if facts.etcd.has_data && !host.roles.etcd {
            // Also where its removal was cut off: it may vote.
            refusals.push(member_without_role(&host.name, etcd.on_hosts));
        } else if uses_hosts && !etcd.on_hosts {
            refusals.push(on_hosts(&host.name));
        } else if is_member(facts) && facts.etcd.data_dir != etcd.data_dir {
            refusals.push(other_folder(
                &host.name,
                &facts.etcd.data_dir,
                &etcd.data_dir,
            ));
        } else if is_member(facts) && input.may_change(host) && is_outcast(host) {
            refusals.push(outcast(&host.name));
        } else if facts.traces.joined && !host.roles.is_node() && input.may_change(host) {
            refusals.push(node_without_role(&host.name));
        } else if etcd.on_hosts && host.roles.etcd && input.may_change(host) && !is_begun(facts) {
            let unit = &facts.etcd.other_unit;
            refusals.extend(unit.as_ref().map(|unit| other_service(&host.name, unit)));
        }
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

/// Says that etcd is in the pods of control planes, of which this is one.
pub fn stacked(name: &str) -> Diagnostic {
    refusal(
        format!(
            "etcd of this cluster runs on its control planes, such as `{name}`, and the inventory wants it on other hosts"
        ),
        "make `[etcd]` the same as `[kube_control_plane]` again",
    )
}

fn on_hosts(name: &str) -> Diagnostic {
    refusal(
        format!(
            "etcd of this cluster runs as a service of hosts, as `{name}` has it, and the inventory wants it on its control planes"
        ),
        "make `[etcd]` again what it was",
    )
}

fn member_without_role(name: &str, others_have_it: bool) -> Diagnostic {
    let message = format!("`{name}` is a member of etcd, and is not in `[etcd]` any more");
    if !others_have_it {
        return refusal(message, "make `[etcd]` again what it was");
    }
    refusal(message, "put it back into `[etcd]`").hint(format!(
        "to take it out of etcd, `kinstall node remove {name}`; then `kinstall up` makes it what the inventory says"
    ))
}

fn other_folder(name: &str, before: &str, now: &str) -> Diagnostic {
    refusal(
        format!("etcd's data on `{name}` is in {before}, and the inventory wants it in {now}"),
        &format!("set `etcd_data_dir: {before}`"),
    )
}

fn outcast(name: &str) -> Diagnostic {
    let message = format!(
        "`{name}` is no member of etcd any more: it was taken out while it was off, and has its old data still"
    );
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed")
        .hint(format!(
            "`kinstall reset {name}` takes that off it; then put it into `[etcd]` again, and `kinstall up` makes it a member"
        ))
}

fn node_without_role(name: &str) -> Diagnostic {
    let message =
        format!("`{name}` is a node of Kubernetes, and the inventory has it in `[etcd]` alone");
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed")
        .hint(format!(
            "`kinstall node remove {name}` takes it out of the cluster; then put it into `[etcd]` again, and `kinstall up` makes it what the inventory says"
        ))
}

fn other_service(name: &str, unit: &str) -> Diagnostic {
    let message = format!("`{name}` runs an etcd of its own: `{unit}` isn't kinstall's");
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed")
        .hint("take another host into `[etcd]`; or remove that etcd, if you don't need it")
}

fn refusal(message: String, way: &str) -> Diagnostic {
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed: kinstall doesn't move etcd's data")
        .hint(way)
}
