//! Connects to the hosts of a run and plans what is done there.

use std::time::Duration;

use indexmap::IndexMap;

use super::Installation;
use super::begun::Begun;
use super::unasked::UnaskedHosts;
use crate::credentials::{ClusterSecrets, EncryptionKeys};
use crate::diagnostic::Diagnostics;
use crate::install::connect::{self, Stranger};
use crate::install::lab::Keys;
use crate::install::left_over::LeftOver;
use crate::install::record::log_plan;
use crate::install::{authorities, encryption, keys_in_use, service_accounts};
use crate::install::{reported, template_secrets};
use crate::model::ClusterSpec;
use crate::plan::surroundings::Notice;
use crate::plan::upgrade::findings;
use crate::plan::versions::{self, check_nodes};
use crate::plan::{self, Plan, PlanInput};
use crate::plan::{etcd_hosts, foreign};
use crate::playbook::Action;
use crate::run::{Cancel, CheckedHosts, Engine, EventSender, RunError, RunEvent, RunIdentity};
use crate::wire::{ControlPlaneState, Facts};

/// What is done with which hosts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub action: Action,
    pub cluster: &'a ClusterSpec,
    /// Names of the only hosts that may be changed.
    pub limit: Option<&'a [String]>,
    /// Names of the hosts that are taken out of the cluster.
    pub leaving: &'a [String],
    /// Names of the hosts that run all of the release already, in an upgrade.
    pub upgraded: &'a [String],
    /// Names of Nodes that the inventory doesn't have, and that the user is told of elsewhere.
    pub known: &'a [String],
    /// Hosts that are not asked, in a plan that is only shown.
    pub unasked: Option<&'a UnaskedHosts>,
    /// What the data of a backup was encrypted with, in a restore.
    pub encrypted_with: Option<&'a EncryptionKeys>,
}

/// What is done with the hosts, planned from what they are like.
pub(super) struct Planned {
    pub plan: Plan,
    /// With the addresses that the hosts say they have.
    pub cluster: ClusterSpec,
    /// Names of the hosts that are members of etcd as a service already.
    pub etcd_members: Vec<String>,
    /// The cluster's own, as the plan has them.
    pub secrets: ClusterSecrets,
    /// What is worth knowing before.
    pub notices: Vec<Notice>,
}

/// All that a run has before it changes a host.
pub(super) struct Ready {
    pub engine: Engine,
    pub plan: Plan,
    pub strangers: Vec<Stranger>,
    /// With the addresses that the hosts say they have.
    pub cluster: ClusterSpec,
    /// Names of the hosts that are members of etcd as a service already.
    pub etcd_members: Vec<String>,
    /// Names of the hosts that answer, of those that may be changed.
    pub answering: Vec<String>,
    /// No host was left out because it couldn't be reached.
    pub all_answer: bool,
    /// Names of the control planes that answer and don't have all that the static pods need.
    pub unfinished: Vec<String>,
    /// Nodes that answer and have not joined the cluster.
    pub not_joined: Vec<String>,
    /// The cluster's own, as the plan has them.
    pub secrets: ClusterSecrets,
}

impl Ready {
    /// Finds what the plan would change.
    pub(super) async fn check(mut self) -> Result<CheckedHosts, Diagnostics> {
        let checked = self.engine.check(&self.plan, false).await;
        self.engine.finish().await;
        checked.map_err(|error| vec![error.diagnostic()])
    }

    /// Does what the plan says; returns whether all of it was done, and nothing had to be left out.
    pub(super) async fn apply(&mut self) -> Result<bool, Diagnostics> {
        let applied = self.engine.apply(&self.plan).await;
        let all_done = applied.map_err(|error: RunError| vec![error.diagnostic()])?;
        Ok(all_done && self.plan.left_out.is_empty())
    }
}

impl Installation {
    /// Connects, and looks at the hosts when no other run is at work on them any more. What a host has said of itself
    /// before may be wrong by then (the join that it was in the middle of is done), so that it is asked again.
    pub(super) async fn connect_alone(
        &self,
        scope: Scope<'_>,
        events: &EventSender,
        cancel: &Cancel,
    ) -> Result<(Ready, CheckedHosts), Diagnostics> {
        loop {
            let mut ready = self.connect(scope, events, cancel).await?;
            let checked = ready.engine.check(&ready.plan, true).await;
            let checked = checked.map_err(|error| vec![error.diagnostic()])?;
            if !ready.engine.has_waited() {
                return Ok((ready, checked));
            }
            ready.engine.finish().await;
        }
    }

    /// Connects to the hosts at once and builds the plan from what their agents say.
    pub(super) async fn connect(
        &self,
        scope: Scope<'_>,
        events: &EventSender,
        cancel: &Cancel,
    ) -> Result<Ready, Diagnostics> {
        let Scope { limit, .. } = scope;
        let is_concerned = |name: &String| limit.is_none_or(|limit| limit.contains(name));
        let mut cluster = scope.cluster.clone();
        if let Some(unasked) = scope.unasked {
            cluster.hosts.retain(|host| !unasked.has(&host.name));
        }
        let names = cluster.hosts.iter().map(|host| host.name.clone());
        let _ = events.send(RunEvent::Started {
            run: self.run.name.clone(),
            hosts: names.filter(is_concerned).collect(),
        });
        let patience = self
            .machines
            .made()
            .map_or(Duration::ZERO, |(provider, _)| provider.patience());
        let all = connect::all(
            &self.project,
            &cluster,
            &self.machines,
            limit,
            patience,
            // Those that are only reset can't be without being reached.
            if scope.action == Action::Remove {
                scope.leaving
            } else {
                &[]
            },
            &self.bundle,
            events,
            cancel,
        );
        let connected = cancel.unless(all).await;
        let connect::Connected {
            mut hosts,
            strangers,
            all_answer,
        } = connected.map_err(|error| vec![error.diagnostic()])??;
        let facts: IndexMap<_, _> = hosts
            .iter()
            .map(|host| (host.name.clone(), host.facts.clone()))
            .collect();
        let planned = self.plan(scope, &facts)?;
        let Planned {
            plan,
            cluster,
            etcd_members,
            secrets,
            notices,
        } = planned;
        for Notice { host, message } in notices {
            let _ = events.send(RunEvent::Notice { host, message });
        }
        let answering = facts.keys().filter(|name| is_concerned(name));
        let answering = answering.cloned().collect();
        if limit.is_some() {
            // Some were only asked.
            hosts.retain(|host| plan.concerns(&host.name));
        }
        let unfinished = cluster.control_planes().filter(|host| {
            let facts = facts.get(&host.name);
            facts.is_some_and(|facts| facts.control_plane == ControlPlaneState::Absent)
        });
        let unfinished = unfinished.map(|host| host.name.clone()).collect();
        let not_joined = cluster.nodes().filter(|host| {
            let facts = facts.get(&host.name);
            facts.is_some_and(|facts| !facts.traces.joined)
        });
        let not_joined = not_joined.map(|host| host.name.clone()).collect();
        let identity = RunIdentity {
            run: self.run.name.clone(),
            project: self.project.state.id.clone(),
            break_lock: self.break_lock,
        };
        let engine = Engine::new(identity, hosts, events.clone());
        Ok(Ready {
            engine,
            plan,
            strangers,
            cluster,
            etcd_members,
            answering,
            all_answer,
            unfinished,
            not_joined,
            secrets,
        })
    }

    /// Builds the plan from what hosts say that were asked, and from what the others are taken to be like.
    pub(super) fn plan(
        &self,
        scope: Scope<'_>,
        asked: &IndexMap<String, Facts>,
    ) -> Result<Planned, Diagnostics> {
        let minor = match (scope.action, &scope.cluster.kubernetes_version) {
            // They are for a release of their own.
            (Action::Upgrade | Action::Rollback | Action::Restore, _) | (_, Some(_)) => None,
            (_, None) => versions::kept(asked, self.bundle.manifest()),
        };
        let release = self.bundle.release(minor.or(Some(self.release)));
        let release = release.map_err(|error| vec![error])?;
        let mut cluster = scope.cluster.with_reported(&reported::addresses(asked))?;
        if scope.action == Action::Up {
            LeftOver::refuse_moved_control_planes(&self.project, &cluster)?;
        }
        let taken: Vec<&str> = self.take_over.iter().map(String::as_str).collect();
        if let Some((_, plugin)) = plan::network_plugin::running(&cluster, asked, &taken) {
            cluster.network.settle(plugin);
        }
        let mut own = match self.access {
            Keys::Make => self.project.secrets()?,
            Keys::Read => self.project.secrets_to_look_at()?,
        };
        let mut facts = asked.clone();
        if let Some(unasked) = scope.unasked {
            facts.extend(unasked.facts());
        }
        let mut problems = keys_in_use::keep(&mut own, &cluster, &facts);
        problems.extend(encryption::another_algorithm(&own, &cluster, &facts));
        let gives_keys = matches!(
            scope.action,
            Action::Up
                | Action::Upgrade
                | Action::RotateEncryption
                | Action::RotateServiceAccounts
                | Action::RotateAuthorities
                | Action::Rollback
        );
        if gives_keys && !problems.is_empty() {
            return Err(problems);
        }
        keys_in_use::keep_those_of(&mut own, scope.encrypted_with);
        let mut notices = Vec::new();
        let said = [
            encryption::settle(&mut cluster, &own),
            service_accounts::settle(&mut cluster, &own),
            authorities::settle(&own),
        ];
        let first = cluster.control_planes().next().map(|it| it.name.clone());
        if scope.action == Action::Up {
            notices.extend(said.into_iter().flatten().map(|message| Notice {
                host: first.clone().unwrap_or_default(),
                message,
            }));
        }
        let secrets = template_secrets::of(&cluster, &own, &self.project.directory, self.access)?;
        let input = PlanInput {
            cluster: &cluster,
            facts: &facts,
            bundle: release,
            files: &self.files(release)?,
            manifests: &self.manifests(scope.action)?,
            secrets: &secrets,
            sources: &self.sources,
            take_over: &self.take_over,
            limit: scope.limit,
            leaving: scope.leaving,
            upgraded: scope.upgraded,
            action: scope.action,
        };
        // What a rollback needs is there when it goes on, and no API server answers then.
        let starts_rollback = scope.action == Action::Rollback && !Begun::exists(&self.project);
        if starts_rollback || scope.action == Action::Upgrade {
            let problems = findings::of_nodes(&cluster, asked);
            if !problems.is_empty() {
                return Err(problems);
            }
        }
        if scope.action == Action::Restore {
            // Data of a newer version would stop those that run.
            let problems = check_nodes(&cluster, release, asked);
            if !problems.is_empty() {
                return Err(problems);
            }
        }
        if scope.action == Action::Up {
            // What another cluster runs on a machine goes with it.
            let mut staying = facts.clone();
            for host in foreign::taken_over(&input)? {
                staying.shift_remove(host);
            }
            let problems = check_nodes(&cluster, release, &staying);
            if !problems.is_empty() {
                return Err(problems);
            }
        }
        let plan = plan::build(&input)?;
        let etcd_members = etcd_hosts::members(&input, &foreign::carriers(&input));
        log_plan(&plan);
        if scope.action == Action::Up {
            notices.extend(plan::surroundings::notices(&cluster, asked, false));
            notices.extend(plan::unknown_nodes::notices(&cluster, asked, scope.known));
            notices.extend(plan::no_longer_wanted::notices(&plan, &input));
        }
        Ok(Planned {
            plan,
            cluster,
            etcd_members,
            secrets: own,
            notices,
        })
    }
}
