//! `plan` and `up`, which are one piece of code: connect, plan, check; and, for `up`, apply.

pub mod begun;
mod connection;
mod leaving;
pub mod restore;
mod roll;
pub mod rollback;
pub mod rotation;
mod unasked;
pub mod upgrade;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use indexmap::IndexMap;

use self::connection::{Ready, Scope};
use self::unasked::UnaskedHosts;
use super::connect;
use super::dialogue::Dialogue;
use super::lab::{Keys, LabMachines};
use super::left_over::LeftOver;
use super::lost;
use super::members::Members;
use super::outcome::{Applied, Found};
use super::project::Project;
use super::record::{Run, keep_log, observed};
use super::{kubeconfig, limit, machines, memory, stores};
use crate::bundle::{Bundle, Minor, Release};
use crate::diagnostic::{Diagnostics, SourceFile};
use crate::manifest::{self, UserObject};
use crate::model::ClusterSpec;
use crate::plan::{self, versions::choose};
use crate::playbook::{Action, Sources};
use crate::provision::MachineChange;
use crate::report::Summary;
use crate::run::{CheckedHosts, EventSender, Observer, PlannedChanges, RunEvent};

/// What a run installs from, where it isn't the usual.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folder of the bundle.
    pub bundle: Option<PathBuf>,
    /// Folder with playbooks and templates that replace the built-in ones.
    pub overrides: Option<PathBuf>,
    /// Host pattern: only these hosts are changed.
    pub limit: Option<String>,
    /// Hosts whose machines may be taken from another cluster.
    pub take_over: Vec<String>,
    /// Ends agents of other runs that have the lock of a host.
    pub break_lock: bool,
    /// The words of the command, for the journal: `node add`.
    pub command: String,
    /// Minor version of the release to install, in place of the one that the inventory asks for.
    pub release: Option<Minor>,
}

/// One run over all hosts of a project.
pub struct Installation {
    pub project: Project,
    /// Where the inventory and the bundle differ, and the run goes on.
    pub warnings: Diagnostics,
    machines: LabMachines,
    bundle: Arc<Bundle>,
    /// Of the bundle's releases, the one that is installed.
    release: Minor,
    sources: Sources,
    take_over: Vec<String>,
    break_lock: bool,
    run: Run,
    /// Whether keys and secrets that aren't there yet are made and kept.
    access: Keys,
    /// Names of the only hosts that may be changed.
    limit: Option<Vec<String>>,
    /// Held while something may be changed.
    _lock: Option<File>,
}

impl Installation {
    /// Prepares a run that only looks.
    pub fn to_check(settings: &Settings, project: Project) -> Result<Self, Diagnostics> {
        Self::new(settings, project, Keys::Read)
    }

    /// Prepares a run that only looks, and keeps something in the lab's folder meanwhile; takes the lab's lock.
    pub fn to_check_alone(settings: &Settings, project: Project) -> Result<Self, Diagnostics> {
        let lock = lock(&project)?;
        Ok(Self {
            _lock: Some(lock),
            ..Self::new(settings, project, Keys::Read)?
        })
    }

    /// Prepares a run that changes things; takes the lab's lock.
    pub fn to_apply(settings: &Settings, project: Project) -> Result<Self, Diagnostics> {
        Self::new(settings, project, Keys::Make)
    }

    /// Opens bundle, playbooks and keys; connects to nothing yet. What is wrong here is found before anything is kept.
    fn new(settings: &Settings, mut project: Project, access: Keys) -> Result<Self, Diagnostics> {
        let limit = settings.limit.as_deref();
        let limit = limit.map(|it| limit::names(&project, it)).transpose()?;
        let bundle = stores::open_bundle(settings.bundle.as_deref())?;
        let (minor, warning) = match settings.release {
            Some(minor) => (minor, None),
            None => choose(&project.cluster, bundle.manifest()).map_err(|error| vec![error])?,
        };
        let release = bundle.release(Some(minor)).map_err(|error| vec![error])?;
        let warnings = (warning.into_iter().chain(project.settle_network(release))).collect();
        let mut sources = Sources::builtin();
        if let Some(folder) = &settings.overrides {
            sources.override_from(folder).map_err(|error| vec![error])?;
            plan::check_sources(&sources, &project.cluster, release)?;
        }
        let lock = match access {
            Keys::Read => None,
            Keys::Make => {
                LabMachines::require_usable(project.provider())?;
                Some(lock(&project)?)
            }
        };
        let machines = LabMachines::of(&mut project, access)?;
        Ok(Self {
            project,
            warnings,
            machines,
            bundle: Arc::new(bundle),
            release: minor,
            sources,
            take_over: settings.take_over.clone(),
            break_lock: settings.break_lock,
            run: Run::of(&settings.command),
            access,
            limit,
            _lock: lock,
        })
    }

    /// Finds what would change. Machines that don't run, or get another address, are not waited for: their steps are planned from what they
    /// are taken to be like.
    pub fn check_only(self, observer: Box<dyn Observer>) -> Result<Found, Diagnostics> {
        let all_machines = self.machines.changes()?;
        let unasked = UnaskedHosts::of(&self.project, &all_machines, self.limit.as_deref())?;
        let machines = self.of_limit(all_machines);
        machines::check(&machines)?;
        let left_over = self.left_over(&machines)?;
        let members = &left_over.members;
        // Where the cluster doesn't run, it can't be asked.
        let shows_leaving =
            !members.is_empty() && !machines.iter().any(MachineChange::is_start_of_old);
        let known = left_over.names();
        let scope = Scope {
            unasked: Some(&unasked),
            ..self.scope(&known)
        };
        if !shows_leaving && unasked.are_all_of(&self.project.cluster) {
            // Nothing is asked, so that nothing is written down either.
            let plan = self.plan(scope, &IndexMap::new())?.plan;
            let mut planned = PlannedChanges {
                machines,
                ..PlannedChanges::default()
            };
            planned.assume(&plan, unasked.concerned());
            return Ok(Found {
                planned,
                failed: false,
                summary: Summary::default(),
            });
        }
        let _keeping = keep_log(&self.project.directory, &self.run)?;
        let (checked, summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let mut found = CheckedHosts::default();
                if shows_leaving {
                    let leaving = self.check_leaving(members, &events, &cancel);
                    found = leaving.await?;
                }
                let Ready {
                    mut engine, plan, ..
                } = self.connect(scope, &events, &cancel).await?;
                let mut checked = engine
                    .check(&plan, false)
                    .await
                    .map_err(|error| vec![error.diagnostic()])?;
                checked.planned.assume(&plan, unasked.concerned());
                engine.tell(&checked);
                engine.finish().await;
                found.append(checked);
                Ok(found)
            },
        )?;
        let planned = PlannedChanges {
            machines,
            unreachable: summary.unreachable(),
            ..checked.planned
        };
        Ok(Found {
            planned,
            failed: checked.failed,
            summary,
        })
    }

    /// Makes the machines and brings every host to the planned state. What the inventory doesn't have any more goes
    /// only if the user says so: members leave the cluster first, then their machines are removed.
    pub fn up(
        mut self,
        observer: Box<dyn Observer>,
        dialogue: &Dialogue<'_>,
    ) -> Result<Applied, Diagnostics> {
        begun::refuse_if_begun(&self.project)?;
        // What is wrong with them is told before machines are made.
        self.manifests(Action::Up)?;
        if self.machines.made().is_some() {
            let plugin = self.project.state.network_plugin;
            self.project.save_state(&self.project.cluster, plugin)?;
        }
        let _keeping = keep_log(&self.project.directory, &self.run)?;
        let mut changes = self.machine_changes()?;
        let mut left_over = self.left_over(&changes)?;
        left_over.warnings().iter().for_each(dialogue.warn);
        let known = left_over.names();
        if !left_over.is_empty() && !(dialogue.may_remove)(&left_over) {
            left_over = LeftOver::default();
        }
        changes.retain(|it| !it.is_removal() || left_over.machines.contains(&it.host));
        machines::check(&changes)?.iter().for_each(dialogue.warn);
        memory::check(&self.project, &changes)?
            .iter()
            .for_each(dialogue.warn);
        let ((all_done, cluster), summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let started = Instant::now();
                let (project, machines) = (&self.project, &self.machines);
                let mut all_left = true;
                if !left_over.members.is_empty() {
                    // What is there has to run; what is new may need the place of what goes.
                    let (old, rest) = changes
                        .into_iter()
                        .partition(MachineChange::is_start_of_old);
                    changes = rest;
                    let old: Vec<MachineChange> = old;
                    if !old.is_empty() {
                        machines::make(project, machines, &old, &events, &cancel).await?;
                    }
                    let members = &left_over.members;
                    let names: Vec<String> = members.iter().map(|it| it.name.clone()).collect();
                    let left = self.leave(members, &names, &events, &cancel).await?;
                    let stays = |host: &String| names.contains(host) && !left.contains(host);
                    changes.retain(|it| !it.is_removal() || !stays(&it.host));
                    all_left = left.len() == names.len();
                }
                machines::make(project, machines, &changes, &events, &cancel).await?;
                let (ready, checked) = self
                    .connect_alone(self.scope(&known), &events, &cancel)
                    .await?;
                self.project.keep_secrets(&ready.secrets)?;
                let Ready {
                    mut engine,
                    plan,
                    strangers,
                    cluster,
                    etcd_members,
                    answering,
                    all_answer,
                    ..
                } = ready;
                project.save_state(&cluster, Some(cluster.network.plugin))?;
                Members::update(&project.directory, &cluster, &answering, &[])?;
                Members::have_etcd(&project.directory, &etcd_members)?;
                // Not before all hosts were reached and looked at: an `up` that fails early leaves them alone.
                if let Some(key) = machines.key_to_distribute() {
                    connect::authorize(strangers, key, &events).await;
                }
                // What could not be looked at may be so because of what is still to be done before it (an
                // interrupted `kubeadm init`, say): it is looked at again when its turn comes.
                let nothing_to_do = checked.planned.count() == 0
                    && plan.left_out.is_empty()
                    && !checked.failed
                    && !engine.has_pending_handlers();
                let all_done = if nothing_to_do {
                    engine.tell(&checked);
                    true
                } else {
                    engine
                        .apply(&plan)
                        .await
                        .map_err(|error| vec![error.diagnostic()])?
                };
                let members = plan::etcd_hosts::planned(&plan);
                let members = members.filter(|host| !engine.has_failed(host));
                Members::have_etcd(&project.directory, &members.cloned().collect::<Vec<_>>())?;
                engine.finish().await;
                let _ = events.send(RunEvent::Finished {
                    elapsed: started.elapsed(),
                });
                Ok((all_done && all_answer && all_left, cluster))
            },
        )?;
        self.project.cluster = cluster;
        if all_done {
            kubeconfig::write(&mut self.project)?;
        }
        Ok(Applied {
            project: self.project,
            machines: self.machines,
            summary,
            all_done,
        })
    }

    /// The hosts of the inventory, or those of the limit.
    fn scope<'a>(&'a self, known: &'a [String]) -> Scope<'a> {
        Scope {
            action: Action::Up,
            cluster: &self.project.cluster,
            limit: self.limit.as_deref(),
            leaving: &[],
            upgraded: &[],
            known,
            unasked: None,
            encrypted_with: None,
        }
    }

    /// Returns what the inventory doesn't have any more; nothing where the run is for some hosts only.
    fn left_over(&self, changes: &[MachineChange]) -> Result<LeftOver, Diagnostics> {
        LeftOver::refuse_moved_control_planes(&self.project, &self.project.cluster)?;
        LeftOver::refuse_moved_etcd(&self.project)?;
        let names = self.project.cluster.hosts.iter().map(|it| it.name.as_str());
        lost::refuse(&self.project.directory, &names.collect::<Vec<_>>())?;
        match self.limit {
            Some(_) => Ok(LeftOver::default()),
            None => LeftOver::of(&self.project, changes),
        }
    }

    /// Returns what would be done with the machines of the limit.
    fn machine_changes(&self) -> Result<Vec<MachineChange>, Diagnostics> {
        Ok(self.of_limit(self.machines.changes()?))
    }

    fn of_limit(&self, mut changes: Vec<MachineChange>) -> Vec<MachineChange> {
        if let Some(limit) = &self.limit {
            changes.retain(|change| limit.contains(&change.host));
        }
        changes
    }

    /// Reads the user's own objects; nothing where the action doesn't apply them.
    fn manifests(&self, action: Action) -> Result<Vec<UserObject>, Diagnostics> {
        match action {
            Action::Up | Action::Upgrade | Action::Rollback => user_objects(&self.project.cluster),
            _ => Ok(Vec::new()),
        }
    }

    /// Reads the manifests that the bundle carries.
    fn files(&self, release: &Release) -> Result<BTreeMap<String, Arc<SourceFile>>, Diagnostics> {
        let entries = release.files.iter();
        entries
            .map(|(name, entry)| {
                let text = self.bundle.text(&entry.blob).map_err(|error| vec![error])?;
                let path = PathBuf::from(format!("<bundle>/{name}"));
                Ok((name.clone(), Arc::new(SourceFile { path, text })))
            })
            .collect()
    }
}

/// Reads the user's own objects.
pub(super) fn user_objects(cluster: &ClusterSpec) -> Result<Vec<UserObject>, Diagnostics> {
    let paths = cluster.manifests.iter();
    manifest::read(paths.map(|it| (it.path.clone(), &it.location)))
}

/// Takes the lab's lock, and removes what a run that was killed has left of a backup.
fn lock(project: &Project) -> Result<File, Diagnostics> {
    project
        .lock()
        .inspect(|_| restore::clear(&project.directory))
}
