//! Builds the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::duplicates::find_duplicates;
use super::playbook_order::in_order;
use super::{PHASES, Phase, PhaseRule, Plan};
use crate::bundle::Manifest;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};
use crate::did_you_mean::closest;
use crate::model::{ClusterSpec, HostSpec};
use crate::playbook::load::qualified;
use crate::playbook::schema::Hosts;
use crate::playbook::{
    ExpandedStep, Parts, PhaseName, Playbook, Scope, Sources, expand_handler, expand_steps, load,
};
use crate::secret::Secret;
use crate::template::{Engine, context};
use crate::wire::{Batch, Facts, Handler};

/// What a plan is made from; equal inputs give equal plans.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    pub cluster: &'a ClusterSpec,
    /// By host name; every host that the plan is for has to be there.
    pub facts: &'a IndexMap<String, Facts>,
    pub bundle: &'a Manifest,
    /// Texts of the bundle's files (Kubernetes objects), by their key in [`Manifest::files`].
    pub files: &'a BTreeMap<String, Arc<SourceFile>>,
    pub secrets: &'a BTreeMap<String, Secret>,
    pub sources: &'a Sources,
    /// Names of the hosts to plan for; `None`: all.
    pub limit: Option<&'a [String]>,
}

/// Builds the plan, or returns everything that is wrong with playbooks and templates.
pub fn build(input: &PlanInput<'_>) -> Result<Plan, Diagnostics> {
    let hosts = selected_hosts(input)?;
    let playbooks = in_order(load(input.sources)?)?;
    let engine = engine(input.sources, input.cluster, input.bundle)?;
    let builder = Builder {
        parts: Parts {
            engine: &engine,
            cluster: input.cluster,
            bundle: input.bundle,
            files: input.files,
            secrets: input.secrets,
        },
        playbooks: &playbooks,
    };

    let mut phases: Vec<Phase> = PHASES.iter().map(empty_phase).collect();
    let mut errors = Diagnostics::new();
    for (host, facts) in hosts {
        let steps = builder.steps_of(host, facts, &mut errors);
        find_duplicates(&steps, &mut errors);
        for (phase, (rule, steps)) in phases.iter_mut().zip(PHASES.iter().zip(steps)) {
            if !steps.is_empty() {
                let batch = builder.batch(rule, host, facts, steps, &mut errors);
                phase.batches.insert(host.name.clone(), batch);
            }
        }
    }
    if errors.is_empty() {
        Ok(Plan {
            phases: without_empty(phases),
        })
    } else {
        Err(once_each(errors))
    }
}

/// Returns what is wrong with playbooks and templates, as far as that can be told without the hosts.
pub fn check_sources(
    sources: &Sources,
    cluster: &ClusterSpec,
    bundle: &Manifest,
) -> Result<(), Diagnostics> {
    in_order(load(sources)?)?;
    engine(sources, cluster, bundle).map(drop)
}

fn engine(
    sources: &Sources,
    cluster: &ClusterSpec,
    bundle: &Manifest,
) -> Result<Engine, Diagnostics> {
    let images = bundle.images.iter();
    let images = images.map(|(name, image)| (name.clone(), image.name.clone()));
    let globals = context::globals(cluster, bundle);
    Engine::new(&sources.templates, images.collect(), globals)
}

struct Builder<'a> {
    parts: Parts<'a>,
    /// In the order in which their steps run.
    playbooks: &'a [Playbook],
}

impl Builder<'_> {
    /// Expands everything that concerns a host, phase by phase as in [`PHASES`].
    fn steps_of(
        &self,
        host: &HostSpec,
        facts: &Facts,
        errors: &mut Diagnostics,
    ) -> [Vec<ExpandedStep>; PHASES.len()] {
        let mut steps: [Vec<ExpandedStep>; PHASES.len()] = Default::default();
        let concerned = self.playbooks.iter();
        for playbook in concerned.filter(|it| concerns(it.hosts, host, self.parts.cluster)) {
            let scope = Scope::new(&self.parts, host, facts, playbook);
            match scope.holds(playbook.when.as_ref()) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            }
            for (phase, list) in [
                (playbook.phase, &playbook.steps),
                (PhaseName::Verify, &playbook.checks),
            ] {
                match expand_steps(&scope, list) {
                    Ok(expanded) => steps[phase as usize].extend(expanded),
                    Err(found) => errors.extend(found),
                }
            }
        }
        steps
    }

    /// Puts the steps of a host in a phase together with the handlers that they name.
    fn batch(
        &self,
        rule: &PhaseRule,
        host: &HostSpec,
        facts: &Facts,
        steps: Vec<ExpandedStep>,
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
                let scope = Scope::new(&self.parts, host, facts, playbook);
                match expand_handler(&scope, handler) {
                    Ok(handler) => handlers.push(handler),
                    Err(error) => errors.push(error),
                }
            }
        }
        Batch {
            phase: rule.name.to_string(),
            steps: steps.into_iter().map(|expanded| expanded.step).collect(),
            handlers,
        }
    }
}

/// Returns the hosts to plan for, in inventory order, with their facts.
fn selected_hosts<'a>(
    input: &PlanInput<'a>,
) -> Result<Vec<(&'a HostSpec, &'a Facts)>, Diagnostics> {
    let mut errors = Diagnostics::new();
    for name in input.limit.unwrap_or_default() {
        if input.cluster.host(name).is_none() {
            let error = Diagnostic::error(Kind::Inventory, format!("no host `{name}`"));
            let names = input.cluster.hosts.iter().map(|host| host.name.as_str());
            errors.push(match closest(name, names.clone()) {
                Some(known) => error.hint(format!("did you mean `{known}`?")),
                None => error.hint(format!("hosts: {}", names.collect::<Vec<_>>().join(", "))),
            });
        }
    }
    let mut selected = Vec::new();
    for host in &input.cluster.hosts {
        if input.limit.is_some_and(|limit| !limit.contains(&host.name)) {
            continue;
        }
        match input.facts.get(&host.name) {
            Some(facts) => selected.push((host, facts)),
            None => errors.push(Diagnostic::error(
                Kind::Internal,
                format!(
                    "nothing is known of host `{}`: its agent did not report",
                    host.name
                ),
            )),
        }
    }
    if errors.is_empty() {
        Ok(selected)
    } else {
        Err(errors)
    }
}

fn concerns(hosts: Hosts, host: &HostSpec, cluster: &ClusterSpec) -> bool {
    let is_first =
        context::first_control_plane(cluster).is_some_and(|first| first.name == host.name);
    match hosts {
        Hosts::All => true,
        Hosts::FirstControlPlane => is_first,
        Hosts::OtherControlPlanes => host.roles.control_plane && !is_first,
        Hosts::ControlPlanes => host.roles.control_plane,
        Hosts::Workers => !host.roles.control_plane,
    }
}

fn empty_phase(rule: &PhaseRule) -> Phase {
    Phase {
        name: rule.name.to_string(),
        after: rule.after.iter().map(ToString::to_string).collect(),
        batches: IndexMap::new(),
        serial: rule.serial,
    }
}

/// Drops phases that concern nobody; who came after them comes after what they came after.
fn without_empty(mut phases: Vec<Phase>) -> Vec<Phase> {
    while let Some(position) = phases.iter().position(|phase| phase.batches.is_empty()) {
        let dropped = phases.remove(position);
        for phase in &mut phases {
            if let Some(at) = phase.after.iter().position(|name| *name == dropped.name) {
                phase.after.splice(at..=at, dropped.after.iter().cloned());
                let mut seen = BTreeSet::new();
                phase.after.retain(|name| seen.insert(name.clone()));
            }
        }
    }
    phases
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
