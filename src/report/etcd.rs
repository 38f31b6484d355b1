//! etcd's members and how they are, from what etcdctl says on a control plane.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::backup::Snapshot;

/// What `kinstall etcd status` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EtcdStatus {
    /// The control plane that was asked.
    pub asked: String,
    pub members: Vec<EtcdMember>,
    /// The newest snapshot that the timer keeps on the control plane that was asked; it was tried.
    pub saved: Option<Snapshot>,
    /// What is not as it should be, in words.
    pub problems: Vec<String>,
}

/// A member of etcd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EtcdMember {
    /// As etcdctl shows it, hexadecimal.
    pub id: String,
    /// Empty until it has started for the first time.
    pub name: String,
    pub peer_url: String,
    pub client_url: String,
    /// Has no vote yet.
    pub learner: bool,
    /// Answers requests that need a majority of the members.
    pub healthy: bool,
    pub alarms: Vec<String>,
    /// `None` where it doesn't answer at all.
    pub state: Option<MemberState>,
}

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberState {
    pub version: String,
    pub leader: bool,
    pub raft_term: u64,
    pub raft_index: u64,
    /// Bytes of the data file, and bytes of it that are used: `kinstall etcd defrag` gives back the rest.
    pub size: u64,
    pub size_in_use: u64,
}

impl EtcdMember {
    /// Returns what a message calls it.
    pub fn title(&self) -> &str {
        if self.name.is_empty() {
            &self.peer_url
        } else {
            &self.name
        }
    }
}

impl EtcdStatus {
    /// Reads lines `== members`, `== status`, `== health` and `== alarms`, each with etcdctl's JSON after it, and
    /// `== saved` with what the timer's program says; `None` without a list of members.
    pub fn read(asked: &str, listing: &str) -> Option<Self> {
        let parts: BTreeMap<&str, Value> = listing
            .split("== ")
            .filter_map(|part| {
                let (name, text) = part.split_once('\n')?;
                Some((name, serde_json::from_str(text.trim()).ok()?))
            })
            .collect();
        let part = |name: &str| parts.get(name).cloned().unwrap_or_default();
        let list = part("members");
        let mut members: Vec<EtcdMember> = entries(list.get("members")?).map(member).collect();
        let (answers, health, alarms) = (part("status"), part("health"), part("alarms"));
        for member in &mut members {
            let endpoint = member.client_url.as_str();
            let own = entries(&answers).find(|it| it["Endpoint"] == endpoint);
            member.state = own.map(|it| state(&it["Status"]));
            member.healthy =
                entries(&health).any(|it| it["endpoint"] == endpoint && it["health"] == true);
            let raised = entries(&alarms["alarms"]).filter(|it| hex(&it["memberID"]) == member.id);
            member.alarms = raised.map(|it| alarm(&it["alarm"])).collect();
        }
        members.sort_by(|one, other| one.name.cmp(&other.name));
        let mut status = Self {
            asked: asked.to_owned(),
            members,
            saved: serde_json::from_value(part("saved")).ok(),
            problems: Vec::new(),
        };
        status.problems = status.found().collect();
        Some(status)
    }

    /// Adds the members that should be there, as the inventory has them, and aren't; and those that should not.
    pub fn compare(&mut self, hosts: &[String]) {
        for name in hosts {
            if !self.members.iter().any(|it| it.name == *name) {
                let problem = format!("`{name}` should have a member of etcd, and has none");
                self.problems.push(problem);
            }
        }
        for member in &self.members {
            if !member.name.is_empty() && !hosts.contains(&member.name) {
                let problem = format!(
                    "the member {} is of no host that the inventory gives one",
                    member.title()
                );
                self.problems.push(problem);
            }
        }
    }

    fn found(&self) -> impl Iterator<Item = String> {
        let voters = self.members.iter().filter(|it| !it.learner);
        let healthy = voters.clone().filter(|it| it.healthy).count();
        let voters = voters.count();
        let quorum = voters / 2 + 1;
        let of_members = self.members.iter().flat_map(|member| {
            let title = member.title();
            let mut problems = Vec::new();
            if member.name.is_empty() {
                problems.push(format!("the member {title} has not started"));
            } else if member.learner {
                problems.push(format!("the member {title} has no vote yet"));
            } else if !member.healthy && member.state.is_some() {
                problems.push(format!(
                    "the member {title} answers, but can't serve requests"
                ));
            } else if !member.healthy {
                problems.push(format!("the member {title} does not answer"));
            }
            let alarms = member.alarms.iter();
            problems.extend(
                alarms.map(|alarm| format!("the member {title} has raised the alarm {alarm}")),
            );
            problems
        });
        let is_lost = healthy < quorum;
        let lost = is_lost.then(|| {
            format!("{healthy} of {voters} voting members are healthy, {quorum} are needed: etcd takes no writes")
        });
        of_members.chain(lost).collect::<Vec<_>>().into_iter()
    }
}

fn member(value: &Value) -> EtcdMember {
    let first = |value: &Value| text(value.get(0).unwrap_or(&Value::Null));
    EtcdMember {
        id: hex(&value["ID"]),
        name: text(&value["name"]),
        peer_url: first(&value["peerURLs"]),
        client_url: first(&value["clientURLs"]),
        learner: value["isLearner"] == true,
        ..EtcdMember::default()
    }
}

fn state(status: &Value) -> MemberState {
    let number = |name: &str| status[name].as_u64().unwrap_or_default();
    MemberState {
        version: text(&status["version"]),
        leader: number("leader") != 0 && status["leader"] == status["header"]["member_id"],
        raft_term: number("raftTerm"),
        raft_index: number("raftIndex"),
        size: number("dbSize"),
        size_in_use: number("dbSizeInUse"),
    }
}

fn alarm(value: &Value) -> String {
    match value.as_u64() {
        Some(1) => "NOSPACE".to_owned(),
        Some(2) => "CORRUPT".to_owned(),
        _ => value.to_string(),
    }
}

fn hex(value: &Value) -> String {
    format!("{:x}", value.as_u64().unwrap_or_default())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests;
