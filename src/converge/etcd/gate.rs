//! The gate before every change of the control plane: whether the cluster can bear it now. Pure.

use std::collections::BTreeMap;

use crate::resource::{ControlPlaneChange, ControlPlaneChangeKind};

const NO_CONTROL_PLANE: &str = "no other control plane would be left: that is `kinstall down`";

/// The control plane as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPlane {
    /// Whether each component is ready, by node and component.
    pub components: BTreeMap<String, BTreeMap<String, bool>>,
    pub members: Vec<Member>,
    /// Alarms that etcd has raised, in words.
    pub alarms: Vec<String>,
    /// Etcd is a service of hosts: a control plane need not have a member, nor a member a control plane.
    pub is_on_hosts: bool,
}

impl ControlPlane {
    fn is_ready_on(&self, node: &str) -> bool {
        let components = self.components.get(node);
        components.is_some_and(|it| it.values().all(|is_ready| *is_ready))
    }
}

/// A member of etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: u64,
    /// Empty until it has started for the first time.
    pub name: String,
    pub peer_urls: Vec<String>,
    pub client_urls: Vec<String>,
    /// Has no vote yet.
    pub is_learner: bool,
    /// Answers requests that need the quorum; what a learner does isn't asked.
    pub is_healthy: bool,
}

impl Member {
    /// Returns whether this is the member of the host with this address.
    pub fn is_at(&self, address: &str) -> bool {
        let url = peer_url(address);
        self.peer_urls.contains(&url)
    }

    /// Returns whether another member could lead in its place.
    pub fn can_hand_over_to(&self, other: &Self) -> bool {
        other.id != self.id && other.is_healthy && !other.is_learner
    }

    /// Returns what a message calls it.
    fn title(&self) -> String {
        if self.name.is_empty() {
            self.peer_urls.join(", ")
        } else {
            self.name.clone()
        }
    }

    fn state(&self) -> &'static str {
        match self {
            Self { name, .. } if name.is_empty() => "has not started",
            Self {
                is_learner: true, ..
            } => "has no vote yet",
            Self {
                is_healthy: true, ..
            } => "healthy",
            _ => "does not answer",
        }
    }

    fn votes(&self) -> bool {
        !self.is_learner
    }
}

/// Returns the URL that other members know a host's member by.
pub fn peer_url(address: &str) -> String {
    if address.contains(':') {
        format!("https://[{address}]:2380")
    } else {
        format!("https://{address}:2380")
    }
}

/// Lets a change through, or says with all numbers why not.
pub fn judge(found: &ControlPlane, change: &ControlPlaneChange) -> Result<(), String> {
    let mut reasons = Vec::new();
    let own = found.members.iter().find(|it| it.is_at(&change.address));
    let others: Vec<&Member> = found
        .members
        .iter()
        .filter(|it| !it.is_at(&change.address))
        .collect();
    let voters = others.iter().filter(|it| it.votes()).count();
    let healthy = others
        .iter()
        .filter(|it| it.votes() && it.is_healthy)
        .count();
    // What is dead already may go while another one is dead as well: each that goes makes the rest safer.
    let is_alive = match own {
        Some(member) => member.is_healthy,
        None => found.is_on_hosts && found.is_ready_on(&change.host),
    };
    let is_burial = change.kind == ControlPlaneChangeKind::Leave && !is_alive;

    for member in &others {
        if member.is_learner || member.name.is_empty() {
            reasons.push(format!(
                "etcd's member {} {}",
                member.title(),
                member.state()
            ));
        } else if !member.is_healthy && !is_burial {
            reasons.push(format!("etcd's member {} does not answer", member.title()));
        }
    }
    for (node, components) in &found.components {
        let unready: Vec<&str> = components
            .iter()
            .filter(|(_, is_ready)| !**is_ready)
            .map(|(component, _)| component.as_str())
            .collect();
        if *node != change.host && !unready.is_empty() && !is_burial {
            reasons.push(format!("not ready on {node}: {}", unready.join(", ")));
        }
    }
    reasons.extend(
        found
            .alarms
            .iter()
            .map(|alarm| format!("etcd has the alarm {alarm}")),
    );
    if change.kind == ControlPlaneChangeKind::Leave {
        let leaving = own.filter(|member| member.votes());
        let all = voters + usize::from(leaving.is_some());
        let answering = healthy + usize::from(leaving.is_some_and(|member| member.is_healthy));
        // A removal is decided by the members that are there now.
        reasons.extend(too_few("voting members are healthy", all, answering));
        reasons.extend(last_control_plane(found, change));
    }
    reasons.extend(quorum(found, change.kind, voters, healthy));
    if reasons.is_empty() {
        return Ok(());
    }
    Err(format!("{}; {}", reasons.join("; "), membership(found)))
}

/// Where etcd is on hosts, its members don't tell whether a control plane is left.
fn last_control_plane(found: &ControlPlane, change: &ControlPlaneChange) -> Option<String> {
    let others = found.components.keys().filter(|it| **it != change.host);
    let is_last = found.is_on_hosts
        && found.components.contains_key(&change.host)
        && !others.into_iter().any(|it| found.is_ready_on(it));
    is_last.then(|| NO_CONTROL_PLANE.to_owned())
}

/// Checks the membership that will be, of whose other members these many vote and are healthy.
fn quorum(
    found: &ControlPlane,
    kind: ControlPlaneChangeKind,
    voters: usize,
    healthy: usize,
) -> Option<String> {
    let after = match kind {
        ControlPlaneChangeKind::Leave if voters == 0 && found.is_on_hosts => {
            return Some(
                "no other member of etcd would be left: that is `kinstall down`".to_owned(),
            );
        }
        ControlPlaneChangeKind::Leave if voters == 0 => return Some(NO_CONTROL_PLANE.to_owned()),
        ControlPlaneChangeKind::Leave => voters,
        // A new member may fail to start. With one or two members there is no choice.
        ControlPlaneChangeKind::Join | ControlPlaneChangeKind::Restart if voters < 2 => {
            return None;
        }
        ControlPlaneChangeKind::Join | ControlPlaneChangeKind::Restart => voters + 1,
    };
    too_few("voting members would be healthy", after, healthy)
}

fn too_few(what: &str, members: usize, healthy: usize) -> Option<String> {
    let quorum = members / 2 + 1;
    (healthy < quorum).then(|| format!("{healthy} of {members} {what}, {quorum} are needed"))
}

fn membership(found: &ControlPlane) -> String {
    let members: Vec<String> = found
        .members
        .iter()
        .map(|member| format!("{} ({})", member.title(), member.state()))
        .collect();
    format!("etcd has {}: {}", plural(members.len()), members.join(", "))
}

fn plural(count: usize) -> String {
    match count {
        1 => "1 member".to_owned(),
        count => format!("{count} members"),
    }
}

#[cfg(test)]
mod tests;
