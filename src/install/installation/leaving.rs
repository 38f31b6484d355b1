//! Takes hosts out of the cluster: on demand, and where the inventory doesn't have them any more.

use super::Installation;
use super::begun;
use super::connection::Scope;
use crate::diagnostic::Diagnostics;
use crate::install::left_over::refuse_etcd_on_control_planes;
use crate::install::members::{self, Member, Members};
use crate::install::outcome::{Applied, Found, Removed};
use crate::install::record::{carried_out, observed};
use crate::model::ClusterSpec;
use crate::playbook::Action;
use crate::run::{Cancel, CheckedHosts, EventSender, Observer};

impl Installation {
    /// Takes hosts out of the cluster, one after another: their pods, their etcd members, Kubernetes on them
    /// and their Node objects. The machines stay. Those that don't answer are taken out all the same, and so are
    /// members that the inventory doesn't have.
    pub fn remove(
        self,
        observer: Box<dyn Observer>,
        leaving: &[String],
    ) -> Result<Removed, Diagnostics> {
        let departed = self.departed(leaving)?;
        let (left, summary) = carried_out(
            &self.project.directory,
            &self.run,
            observer,
            async |events, cancel| {
                let left = self.leave(&departed, leaving, events, cancel).await?;
                Ok(left)
            },
        )?;
        let applied = Applied {
            project: self.project,
            machines: self.machines,
            summary,
            all_done: left.len() == leaving.len(),
        };
        Ok(Removed { applied, left })
    }

    /// Returns what [`Installation::remove`] would do with some hosts; without names, [`Installation::reset`].
    pub fn check_removal(
        &self,
        observer: Box<dyn Observer>,
        leaving: &[String],
    ) -> Result<Found, Diagnostics> {
        let (checked, summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let departed = self.departed(leaving)?;
                let cluster = members::with(&self.project.cluster, &departed);
                let names = self.hosts();
                let scope = match leaving {
                    [] => self.reset_scope(&names),
                    _ => remove_scope(&cluster, leaving),
                };
                self.connect(scope, &events, &cancel).await?.check().await
            },
        )?;
        Ok(Found::of(checked, summary))
    }

    /// Takes Kubernetes off all hosts, with all that is in the cluster; the machines stay.
    pub fn reset(self, observer: Box<dyn Observer>) -> Result<Applied, Diagnostics> {
        let (all_done, summary) = carried_out(
            &self.project.directory,
            &self.run,
            observer,
            async |events, cancel| {
                let names = self.hosts();
                let connected = self.connect_alone(self.reset_scope(&names), events, cancel);
                let (mut ready, _) = connected.await?;
                let all_done = ready.apply().await?;
                let mut reset = ready.answering;
                reset.retain(|name| !ready.engine.has_failed(name));
                ready.engine.finish().await;
                Members::update(&self.project.directory, &self.project.cluster, &[], &reset)?;
                let reset: Vec<&str> = reset.iter().map(String::as_str).collect();
                Members::are_gone(&self.project.directory, &reset)?;
                begun::forget(&self.project)?;
                Ok(all_done && ready.all_answer)
            },
        )?;
        Ok(Applied {
            project: self.project,
            machines: self.machines,
            summary,
            all_done,
        })
    }

    /// Returns those of some members that the inventory doesn't have. Fails where it has etcd elsewhere.
    fn departed(&self, leaving: &[String]) -> Result<Vec<Member>, Diagnostics> {
        let cluster = &self.project.cluster;
        let known = Members::load(&self.project.directory)?;
        // A reset asks nobody what the cluster can do without.
        if let Some(members) = known.as_ref().filter(|_| !leaving.is_empty()) {
            refuse_etcd_on_control_planes(members, cluster)?;
        }
        let mut departed = known.map_or_else(Vec::new, |it| it.departed(cluster));
        departed.retain(|member| leaving.contains(&member.name));
        Ok(departed)
    }

    /// Names of all hosts of the inventory.
    fn hosts(&self) -> Vec<String> {
        let hosts = self.project.cluster.hosts.iter();
        hosts.map(|host| host.name.clone()).collect()
    }

    fn reset_scope<'a>(&'a self, names: &'a [String]) -> Scope<'a> {
        Scope {
            action: Action::Reset,
            ..remove_scope(&self.project.cluster, names)
        }
    }

    /// Takes hosts out of the cluster; returns the names of those that are out now. `departed` are those among them
    /// that the inventory doesn't have.
    pub(super) async fn leave(
        &self,
        departed: &[Member],
        leaving: &[String],
        events: &EventSender,
        cancel: &Cancel,
    ) -> Result<Vec<String>, Diagnostics> {
        let cluster = members::with(&self.project.cluster, departed);
        let scope = remove_scope(&cluster, leaving);
        let (mut ready, _) = self.connect_alone(scope, events, cancel).await?;
        ready.apply().await?;
        let mut left = Vec::new();
        if ready.plan.left_out.is_empty() {
            let has_left = |it: &&String| !ready.engine.has_failed(it);
            left.extend(leaving.iter().filter(has_left).cloned());
        }
        ready.engine.finish().await;
        Members::update(&self.project.directory, &cluster, &[], &left)?;
        // What those have that didn't answer is still on their disks.
        let reset = left.iter().filter(|it| ready.answering.contains(it));
        let reset: Vec<&str> = reset.map(String::as_str).collect();
        Members::are_gone(&self.project.directory, &reset)?;
        Ok(left)
    }

    /// Returns what [`Installation::leave`] would do with members that the inventory doesn't have.
    pub(super) async fn check_leaving(
        &self,
        departed: &[Member],
        events: &EventSender,
        cancel: &Cancel,
    ) -> Result<CheckedHosts, Diagnostics> {
        let names: Vec<String> = departed.iter().map(|it| it.name.clone()).collect();
        let cluster = members::with(&self.project.cluster, departed);
        let scope = remove_scope(&cluster, &names);
        self.connect(scope, events, cancel).await?.check().await
    }
}

/// The hosts that leave, and those who have to do with it.
fn remove_scope<'a>(cluster: &'a ClusterSpec, leaving: &'a [String]) -> Scope<'a> {
    Scope {
        action: Action::Remove,
        cluster,
        limit: Some(leaving),
        leaving,
        upgraded: &[],
        known: &[],
        unasked: None,
        encrypted_with: None,
    }
}
