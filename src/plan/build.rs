//! Builds the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::control_planes::{self, ControlPlanes};
use super::duplicates::find_duplicates;
use super::etcd_hosts::EtcdHosts;
use super::place::Place;
use super::playbook_order::in_order;
use super::stages::{Assembly, Placed};
use super::{
    Plan, Stage, etcd_refusals, foreign, network_plugin, no_longer_wanted, outcasts, own_objects,
    phases, surroundings, unknown_nodes,
};
use crate::bundle::Release;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};
use crate::did_you_mean::closest;
use crate::manifest::UserObject;
use crate::model::{ClusterSpec, HostSpec};
use crate::playbook::load::{Step, qualified};
use crate::playbook::{
    Action, ExpandedStep, Parts, PhaseName, Placement, Playbook, Scope, Secrets, Sources,
    expand_handler, expand_removal, expand_steps, load,
};
use crate::resource::Resource;
use crate::template::{Engine, context};
use crate::wire::{self, Batch, Facts, Handler};

/// What a plan is made from; equal inputs give equal plans.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    pub action: Action,
    pub cluster: &'a ClusterSpec,
    /// Names of the hosts that are taken out of the cluster; none but in [`Action::Remove`].
    pub leaving: &'a [String],
    /// Names of the hosts that run all of the release already; asked for in [`Action::Upgrade`] only.
    pub upgraded: &'a [String],
    /// By host name, of all hosts that answered. Nothing is planned for the others.
    pub facts: &'a IndexMap<String, Facts>,
    pub bundle: &'a Release,
    /// Texts of the bundle's files (Kubernetes objects), by their key in [`Release::files`].
    pub files: &'a BTreeMap<String, Arc<SourceFile>>,
    /// Objects of the user's own.
    pub manifests: &'a [UserObject],
    pub secrets: &'a Secrets,
    pub sources: &'a Sources,
    /// Names of hosts whose machines may be taken from another cluster.
    pub take_over: &'a [String],
    /// Names of the hosts to plan for; `None`: all. The facts of others still count.
    pub limit: Option<&'a [String]>,
}

impl<'a> PlanInput<'a> {
    /// Returns the hosts that are not known to be there.
    fn silent(&self) -> impl Iterator<Item = &'a HostSpec> {
        let facts = self.facts;
        let hosts = self.cluster.hosts.iter();
        hosts.filter(|host| !facts.contains_key(&host.name))
    }

    /// Returns whether the user wants something to be done for a host.
    pub(super) fn may_change(&self, host: &HostSpec) -> bool {
        self.limit.is_none_or(|limit| limit.contains(&host.name))
    }
}

/// Builds the plan, or returns everything that is wrong with playbooks and templates.
pub fn build(input: &PlanInput<'_>) -> Result<Plan, Diagnostics> {
    build_stages(input, phases(input.action))
}

/// Builds the plan of some stages.
pub(super) fn build_stages(input: &PlanInput<'_>, stages: &[Stage]) -> Result<Plan, Diagnostics> {
    check_limit(input)?;
    let taken_over = foreign::taken_over(input)?;
    let carriers = foreign::carriers(input);
    surroundings::refuse(input)?;
    if input.action == Action::Up {
        outcasts::refuse(input)?;
    }
    if !matches!(input.action, Action::Reset | Action::Remove) {
        etcd_refusals::refuse(input, &carriers)?;
        network_plugin::refuse(input, &carriers)?;
    }
    if input.action == Action::Remove && control_planes::there_is_no_cluster(input) {
        return Ok(Plan::default());
    }
    let playbooks = in_order(load(input.sources, input.action)?, stages)?;
    let engine = engine(input.sources, input.cluster, input.bundle)?;
    let etcd_hosts = EtcdHosts::choose(input, &carriers);
    let builder = Builder {
        parts: Parts {
            engine: &engine,
            cluster: input.cluster,
            bundle: input.bundle,
            files: input.files,
            manifests: input.manifests,
            secrets: input.secrets,
            silent: input
                .silent()
                .map(|host| &host.name)
                .chain(unknown_nodes::names(input.cluster, input.facts))
                .cloned()
                .collect(),
            taken_over: &taken_over,
            upgraded: input.upgraded,
            first_of_etcd: etcd_hosts.first.map(|host| host.name.as_str()),
        },
        facts: input.facts,
        playbooks: &playbooks,
    };

    let control_planes = ControlPlanes::choose(input, &playbooks);
    let mut errors = Diagnostics::new();
    let mut placed: BTreeMap<PhaseName, Vec<Placed<'_>>> = BTreeMap::new();
    let mut blocked: BTreeMap<PhaseName, String> = BTreeMap::new();
    for playbook in &playbooks {
        match Place::all(playbook.placement, input, &control_planes, &etcd_hosts) {
            Ok(all) => {
                let mut parts = Vec::new();
                for place in all {
                    let steps = builder.steps(playbook, place, &mut errors).into_iter();
                    parts.extend(steps.enumerate().map(|(part, it)| (part, place, it)));
                }
                // The steps for all hosts, and only then the checks of the first one.
                parts.sort_by_key(|(part, ..)| *part);
                for (_, place, (phase, steps)) in parts {
                    let placed = placed.entry(phase).or_default();
                    placed.push(Placed { place, steps });
                }
            }
            Err(reason) => {
                let phases = parts(playbook).filter(|(_, steps)| !steps.is_empty());
                blocked.extend(phases.map(|(phase, _)| (phase, reason.clone())));
            }
        }
    }
    find_duplicates(placed.values().flatten(), &mut errors);
    own_objects::refuse(input.manifests, placed.values().flatten(), &mut errors);
    let assembly = Assembly {
        hosts: &input.cluster.hosts,
        placed: &placed,
        blocked: &blocked,
        batch: |phase: &str, host: &HostSpec, steps: &[&ExpandedStep]| {
            builder.batch(phase, host, steps, &mut errors)
        },
    };
    let mut plan = assembly.plan(stages);
    no_longer_wanted::add(&mut plan, input);
    if errors.is_empty() {
        Ok(plan)
    } else {
        Err(once_each(errors))
    }
}

/// Returns what is wrong with playbooks and templates, as far as that can be told without the hosts.
pub fn check_sources(
    sources: &Sources,
    cluster: &ClusterSpec,
    bundle: &Release,
) -> Result<(), Diagnostics> {
    for action in Action::ALL {
        in_order(load(sources, action)?, phases(action))?;
    }
    engine(sources, cluster, bundle).map(drop)
}

fn engine(
    sources: &Sources,
    cluster: &ClusterSpec,
    bundle: &Release,
) -> Result<Engine, Diagnostics> {
    let images = bundle.images.iter();
    let images = images.map(|(name, image)| (name.clone(), image.name.clone()));
    let globals = context::globals(cluster, bundle);
    Engine::new(&sources.templates, images.collect(), globals)
}

struct Builder<'a> {
    parts: Parts<'a>,
    facts: &'a IndexMap<String, Facts>,
    /// In the order in which their steps run.
    playbooks: &'a [Playbook],
}

impl Builder<'_> {
    /// Expands a playbook at one place, for each phase that it has steps of.
    fn steps(
        &self,
        playbook: &Playbook,
        place: Place<'_>,
        errors: &mut Diagnostics,
    ) -> Vec<(PhaseName, Vec<ExpandedStep>)> {
        let scope = self.scope(place.host, playbook);
        match scope.holds(playbook.when.as_ref()) {
            Ok(true) => {}
            Ok(false) => {
                let is_of_cluster = matches!(playbook.placement, Placement::Once(_));
                let removal = is_of_cluster.then(|| expand_removal(&scope)).flatten();
                let steps = removal.into_iter();
                return steps.map(|step| (playbook.phase, vec![step])).collect();
            }
            Err(error) => {
                errors.push(error);
                return Vec::new();
            }
        }
        let mut expanded = Vec::new();
        for (phase, steps) in parts(playbook) {
            match expand_steps(&scope, steps) {
                Ok(steps) => expanded.push((phase, steps)),
                Err(found) => errors.extend(found),
            }
        }
        expanded
    }

    /// Puts the steps of a host in a phase together with the handlers that they name.
    fn batch(
        &self,
        phase: &str,
        host: &HostSpec,
        steps: &[&ExpandedStep],
        errors: &mut Diagnostics,
    ) -> Batch {
        let notified: BTreeSet<&str> = steps
            .iter()
            .flat_map(|expanded| expanded.step.notify.iter().map(String::as_str))
            .collect();
        let mut handlers: Vec<Handler> = Vec::new();
        for playbook in self.playbooks {
            for handler in &playbook.handlers {
                let id = qualified(&playbook.component, &handler.name.value);
                if !notified.contains(id.as_str()) {
                    continue;
                }
                match expand_handler(&self.scope(host, playbook), handler) {
                    Ok(handler) => handlers.push(handler),
                    Err(error) => errors.push(error),
                }
            }
        }
        let mut steps: Vec<_> = steps.iter().map(|it| it.step.clone()).collect();
        reverse_removals(&mut steps);
        Batch {
            phase: phase.to_owned(),
            steps,
            handlers,
        }
    }

    fn scope<'s>(&'s self, host: &'s HostSpec, playbook: &'s Playbook) -> Scope<'s> {
        Scope::new(&self.parts, host, self.facts.get(&host.name), playbook)
    }
}

/// What stands on something else goes before it: volumes before what removes their folders.
fn reverse_removals(steps: &mut [wire::Step]) {
    let is_removal = |step: &wire::Step| matches!(step.resource, Resource::AbsentObjects(_));
    let places: Vec<usize> = (0..steps.len())
        .filter(|it| is_removal(&steps[*it]))
        .collect();
    let half = places.len() / 2;
    for (first, last) in places.iter().zip(places.iter().rev()).take(half) {
        steps.swap(*first, *last);
    }
}

/// Returns the phases of a playbook's steps and checks.
fn parts(playbook: &Playbook) -> impl Iterator<Item = (PhaseName, &[Step])> {
    [
        (playbook.phase, playbook.steps.as_slice()),
        (PhaseName::Verify, playbook.checks.as_slice()),
    ]
    .into_iter()
}

/// Every name in the limit has to be a host's.
fn check_limit(input: &PlanInput<'_>) -> Result<(), Diagnostics> {
    let mut errors = Diagnostics::new();
    for name in input
        .limit
        .unwrap_or_default()
        .iter()
        .chain(input.take_over)
    {
        if input.cluster.host(name).is_none() {
            let error = Diagnostic::error(Kind::Inventory, format!("no host `{name}`"));
            let names = input.cluster.hosts.iter().map(|host| host.name.as_str());
            errors.push(match closest(name, names.clone()) {
                Some(known) => error.hint(format!("did you mean `{known}`?")),
                None => error.hint(format!("hosts: {}", names.collect::<Vec<_>>().join(", "))),
            });
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Most errors are found on every host: one message is enough.
fn once_each(errors: Diagnostics) -> Diagnostics {
    let mut kept = Diagnostics::new();
    for error in errors {
        let is_same = |other: &Diagnostic| {
            let place = |it: &Diagnostic| it.label.as_ref().map(|(location, _)| location.clone());
            other.message == error.message && place(other) == place(&error)
        };
        if !kept.iter().any(is_same) {
            kept.push(error);
        }
    }
    kept
}
