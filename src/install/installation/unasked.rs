//! Hosts whose machines don't run, or not where the inventory has them, as a plan takes them to be: nothing is started,
//! and nothing is waited for.

use indexmap::IndexMap;

use crate::diagnostic::Diagnostics;
use crate::install::project::Project;
use crate::install::recorded;
use crate::model::{ClusterSpec, Provider};
use crate::provision::{MachineAction, MachineChange};
use crate::resource::CommandState;
use crate::run::{AssumedHost, FactsFrom, Unasked};
use crate::wire::Facts;

/// The hosts whose machines can't be asked.
#[derive(Debug, Default)]
pub(super) struct UnaskedHosts {
    /// Those that may be changed, in inventory order, with what they are taken to be like.
    concerned: Vec<(AssumedHost, Facts)>,
    /// Names of the others: they are like hosts that don't answer.
    others: Vec<String>,
}

impl UnaskedHosts {
    /// Finds them among all machines of the lab, and what earlier runs wrote down of them.
    pub fn of(
        project: &Project,
        changes: &[MachineChange],
        limit: Option<&[String]>,
    ) -> Result<Self, Diagnostics> {
        let silent = changes.iter().filter(|it| it.is_start() || it.is_move());
        let mut unasked = Self::default();
        let mut made = Vec::new();
        for change in silent {
            let host = change.host.clone();
            if limit.is_some_and(|limit| !limit.contains(&host)) {
                unasked.others.push(host);
                continue;
            }
            let machine = if change.action == MachineAction::Create {
                Unasked::NotMade
            } else {
                made.push(host.clone());
                if change.is_move() {
                    Unasked::Moves
                } else {
                    Unasked::Halted
                }
            };
            let facts = from_image(&host, project.provider());
            let host = AssumedHost {
                host,
                machine,
                facts: FactsFrom::Image,
                done: Vec::new(),
            };
            unasked.concerned.push((host, facts));
        }
        let mut recorded = recorded::facts(&project.directory, made)?;
        for (host, facts) in &mut unasked.concerned {
            if let Some(known) = recorded.remove(&host.host) {
                let commands = known.commands.iter();
                let done = commands.filter(|(_, state)| **state == CommandState::Done);
                host.done = done.map(|(id, _)| id.clone()).collect();
                *facts = known;
                host.facts = FactsFrom::LastRun;
            }
        }
        Ok(unasked)
    }

    pub fn has(&self, name: &str) -> bool {
        let mut concerned = self.concerned.iter();
        concerned.any(|(host, _)| host.host == name) || self.others.iter().any(|it| it == name)
    }

    /// Returns whether no host of a cluster is left to ask.
    pub fn are_all_of(&self, cluster: &ClusterSpec) -> bool {
        cluster.hosts.iter().all(|host| self.has(&host.name))
    }

    /// Returns those that may be changed.
    pub fn concerned(&self) -> Vec<AssumedHost> {
        self.concerned
            .iter()
            .map(|(host, _)| host.clone())
            .collect()
    }

    /// Returns what those that may be changed are taken to be like.
    pub fn facts(&self) -> IndexMap<String, Facts> {
        let facts = self.concerned.iter();
        facts
            .map(|(host, facts)| (host.host.clone(), facts.clone()))
            .collect()
    }
}

/// Returns what a machine fresh from its image is like, as far as it decides which steps there are; what it decides in
/// files isn't shown.
fn from_image(name: &str, provider: Option<Provider>) -> Facts {
    let is_container = provider == Some(Provider::Container);
    Facts {
        hostname: name.to_owned(),
        // Machines have the processor of this computer.
        architecture: std::env::consts::ARCH.to_owned(),
        cgroup_version: 2,
        container: if is_container { "kinstall" } else { "" }.to_owned(),
        can_lower_oom_score: !is_container,
        ..Facts::default()
    }
}
