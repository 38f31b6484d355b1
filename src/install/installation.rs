//! `plan` and `up`, which are one piece of code: connect, plan, check; and, for `up`, apply. What else is done with
//! a cluster goes the same way: [`remove`] and [`upgrade`].

mod remove;
pub mod upgrade;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::connect::{self, Stranger};
use super::dialogue::Dialogue;
use super::lab::{Keys, LabMachines};
use super::outcome::{Applied, Found};
use super::project::Project;
use super::record::{keep_log, log_plan, observed};
use super::{kubeconfig, left_over, limit, machines, memory, reported, stores};
use crate::bundle::{Bundle, Minor, Release};
use crate::diagnostic::{Diagnostics, SourceFile};
use crate::model::{ClusterSpec, Provider};
use crate::plan::upgrade::findings as upgrade_findings;
use crate::plan::versions::{check_nodes, choose};
use crate::plan::{self, Plan, PlanInput};
use crate::playbook::{Action, Sources};
use crate::provision::MachineChange;
use crate::report::Summary;
use crate::run::{Cancel, Engine, EventSender, Observer, PlannedChanges, RunEvent};

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
    run: String,
    /// Names of the only hosts that may be changed.
    limit: Option<Vec<String>>,
    /// Held while something may be changed.
    _lock: Option<File>,
}

/// What a run does with the cluster.
#[derive(Clone, Copy)]
enum Work<'a> {
    Up,
    /// Takes out these hosts.
    Remove(&'a [String]),
    /// Moves all hosts but these, which have moved already.
    Upgrade(&'a [String]),
}

impl Work<'_> {
    fn action(self) -> Action {
        match self {
            Self::Up => Action::Up,
            Self::Remove(_) => Action::Remove,
            Self::Upgrade(_) => Action::Upgrade,
        }
    }
}

/// All that a run has before it changes a host.
struct Ready {
    engine: Engine,
    plan: Plan,
    strangers: Vec<Stranger>,
    /// With the addresses that the hosts say they have.
    cluster: ClusterSpec,
    /// No host was left out because it couldn't be reached.
    all_answer: bool,
}

impl Installation {
    /// Prepares a run that only looks.
    pub fn to_check(settings: &Settings, project: Project) -> Result<Self, Diagnostics> {
        Self::new(settings, project, Keys::Read)
    }

    /// Prepares a run that changes things; takes the lab's lock.
    pub fn to_apply(settings: &Settings, project: Project) -> Result<Self, Diagnostics> {
        Self::new(settings, project, Keys::Make)
    }

    /// Opens bundle, playbooks and keys; connects to nothing yet. What is wrong with the user's files
    /// or this computer is found before anything is kept.
    fn new(settings: &Settings, mut project: Project, access: Keys) -> Result<Self, Diagnostics> {
        let limit = settings.limit.as_deref();
        let limit = limit.map(|it| limit::names(&project, it)).transpose()?;
        let bundle = stores::open_bundle(settings.bundle.as_deref())?;
        let (minor, warning) = match settings.release {
            Some(minor) => (minor, None),
            None => choose(&project.cluster, bundle.manifest()).map_err(|error| vec![error])?,
        };
        let release = bundle.release(Some(minor)).map_err(|error| vec![error])?;
        let mut sources = Sources::builtin();
        if let Some(folder) = &settings.overrides {
            sources.override_from(folder).map_err(|error| vec![error])?;
            plan::check_sources(&sources, &project.cluster, release)?;
        }
        let lock = match access {
            Keys::Read => None,
            Keys::Make => {
                LabMachines::require_usable(project.provider())?;
                Some(project.lock()?)
            }
        };
        let machines = LabMachines::of(&mut project, access)?;
        Ok(Self {
            project,
            warnings: warning.into_iter().collect(),
            machines,
            bundle: Arc::new(bundle),
            release: minor,
            sources,
            take_over: settings.take_over.clone(),
            run: run_name(),
            limit,
            _lock: lock,
        })
    }

    /// Finds what would change; machines that don't run are only named.
    pub fn check_only(self, observer: Box<dyn Observer>) -> Result<Found, Diagnostics> {
        let machines = self.machine_changes()?;
        if machines.iter().any(MachineChange::is_start) {
            let planned = PlannedChanges {
                machines,
                ..PlannedChanges::default()
            };
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
                let ready = self.connect(Work::Up, &events, &cancel).await?;
                let Ready {
                    mut engine, plan, ..
                } = ready;
                let checked = engine
                    .check(&plan, false)
                    .await
                    .map_err(|error| vec![error.diagnostic()])?;
                engine.tell(&checked);
                engine.finish().await;
                Ok(checked)
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

    /// Makes the machines and brings every host to the planned state. Machines that the inventory doesn't
    /// have any more go only if the user says so.
    pub fn up(
        mut self,
        observer: Box<dyn Observer>,
        dialogue: &Dialogue<'_>,
    ) -> Result<Applied, Diagnostics> {
        if self.machines.made().is_some() {
            self.save_state(&self.project.cluster)?;
        }
        let _keeping = keep_log(&self.project.directory, &self.run)?;
        let mut changes = self.machine_changes()?;
        let left_over = changes.iter().filter(|it| it.is_removal());
        let left_over: Vec<&str> = left_over.map(|it| it.host.as_str()).collect();
        if !left_over.is_empty() && !left_over::may_go(&self.project, &left_over, dialogue) {
            changes.retain(|it| !it.is_removal());
        }
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
                machines::make(&self.project, &self.machines, &changes, &events, &cancel).await?;
                let Ready {
                    mut engine,
                    plan,
                    strangers,
                    cluster,
                    all_answer,
                } = self.connect(Work::Up, &events, &cancel).await?;
                self.save_state(&cluster)?;
                let checked = engine
                    .check(&plan, true)
                    .await
                    .map_err(|error| vec![error.diagnostic()])?;
                // Not before all hosts were reached and looked at: an `up` that fails early leaves them alone.
                if let Some(key) = self.machines.key_to_distribute() {
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
                engine.finish().await;
                let _ = events.send(RunEvent::Finished {
                    elapsed: started.elapsed(),
                });
                Ok((all_done && all_answer, cluster))
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

    /// Returns what would be done with the machines of the limit.
    fn machine_changes(&self) -> Result<Vec<MachineChange>, Diagnostics> {
        let mut changes = self.machines.changes()?;
        if let Some(limit) = &self.limit {
            changes.retain(|change| limit.contains(&change.host));
        }
        Ok(changes)
    }

    /// Connects to the hosts at once and builds the plan from what their agents say.
    async fn connect(
        &self,
        work: Work<'_>,
        events: &EventSender,
        cancel: &Cancel,
    ) -> Result<Ready, Diagnostics> {
        let cluster = &self.project.cluster;
        let all = || cluster.hosts.iter().map(|host| host.name.clone()).collect();
        let names = self.limit.clone().unwrap_or_else(all);
        let _ = events.send(RunEvent::Started {
            run: self.run.clone(),
            hosts: names,
        });
        let patience = self
            .machines
            .made()
            .map_or(Duration::ZERO, |(provider, _)| provider.patience());
        let all = connect::all(
            &self.project,
            &self.machines,
            self.limit.as_deref(),
            patience,
            // A dead host is a reason to take it out, and another one no reason not to.
            matches!(work, Work::Remove(_)),
            &self.bundle,
            events,
            cancel,
        );
        let release = self.bundle.release(Some(self.release));
        let release = release.map_err(|error| vec![error])?;
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
        let cluster = cluster.with_reported(&reported::addresses(&facts))?;
        let secrets = self.project.secrets()?.as_map();
        let input = PlanInput {
            cluster: &cluster,
            facts: &facts,
            bundle: release,
            files: &self.files(release)?,
            secrets: &secrets,
            sources: &self.sources,
            take_over: &self.take_over,
            limit: self.limit.as_deref(),
            leaving: match work {
                Work::Remove(leaving) => leaving,
                Work::Up | Work::Upgrade(_) => &[],
            },
            upgraded: match work {
                Work::Upgrade(upgraded) => upgraded,
                Work::Up | Work::Remove(_) => &[],
            },
            action: work.action(),
        };
        // What another cluster runs on a machine goes with it.
        let mut staying = facts.clone();
        for host in plan::foreign::taken_over(&input)? {
            staying.shift_remove(host);
        }
        let problems = match work {
            Work::Upgrade(_) => upgrade_findings::of_nodes(&cluster, &facts),
            Work::Up | Work::Remove(_) => check_nodes(&cluster, release, &staying),
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let plan = plan::build(&input)?;
        log_plan(&plan);
        if self.limit.is_some() {
            // Some were only asked.
            hosts.retain(|host| plan.concerns(&host.name));
        }
        for notice in plan::surroundings::notices(&cluster, &facts, false) {
            let _ = events.send(RunEvent::Notice {
                host: notice.host,
                message: notice.message,
            });
        }
        let engine = Engine::new(self.run.clone(), hosts, events.clone());
        Ok(Ready {
            engine,
            plan,
            strangers,
            cluster,
            all_answer,
        })
    }

    /// Keeps what later commands have to know: who made the machines that are there now, and which addresses
    /// they have.
    fn save_state(&self, cluster: &ClusterSpec) -> Result<(), Diagnostics> {
        let mut state = self.project.state.clone();
        state.addresses = cluster.learned_addresses();
        state.provider = state.provider.or(Some(Provider::Existing));
        state.save(&self.project.directory)
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

/// Returns a name for a run that begins now.
fn run_name() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    format!("{now}-{}", std::process::id())
}
