//! `kinstall load`: images of the user's own, brought to the nodes and taken away again.
//!
//! A plan of one phase, run as `up` runs its plans: the resource that brings the bundle's images brings these, so that
//! parts that a node has don't travel.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

use super::lab::{Keys, LabMachines};
use super::project::Project;
use super::record::{Run, keep_log, observed};
use super::{connect, named_hosts, stores};
use crate::bundle::{Bundle, Parts};
use crate::container_image::{ImageFault, ImageName, ImageSource, LoadedImage};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::plan::versions::go_name;
use crate::plan::{Phase, Plan};
use crate::report::Summary;
use crate::resource::{AbsentImage, Resource};
use crate::run::{Engine, EventSender, HostRun, Observer, RunEvent, RunIdentity};
use crate::wire::{Batch, Step};

/// The phase's name, and the component that its steps seem to belong to.
const PHASE: &str = "load";

/// How bringing images ended.
pub struct Loaded {
    /// Their names on the nodes.
    pub names: Vec<ImageName>,
    pub summary: Summary,
    pub all_done: bool,
}

/// What is to be done with images on the nodes.
enum Work {
    Bring(Vec<LoadedImage>),
    Remove(ImageName),
}

/// Brings an image to nodes; to all without names.
pub fn load(
    project: Project,
    source: &ImageSource,
    name: Option<&ImageName>,
    nodes: &[String],
    observer: Box<dyn Observer>,
) -> Result<Loaded, Diagnostics> {
    project.require_lab()?;
    let hosts = chosen(&project, nodes)?;
    let _lock = project.lock()?;
    let folder = Folder::of(&project)?;
    let failed = |error: ImageFault| vec![error.diagnostic()];
    let parts = Parts::begin(&folder.0).map_err(|error| failed(error.into()))?;
    let (images, bundle) = source.read(name, parts).map_err(failed)?;
    let names = images.iter().filter_map(|it| it.name.clone()).collect();
    let work = Work::Bring(images);
    let (all_done, summary) = run(project, &work, &hosts, &Arc::new(bundle), observer)?;
    Ok(Loaded {
        names,
        summary,
        all_done,
    })
}

/// Removes an image from nodes; from all without names.
pub fn remove(
    project: Project,
    name: &ImageName,
    nodes: &[String],
    observer: Box<dyn Observer>,
) -> Result<Loaded, Diagnostics> {
    project.require_lab()?;
    let hosts = chosen(&project, nodes)?;
    let _lock = project.lock()?;
    let folder = Folder::of(&project)?;
    let parts = Parts::begin(&folder.0).map_err(|error| vec![error.into()])?;
    let bundle = Arc::new(parts.into_bundle());
    let (all_done, summary) = run(
        project,
        &Work::Remove(name.clone()),
        &hosts,
        &bundle,
        observer,
    )?;
    Ok(Loaded {
        names: vec![name.clone()],
        summary,
        all_done,
    })
}

/// Returns the nodes that were named, or all, in the order of the inventory.
pub(super) fn chosen(project: &Project, nodes: &[String]) -> Result<Vec<String>, Diagnostics> {
    for name in nodes {
        let host = named_hosts::host(&project.cluster, name)?;
        if !host.roles.is_node() {
            let message = format!("`{name}` only runs etcd: it has no images");
            return Err(vec![Diagnostic::error(Kind::Inventory, message)]);
        }
    }
    let hosts = project.cluster.nodes().map(|host| host.name.clone());
    Ok(hosts
        .filter(|name| nodes.is_empty() || nodes.contains(name))
        .collect())
}

fn run(
    mut project: Project,
    work: &Work,
    hosts: &[String],
    bundle: &Arc<Bundle>,
    observer: Box<dyn Observer>,
) -> Result<(bool, Summary), Diagnostics> {
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let run = Run::of("load");
    let _keeping = keep_log(&project.directory, &run)?;
    observed(
        &project.directory,
        &run,
        observer,
        async |events: EventSender, cancel| {
            let started = Instant::now();
            let _ = events.send(RunEvent::Started {
                run: run.name.clone(),
                hosts: hosts.to_vec(),
            });
            let all = connect::all(
                &project,
                &project.cluster,
                &machines,
                Some(hosts),
                Duration::ZERO,
                &[],
                bundle,
                &events,
                &cancel,
            );
            let connected = cancel.unless(all).await;
            let mut connected = connected.map_err(|error| vec![error.diagnostic()])??;
            // Control planes are asked for what they know by all that connects.
            connected.hosts.retain(|host| hosts.contains(&host.name));
            let plan = plan(work, &connected.hosts)?;
            let identity = RunIdentity {
                run: run.name.clone(),
                project: project.state.id.clone(),
                break_lock: false,
            };
            let mut engine = Engine::new(identity, connected.hosts, events.clone());
            let applied = engine.apply(&plan).await;
            engine.finish().await;
            let _ = events.send(RunEvent::Finished {
                elapsed: started.elapsed(),
            });
            let all_done = applied.map_err(|error| vec![error.diagnostic()])?;
            Ok(all_done && connected.all_answer)
        },
    )
}

fn plan(work: &Work, hosts: &[HostRun]) -> Result<Plan, Diagnostics> {
    let mut problems = Diagnostics::new();
    let mut batches = IndexMap::new();
    for host in hosts {
        let steps = match work {
            Work::Remove(name) => vec![step(
                name,
                Resource::AbsentImage(AbsentImage {
                    name: name.to_string(),
                }),
            )],
            Work::Bring(images) => {
                let steps = images.iter().map(|image| fitting(image, host));
                let (steps, wrong): (Vec<_>, Vec<_>) = steps.partition(Result::is_ok);
                problems.extend(wrong.into_iter().filter_map(Result::err));
                steps.into_iter().flatten().flatten().collect()
            }
        };
        let batch = Batch {
            phase: PHASE.to_owned(),
            steps,
            handlers: Vec::new(),
        };
        batches.insert(host.name.clone(), batch);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let phase = Phase {
        name: PHASE.to_owned(),
        after: Vec::new(),
        over: Vec::new(),
        host: None,
        batches,
    };
    Ok(Plan {
        phases: vec![phase],
        left_out: Vec::new(),
    })
}

/// Chooses what of an image runs on a host.
fn fitting(image: &LoadedImage, host: &HostRun) -> Result<Option<Step>, Diagnostic> {
    let Some(name) = &image.name else {
        return Ok(None);
    };
    let architecture = go_name(&host.facts.architecture);
    let mut variants = image.variants.iter();
    if let Some(variant) = variants.find(|it| it.architecture == architecture) {
        return Ok(Some(step(name, Resource::Image(variant.resource(name)))));
    }
    let variants = image.variants.iter();
    let has: BTreeSet<&str> = variants.map(|it| it.architecture.as_str()).collect();
    let has: Vec<&str> = has.into_iter().collect();
    let message = format!(
        "`{}` is for {}, but `{}` is {architecture}",
        name.short(),
        has.join(", "),
        host.name
    );
    Err(Diagnostic::error(Kind::Environment, message).hint(format!(
        "build it for that: `docker build --platform linux/{architecture} …`; `--node` chooses nodes"
    )))
}

fn step(name: &ImageName, resource: Resource) -> Step {
    Step {
        id: format!("{PHASE}/{}", name.short()),
        resource,
        notify: Vec::new(),
        host: None,
    }
}

/// Holds an image's parts while they travel; goes away with the value.
struct Folder(std::path::PathBuf);

impl Folder {
    fn of(project: &Project) -> Result<Self, Diagnostics> {
        let cache = stores::cache_directory()?;
        Ok(Self(cache.join("load").join(&project.state.id)))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is removed by the next run.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
