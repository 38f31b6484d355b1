//! What kinstall once made on a host and no step has any more: it goes, at the end of `up`.
//!
//! Last, because what is there may need it until then: an API server reads its audit policy until its own file doesn't
//! name that any more. Nothing goes where the plan doesn't show all that is wanted on a host.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::surroundings::Notice;
use super::{Phase, Plan, PlanInput};
use crate::model::HostSpec;
use crate::playbook::{Action, PhaseName};
use crate::resource::{Absent, Archive, Guard, Made, NoLongerWanted, Resource, Thing};
use crate::wire::{Batch, ControlPlaneState, Step};

/// The phase, and the component of its steps.
const NAME: &str = "no-longer-wanted";

/// Adds the removal to a plan that has everything else.
pub(super) fn add(plan: &mut Plan, input: &PlanInput<'_>) {
    let mut batches = IndexMap::new();
    for host in &input.cluster.hosts {
        let things = of_host(plan, host, input).filter(|made| !made.is_changed);
        let mut things: Vec<&Thing> = things.map(|made| &made.thing).collect();
        things.sort_by_key(|thing| turn(thing));
        if !things.is_empty() {
            let steps = things.iter().map(|thing| step(thing, &things)).collect();
            let batch = Batch {
                phase: NAME.to_owned(),
                steps,
                handlers: Vec::new(),
            };
            batches.insert(host.name.clone(), batch);
        }
    }
    if !batches.is_empty() {
        let verify = PhaseName::Verify.to_string();
        let over = plan.phases.iter().filter(|phase| phase.name == verify);
        plan.phases.push(Phase {
            name: NAME.to_owned(),
            after: Vec::new(),
            // What failed on one host keeps nothing on the others.
            over: over.map(|phase| phase.name.clone()).collect(),
            host: None,
            batches,
        });
    }
}

/// Returns a notice for each thing that would go if it had not been changed since kinstall made it.
pub fn notices(plan: &Plan, input: &PlanInput<'_>) -> Vec<Notice> {
    let hosts = input.cluster.hosts.iter();
    let changed = hosts.flat_map(|host| {
        let things = of_host(plan, host, input).filter(|made| made.is_changed);
        things.map(|made| (host.name.clone(), &made.thing))
    });
    changed
        .map(|(host, thing)| Notice {
            host,
            message: format!(
                "{thing} stays: kinstall made it and doesn't need it any more, but it was changed since; remove it if \
                 you don't need it either"
            ),
        })
        .collect()
}

/// Returns what kinstall made on a host and the plan doesn't have.
fn of_host<'a>(
    plan: &Plan,
    host: &HostSpec,
    input: &PlanInput<'a>,
) -> impl Iterator<Item = &'a Made> + use<'a> {
    let facts = input.facts.get(&host.name);
    let facts = facts.filter(|_| input.action == Action::Up && shows_all(plan, host, input));
    // It is a control plane or has etcd's data still, whatever the inventory says.
    let facts = facts.filter(|facts| {
        (host.roles.control_plane || facts.control_plane == ControlPlaneState::Absent)
            && (host.roles.etcd || !facts.etcd.has_data)
    });
    let wanted = Wanted::on(plan, &host.name);
    let made = facts.into_iter().flat_map(|facts| &facts.made);
    made.filter(move |made| !wanted.has(&made.thing))
}

/// Returns whether the plan has all steps of a host: there are no others for hosts that are not in it.
fn shows_all(plan: &Plan, host: &HostSpec, input: &PlanInput<'_>) -> bool {
    let mut hosts = input.cluster.hosts.iter();
    let all_answer = hosts.all(|host| input.facts.contains_key(&host.name));
    let mut batches = plan
        .phases
        .iter()
        .filter_map(|it| it.batches.get(&host.name));
    let acts_for_others = batches.any(|batch| batch.steps.iter().any(|step| step.host.is_some()));
    // Another control plane acts for the cluster while this one's API server is silent.
    let is_silent = |host: &HostSpec| {
        let facts = input.facts.get(&host.name);
        facts.is_some_and(|facts| facts.control_plane == ControlPlaneState::Silent)
    };
    let is_in_its_place =
        !host.roles.control_plane || !input.cluster.control_planes().any(is_silent);
    input.limit.is_none()
        && plan.left_out.is_empty()
        && is_in_its_place
        && (all_answer || !acts_for_others)
}

/// What the steps of a host have.
struct Wanted {
    keys: BTreeSet<String>,
    /// Folders whose steps have all that is in them: what an archive brings, what goes in an earlier phase.
    folders: Vec<String>,
}

impl Wanted {
    fn on(plan: &Plan, host: &str) -> Self {
        let batches = plan.phases.iter().filter_map(|it| it.batches.get(host));
        let resources = batches.flat_map(|batch| {
            let handlers = batch.handlers.iter().map(|handler| &handler.resource);
            batch
                .steps
                .iter()
                .map(|step| &step.resource)
                .chain(handlers)
        });
        let mut wanted = Self {
            keys: BTreeSet::new(),
            folders: Vec::new(),
        };
        for resource in resources {
            wanted.keys.insert(resource.key());
            match resource {
                // As systemd completes it.
                Resource::Unit(unit) if !unit.name.contains('.') => {
                    wanted.keys.insert(format!("unit {}.service", unit.name));
                }
                Resource::Absent(Absent { path }) | Resource::Archive(Archive { path, .. }) => {
                    wanted.folders.push(format!("{path}/"));
                }
                Resource::Command(command) => {
                    let created = match &command.guard {
                        Guard::Creates(path) => Some(path),
                        _ => None,
                    };
                    let paths = command.leaves.iter().chain(created);
                    wanted.keys.extend(paths.map(|path| format!("path {path}")));
                }
                _ => {}
            }
        }
        wanted
    }

    /// A unit that a step is about keeps its file, whoever brings it now.
    fn has(&self, thing: &Thing) -> bool {
        let path = thing.path().unwrap_or_default();
        let unit = thing.unit().map(|name| format!("unit {name}"));
        self.keys.contains(&thing.key())
            || unit.is_some_and(|key| self.keys.contains(&key))
            || self.folders.iter().any(|folder| path.starts_with(folder))
    }
}

/// Units stop before what they run goes, and what starts a unit before that; folders go last, the innermost first.
fn turn(thing: &Thing) -> (u8, Reverse<usize>, &Thing) {
    let turn = match (thing, thing.unit()) {
        (_, Some(unit)) if !unit.ends_with(".service") => 0,
        (_, Some(_)) => 1,
        (Thing::Directory(_), None) => 3,
        (_, None) => 2,
    };
    let depth = match thing {
        Thing::Directory(path) => path.len(),
        _ => 0,
    };
    (turn, Reverse(depth), thing)
}

fn step(thing: &Thing, all: &[&Thing]) -> Step {
    let below = match thing {
        Thing::Directory(path) => Some(format!("{path}/")),
        _ => None,
    };
    let paths = all.iter().filter_map(|other| other.path());
    let is_below = |path: &&str| below.as_ref().is_some_and(|it| path.starts_with(it));
    Step {
        id: format!("{NAME}/{thing}"),
        resource: Resource::NoLongerWanted(NoLongerWanted {
            thing: thing.clone(),
            inside: paths.filter(is_below).map(str::to_owned).collect(),
        }),
        notify: Vec::new(),
        host: None,
    }
}
