//! `upgrade`: what runs is read, the path to what is wanted is told, and each hop of it is a roll over all nodes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Installation;
use super::connection::Scope;
use crate::bundle::{Minor, Release};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::outcome::Found;
use crate::install::record::{carried_out, observed};
use crate::install::{etcd, kubectl};
use crate::plan::upgrade::path::releases;
pub use crate::plan::upgrade::{Hop, RunningVersions};
use crate::plan::upgrade::{PathError, ReleaseVersions, findings, path};
use crate::playbook::Action;
use crate::report::{NodeStatus, Summary};
use crate::run::{EventSender, Observer};

/// Where etcd's data is kept as it was before a version came; on the control plane that acted for the cluster.
pub const SNAPSHOTS: &str = "/var/lib/kinstall/etcd";

/// Annotation of the nodes that an upgrade has cordoned; the playbooks set it.
const CORDONED_BY: &str = "kinstall.local/cordoned-by";

/// How one hop ended.
pub struct Rolled {
    pub summary: Summary,
    pub all_done: bool,
    /// The control planes that have a snapshot of etcd from before.
    pub backed_up: Vec<String>,
}

impl Installation {
    /// Asks the cluster what it runs.
    pub fn running(&self) -> Result<RunningVersions, Diagnostics> {
        let options = "get nodes,pods --namespace kube-system --output json";
        Ok(RunningVersions::of(&self.ask(options)?))
    }

    /// Returns the hops to the release that is installed in the end, and checks the cluster for what speaks against them.
    pub fn path(&self, running: &RunningVersions) -> Result<Vec<Hop>, Diagnostics> {
        let releases = releases(self.bundle.manifest());
        let hops = path(running, &releases, self.release);
        let hops = hops.map_err(|error| vec![self.no_path(&error)])?;
        if hops.is_empty() {
            return Ok(hops);
        }
        let way = "to keep the version, set `kube_version` in the inventory";
        etcd::refuse_on_hosts(&self.project, "upgrade", way)?;
        let mut problems = findings::of_cluster(&self.project.cluster, running);
        let metrics = "get --raw /metrics | grep ^apiserver_requested_deprecated_apis || true";
        let metrics = kubectl::run(&self.project, &self.machines, &[metrics])?;
        let metrics = String::from_utf8_lossy(&metrics.stdout).into_owned();
        problems.extend(findings::of_clients(&metrics, &hops));
        if problems.is_empty() {
            Ok(hops)
        } else {
            Err(problems)
        }
    }

    /// Returns what nodes run in other versions than they should, by node.
    pub fn differences(
        &self,
        running: &RunningVersions,
    ) -> Result<BTreeMap<String, Vec<String>>, Diagnostics> {
        let Some(release) = ReleaseVersions::of(self.release()?) else {
            return Ok(BTreeMap::new());
        };
        let hosts = self.project.cluster.hosts.iter();
        let found = hosts.map(|host| {
            let differences = running.differences(&host.name, &release);
            (host.name.clone(), differences)
        });
        Ok(found.filter(|(_, it)| !it.is_empty()).collect())
    }

    /// Finds what a hop would change.
    pub fn check_hop(
        &mut self,
        hop: &Hop,
        running: &RunningVersions,
        observer: Box<dyn Observer>,
    ) -> Result<Found, Diagnostics> {
        self.release = hop.release;
        self.run = self.run.next();
        let upgraded = self.upgraded(running)?;
        let (checked, summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let connected = self.connect(self.roll(&upgraded), &events, &cancel);
                connected.await?.check().await
            },
        )?;
        Ok(Found::of(checked, summary))
    }

    /// Moves all nodes to the release of a hop, or those up to the one to pause after.
    pub fn take_hop(
        &mut self,
        hop: &Hop,
        running: &RunningVersions,
        pause_after: Option<&str>,
        observer: Box<dyn Observer>,
    ) -> Result<Rolled, Diagnostics> {
        self.release = hop.release;
        self.run = self.run.next();
        let upgraded = self.upgraded(running)?;
        let ((all_done, backed_up), summary) = carried_out(
            &self.project.directory,
            &self.run,
            observer,
            async |events, cancel| {
                let connected = self.connect_alone(self.roll(&upgraded), events, cancel);
                let (mut ready, _) = connected.await?;
                if let Some(host) = pause_after {
                    ready.plan.end_after(host);
                }
                let backup = ready
                    .plan
                    .phases
                    .iter()
                    .find(|phase| phase.name == "backup");
                let backed_up = backup.map(|phase| phase.batches.keys().cloned().collect());
                let all_done = ready.apply().await?;
                ready.engine.finish().await;
                Ok((all_done, backed_up.unwrap_or_default()))
            },
        )?;
        Ok(Rolled {
            summary,
            all_done,
            backed_up,
        })
    }

    /// Lets the nodes take pods again that an upgrade cordoned and that are ready, after it stopped; returns their names.
    pub fn let_in_again(&self) -> Result<Vec<String>, Diagnostics> {
        let list = self.ask("get nodes --output json")?;
        let nodes = list["items"].as_array().into_iter().flatten();
        let names: Vec<String> = nodes
            .filter(|node| node["metadata"]["annotations"][CORDONED_BY] == "upgrade")
            .filter(|node| NodeStatus::of(node).ready)
            .filter_map(|node| Some(node["metadata"]["name"].as_str()?.to_owned()))
            .collect();
        if !names.is_empty() {
            let nodes = names.join(" ");
            for command in [
                format!("uncordon {nodes}"),
                format!("annotate node {nodes} {CORDONED_BY}-"),
            ] {
                kubectl::run(&self.project, &self.machines, &[&command])?;
            }
        }
        Ok(names)
    }

    /// Returns the release that is installed.
    pub fn release(&self) -> Result<&Release, Diagnostics> {
        let release = self.bundle.release(Some(self.release));
        release.map_err(|error| vec![error])
    }

    /// Returns the minor versions that the bundle has and that are newer than the one that is installed.
    pub fn newer_releases(&self) -> Vec<Minor> {
        let releases = self.bundle.manifest().releases.keys();
        releases
            .filter(|minor| **minor > self.release)
            .copied()
            .collect()
    }

    /// All hosts but those that have moved already.
    fn roll<'a>(&'a self, upgraded: &'a [String]) -> Scope<'a> {
        Scope {
            action: Action::Upgrade,
            upgraded,
            ..self.scope(&[])
        }
    }

    /// Returns the hosts that run all of the release.
    fn upgraded(&self, running: &RunningVersions) -> Result<Vec<String>, Diagnostics> {
        let behind = self.differences(running)?;
        let is_behind = |name: &str| {
            let differences = behind.get(name).into_iter().flatten();
            // It runs in the cluster, and moves with the other add-ons.
            differences
                .into_iter()
                .any(|it| !it.starts_with("kube-proxy "))
        };
        let hosts = self.project.cluster.hosts.iter();
        let names = hosts.map(|host| host.name.clone());
        Ok(names.filter(|name| !is_behind(name)).collect())
    }

    fn ask(&self, options: &str) -> Result<Value, Diagnostics> {
        let finished = kubectl::run(&self.project, &self.machines, &[options])?;
        serde_json::from_slice(&finished.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&finished.stderr);
            let last = said.lines().last().unwrap_or("no output");
            let message = format!("the API server did not answer: {last}");
            vec![Diagnostic::error(Kind::Environment, message).hint("`kinstall status` shows more")]
        })
    }

    fn no_path(&self, error: &PathError) -> Diagnostic {
        let diagnostic = Diagnostic::error(Kind::Bundle, error.to_string());
        match error {
            PathError::NotInBundle { missing, .. } => {
                let known = self.bundle.manifest().releases.keys();
                let mut all: Vec<Minor> = known.chain(missing).copied().collect();
                all.sort_unstable();
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                diagnostic.hint(format!(
                    "build a bundle that has all of it: `kinstall bundle build --kubernetes {}`",
                    all.join(",")
                ))
            }
            PathError::Downgrade { .. } => {
                diagnostic.hint("Kubernetes and etcd can't go back to an older version with their data")
            }
            PathError::EtcdTooOld { .. } => {
                diagnostic.hint("a bundle whose release for the cluster's own minor version has a newer etcd gets it there first")
            }
            PathError::NoApiServer | PathError::KubeletTooOld { .. } => diagnostic,
        }
    }
}
