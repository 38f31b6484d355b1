//! What the hosts are like apart from Kubernetes: what can't work is refused, what has kept clusters from working is
//! said.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::PlanInput;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, HostSpec};
use crate::wire::Facts;

/// Certificates and leases take less amiss, in milliseconds.
const CLOCK_DIFFERENCE: i64 = 30_000;
/// What IPv6 needs at least, and the pod network's own 50 bytes.
const SMALLEST_MTU: u32 = 1330;
/// Room for images and logs, in MiB.
const LEAST_ROOM: u64 = 2048;
/// File watchers of a node, and the further ones of a control plane.
const WATCHERS: u32 = 12;
const WATCHERS_OF_A_CONTROL_PLANE: u32 = 14;

/// What mends it.
pub const MORE_WATCHERS: &str = "sudo sysctl fs.inotify.max_user_instances=8192";

/// Something that may keep a host, or several, from working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub host: String,
    pub message: String,
}

/// Returns what the hosts can't work with.
pub(super) fn refuse(input: &PlanInput<'_>) -> Result<(), Diagnostics> {
    let hosts = input.cluster.hosts.iter();
    let refusals: Diagnostics = hosts
        .filter(|host| input.may_change(host))
        .filter_map(|host| Some((host, input.facts.get(&host.name)?)))
        .flat_map(|(host, facts)| {
            facts.surroundings.drop_ins.iter().map(|path| {
                let message = format!(
                    "on `{}`, `{path}` has its service start something else than kinstall's",
                    host.name
                );
                Diagnostic::error(Kind::Environment, message)
                    .hint("nothing on it was changed")
                    .hint(format!(
                        "it is left of another installation; remove it: `sudo rm {path}`"
                    ))
            })
        })
        .collect();
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

/// Returns what is worth knowing before, or after something went wrong. Of nodes that work, only `all` says what
/// need not be wrong.
pub fn notices(cluster: &ClusterSpec, facts: &IndexMap<String, Facts>, all: bool) -> Vec<Notice> {
    let known = cluster.hosts.iter();
    let known: Vec<(&HostSpec, &Facts)> = known
        .filter_map(|host| Some((host, facts.get(&host.name)?)))
        .collect();
    let mut notices = Vec::new();
    for (host, facts) in &known {
        let mut say = |message: String| {
            notices.push(Notice {
                host: host.name.clone(),
                message,
            });
        };
        say_certain(host, facts, &mut say);
        if all || !facts.traces.joined {
            say_possible(facts, &mut say);
        }
    }
    notices.extend(shared_machine_ids(&known));
    notices.extend(different_mtus(&known));
    notices.extend(too_few_watchers(&known));
    notices
}

/// What is wrong on any node.
fn say_certain(host: &HostSpec, facts: &Facts, say: &mut impl FnMut(String)) {
    let ahead = facts.surroundings.clock_ahead;
    if ahead.abs() > CLOCK_DIFFERENCE {
        let seconds = ahead.abs() / 1000;
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        say(format!(
            "its clock is {seconds} s {way} this computer's: certificates and leases may count as invalid; let it \
             follow a time server (systemd-timesyncd, chrony)"
        ));
    }
    if let Some(mtu) = mtu(host, facts)
        && mtu < SMALLEST_MTU
    {
        say(format!(
            "its network takes packets of {mtu} bytes only: the pod network has 50 less, which may be too few"
        ));
    }
    let (free, size) = (facts.disk_free_mib, facts.surroundings.disk_size_mib);
    let is_pressed =
        facts.container.is_empty() && free.saturating_mul(100) < size.saturating_mul(15);
    if size > 0 && (free < LEAST_ROOM || is_pressed) {
        say(format!(
            "only {free} of {size} MiB are free for /var/lib: the kubelet evicts pods when less than 10 to 15 % are"
        ));
    }
}

/// What may be right, if its owner took care.
fn say_possible(facts: &Facts, say: &mut impl FnMut(String)) {
    for chain in &facts.surroundings.dropping_chains {
        say(format!(
            "its nftables chain `{chain}` drops what no rule of it accepts: pods and the API server may be cut off; \
             `nft list chain {chain}` shows the rules (ufw, Docker and hand-made firewalls do this)"
        ));
    }
}

fn shared_machine_ids(hosts: &[(&HostSpec, &Facts)]) -> Vec<Notice> {
    let mut by_id: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (host, facts) in hosts {
        let id = facts.surroundings.machine_id.as_str();
        if !id.is_empty() {
            by_id.entry(id).or_default().push(&host.name);
        }
    }
    let shared = by_id.into_values().filter(|names| names.len() > 1);
    shared
        .map(|names| Notice {
            host: names[0].to_owned(),
            message: format!(
                "{} have one machine-id, as copies of one disk have: addresses by DHCP and logs get mixed up; on all \
                 but one: `sudo rm /etc/machine-id && sudo systemd-machine-id-setup`, and restart",
                names.join(", ")
            ),
        })
        .collect()
}

fn different_mtus(hosts: &[(&HostSpec, &Facts)]) -> Option<Notice> {
    let mtus: Vec<(&str, u32)> = hosts
        .iter()
        .filter_map(|(host, facts)| Some((host.name.as_str(), mtu(host, facts)?)))
        .collect();
    let smallest = mtus.iter().min_by_key(|(_, mtu)| *mtu)?;
    let largest = mtus.iter().max_by_key(|(_, mtu)| *mtu)?;
    (smallest.1 < largest.1).then(|| Notice {
        host: smallest.0.to_owned(),
        message: format!(
            "its network takes packets of {} bytes, that of {} {}: large packets between their pods may get lost",
            smallest.1, largest.0, largest.1
        ),
    })
}

/// Returns how many file watchers (`fs.inotify.max_user_instances`) hosts need that share one kernel.
pub fn needed_watchers<'a>(hosts: impl Iterator<Item = &'a HostSpec>) -> u32 {
    hosts
        .map(|host| {
            let control_plane = if host.roles.control_plane {
                WATCHERS_OF_A_CONTROL_PLANE
            } else {
                0
            };
            WATCHERS + control_plane
        })
        .sum()
}

/// The limit is each machine's own, but containers share that of the computer that they are on.
fn too_few_watchers(hosts: &[(&HostSpec, &Facts)]) -> Option<Notice> {
    let containers: Vec<_> = hosts
        .iter()
        .filter(|(_, facts)| !facts.container.is_empty())
        .collect();
    let needed = needed_watchers(containers.iter().map(|(host, _)| *host));
    let limits = containers
        .iter()
        .map(|(host, facts)| (host, facts.surroundings.inotify_instances));
    let (host, limit) = limits
        .filter(|(_, limit)| *limit > 0)
        .min_by_key(|(_, limit)| *limit)?;
    (limit < needed).then(|| Notice {
        host: host.name.clone(),
        message: format!(
            "the nodes need {needed} file watchers, and the computer that they share allows {limit}: `{MORE_WATCHERS}` \
             on it, for good in /etc/sysctl.d"
        ),
    })
}

/// The largest packet of the interface that has the host's address.
fn mtu(host: &HostSpec, facts: &Facts) -> Option<u32> {
    let address = host.address?.to_string();
    let interface = facts.addresses.iter().find_map(|line| {
        let (interface, with_prefix) = line.split_once(' ')?;
        let found = with_prefix.split('/').next()?;
        (found == address).then_some(interface)
    })?;
    facts.surroundings.mtus.get(interface).copied()
}
