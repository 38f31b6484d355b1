//! `plan` and `up`, which are one piece of code: connect, plan, check; and, for `up`, apply.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tracing::{debug, trace};

use super::connect::{self, Stranger};
use super::lab::{Keys, LabMachines};
use super::project::Project;
use super::{kubeconfig, machines, memory, reported, runtime, stores};
use crate::bundle::{Bundle, Release};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};
use crate::log::kept::{Keeping, keep_in_file};
use crate::model::{ClusterSpec, Provider};
use crate::plan::versions::{check_nodes, choose};
use crate::plan::{self, Plan, PlanInput};
use crate::playbook::{Action, Sources};
use crate::provision::MachineChange;
use crate::report::Summary;
use crate::run::{Cancel, Engine, EventSender, Journal, Observer, PlannedChanges, RunEvent};

/// What a run installs from, where it isn't the usual.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folder of the bundle.
    pub bundle: Option<PathBuf>,
    /// Folder with playbooks and templates that replace the built-in ones.
    pub overrides: Option<PathBuf>,
}

/// What `up` asks and tells before the run's events begin.
pub struct Dialogue<'a> {
    /// Shows a warning.
    pub warn: &'a dyn Fn(&Diagnostic),
    /// Asks whether machines that the inventory doesn't have any more may go.
    pub may_remove: &'a dyn Fn(&[&str]) -> bool,
}

/// One run over all hosts of a project.
pub struct Installation {
    pub project: Project,
    /// Where the inventory and the bundle differ, and the run goes on.
    pub warnings: Diagnostics,
    machines: LabMachines,
    bundle: Arc<Bundle>,
    sources: Sources,
    run: String,
    /// Held while something may be changed.
    _lock: Option<File>,
}

/// What a check found.
pub struct Found {
    pub planned: PlannedChanges,
    /// A probe failed somewhere.
    pub failed: bool,
}

/// How `up` ended.
pub struct Applied {
    pub project: Project,
    pub machines: LabMachines,
    pub summary: Summary,
    pub all_done: bool,
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
        let bundle = stores::open_bundle(settings.bundle.as_deref())?;
        let (release, warning) =
            choose(&project.cluster, bundle.manifest()).map_err(|error| vec![error])?;
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
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let run = format!("{now}-{}", std::process::id());
        Ok(Self {
            project,
            warnings: warning.into_iter().collect(),
            machines,
            bundle: Arc::new(bundle),
            sources,
            run,
            _lock: lock,
        })
    }

    /// Finds what would change; machines that don't run are only named.
    pub fn check_only(self, observer: Box<dyn Observer>) -> Result<Found, Diagnostics> {
        let machines = self.machines.changes()?;
        if machines.iter().any(MachineChange::is_start) {
            let planned = PlannedChanges {
                machines,
                ..PlannedChanges::default()
            };
            return Ok(Found {
                planned,
                failed: false,
            });
        }
        let _keeping = self.keep_log()?;
        let (checked, _) = self.observed(observer, async |events: EventSender, cancel| {
            let (mut engine, plan, ..) = self.connect(Action::Up, &[], &events, &cancel).await?;
            let checked = engine
                .check(&plan, false)
                .await
                .map_err(|error| vec![error.diagnostic()])?;
            engine.tell(&checked);
            engine.finish().await;
            Ok(checked)
        })?;
        let planned = PlannedChanges {
            machines,
            ..checked.planned
        };
        Ok(Found {
            planned,
            failed: checked.failed,
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
        let _keeping = self.keep_log()?;
        let mut changes = self.machines.changes()?;
        let left_over = changes.iter().filter(|it| it.is_removal());
        let left_over: Vec<&str> = left_over.map(|it| it.host.as_str()).collect();
        if !left_over.is_empty() && !(dialogue.may_remove)(&left_over) {
            changes.retain(|it| !it.is_removal());
        }
        machines::check(&changes)?.iter().for_each(dialogue.warn);
        memory::check(&self.project, &changes)?
            .iter()
            .for_each(dialogue.warn);
        let ((all_done, cluster), summary) =
            self.observed(observer, async |events: EventSender, cancel| {
                let started = Instant::now();
                machines::make(&self.project, &self.machines, &changes, &events, &cancel).await?;
                let (mut engine, plan, strangers, cluster) =
                    self.connect(Action::Up, &[], &events, &cancel).await?;
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
                Ok((all_done, cluster))
            })?;
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

    /// Takes hosts out of the cluster, one after another: their pods, their etcd members, Kubernetes on them
    /// and their Node objects. The machines stay. Those that don't answer are taken out all the same.
    pub fn remove(
        self,
        observer: Box<dyn Observer>,
        leaving: &[String],
    ) -> Result<Applied, Diagnostics> {
        let (all_done, summary) =
            self.observed(observer, async |events: EventSender, cancel| {
                let started = Instant::now();
                let connected = self.connect(Action::Remove, leaving, &events, &cancel);
                let (mut engine, plan, ..) = connected.await?;
                // Waits for whoever else is at work on the hosts.
                engine
                    .check(&plan, true)
                    .await
                    .map_err(|error| vec![error.diagnostic()])?;
                let all_done = engine
                    .apply(&plan)
                    .await
                    .map_err(|error| vec![error.diagnostic()])?;
                engine.finish().await;
                let _ = events.send(RunEvent::Finished {
                    elapsed: started.elapsed(),
                });
                Ok(all_done && plan.left_out.is_empty())
            })?;
        Ok(Applied {
            project: self.project,
            machines: self.machines,
            summary,
            all_done,
        })
    }

    /// Connects to all hosts at once and builds the plan from what their agents say; returns also the cluster
    /// with the addresses that the hosts say they have.
    async fn connect(
        &self,
        action: Action,
        leaving: &[String],
        events: &EventSender,
        cancel: &Cancel,
    ) -> Result<(Engine, Plan, Vec<Stranger>, ClusterSpec), Diagnostics> {
        let cluster = &self.project.cluster;
        let names = cluster.hosts.iter().map(|host| host.name.clone()).collect();
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
            patience,
            // A dead host is a reason to take it out, and another one no reason not to.
            action == Action::Remove,
            &self.bundle,
            events,
            cancel,
        );
        let (release, _) = choose(cluster, self.bundle.manifest()).map_err(|error| vec![error])?;
        let connected = cancel.unless(all).await;
        let (hosts, strangers) = connected.map_err(|error| vec![error.diagnostic()])??;
        let facts: IndexMap<_, _> = hosts
            .iter()
            .map(|host| (host.name.clone(), host.facts.clone()))
            .collect();
        let problems = check_nodes(cluster, release, &facts);
        if !problems.is_empty() {
            return Err(problems);
        }
        let cluster = cluster.with_reported(&reported::addresses(&facts))?;
        let secrets = self.project.secrets()?.as_map();
        let input = PlanInput {
            cluster: &cluster,
            facts: &facts,
            bundle: release,
            files: &self.files(release)?,
            secrets: &secrets,
            sources: &self.sources,
            limit: None,
            leaving,
            action,
        };
        let plan = plan::build(&input)?;
        log_plan(&plan);
        let engine = Engine::new(self.run.clone(), hosts, events.clone());
        Ok((engine, plan, strangers, cluster))
    }

    /// Keeps what later commands have to know: who made the machines that are there now, and which addresses
    /// they have.
    fn save_state(&self, cluster: &ClusterSpec) -> Result<(), Diagnostics> {
        let mut state = self.project.state.clone();
        state.addresses = cluster.learned_addresses();
        state.provider = state.provider.or(Some(Provider::Existing));
        state.save(&self.project.directory)
    }

    /// Runs something asynchronous while its events are shown, journalled and summed up.
    fn observed<T>(
        &self,
        observer: Box<dyn Observer>,
        work: impl AsyncFnOnce(EventSender, Cancel) -> Result<T, Diagnostics>,
    ) -> Result<(T, Summary), Diagnostics> {
        let runtime = runtime::start()?;
        let journal = Journal::create(&self.project.directory, &self.run);
        let journal = journal.map_err(|error| no_journal(&error))?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let watcher = thread::spawn(move || watch(receiver, observer, journal));
        let result = runtime.block_on(async { work(sender, Cancel::on_ctrl_c()).await });
        // Agents of hosts that hang must not keep the program.
        runtime.shutdown_background();
        let summary = watcher.join().unwrap_or_default();
        Ok((result?, summary))
    }

    /// Keeps what is logged from now on beside the journal.
    fn keep_log(&self) -> Result<Keeping, Diagnostics> {
        let file = Journal::create_log(&self.project.directory, &self.run);
        Ok(keep_in_file(file.map_err(|error| no_journal(&error))?))
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

fn no_journal(error: &io::Error) -> Diagnostics {
    let message = format!("failed to write the journal: {error}");
    vec![Diagnostic::error(Kind::Environment, message)]
}

/// Logs what the planner chose.
fn log_plan(plan: &Plan) {
    for phase in &plan.phases {
        debug!(phase = phase.name, after = ?phase.after, hosts = phase.batches.len(), "planned");
        for (host, batch) in &phase.batches {
            let steps: Vec<&str> = batch.steps.iter().map(|step| step.id.as_str()).collect();
            trace!(phase = phase.name, host, ?steps, "planned");
        }
    }
}

fn watch(
    mut events: UnboundedReceiver<RunEvent>,
    mut observer: Box<dyn Observer>,
    mut journal: Journal,
) -> Summary {
    let mut summary = Summary::default();
    while let Some(event) = events.blocking_recv() {
        observer.event(&event);
        summary.add(&event);
        // A full disk must not stop an install; the journal is for looking back only.
        let _ = journal.add(&event);
    }
    summary
}
