//! Hosts that can't be asked because their machines don't run, or get another address: their steps are those of the plan, and what would
//! change is what a machine needs that has nothing of it.

use serde::Serialize;

use super::StepChanges;
use crate::plan::Plan;
use crate::resource::{Change, Resource, Unit, UnitState};
use crate::wire::Batch;

/// A host whose machine can't be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssumedHost {
    pub host: String,
    pub machine: Unasked,
    pub facts: FactsFrom,
    /// Ids of the steps whose commands were done there once, and are not run again.
    #[serde(skip)]
    pub done: Vec<String>,
}

/// Why a machine can't be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unasked {
    NotMade,
    /// It was made before and doesn't run: what it has is known when it runs.
    Halted,
    /// It gets another address, at which it doesn't answer yet.
    Moves,
}

/// What the host is taken to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactsFrom {
    /// Fresh from its image.
    Image,
    /// As the last run that reached it wrote down.
    LastRun,
}

impl AssumedHost {
    /// Returns its steps that do something on a machine that has nothing of it, phase by phase.
    pub fn steps<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = StepChanges> + 'a {
        let batches = plan.phases.iter();
        let batches = batches.filter_map(|phase| phase.batches.get(&self.host));
        batches.flat_map(|batch| {
            let changes = changes(batch, &self.done).into_iter();
            changes.map(|(step, changes)| StepChanges {
                host: self.host.clone(),
                phase: batch.phase.clone(),
                step: step.to_owned(),
                changes,
                assumed: true,
            })
        })
    }
}

/// Returns the changes of a batch, by step, with those of the handlers that are notified.
fn changes<'a>(batch: &'a Batch, done: &[String]) -> Vec<(&'a str, Vec<Change>)> {
    let mut all = Vec::new();
    let mut notified: Vec<&str> = Vec::new();
    for step in &batch.steps {
        let changes = step.resource.from_nothing();
        if changes.is_empty() || done.contains(&step.id) {
            continue;
        }
        notified.extend(step.notify.iter().map(String::as_str));
        if let Resource::Unit(unit) = &step.resource
            && unit.state == UnitState::Running
        {
            // It starts with all that came before.
            notified.retain(|id| !restarts(batch, id, unit));
        }
        all.push((step.id.as_str(), changes));
    }
    let handlers = batch.handlers.iter();
    let handlers = handlers.filter(|it| notified.contains(&it.id.as_str()));
    all.extend(handlers.map(|it| (it.id.as_str(), it.resource.from_nothing())));
    all
}

/// Returns whether a handler restarts a unit.
fn restarts(batch: &Batch, handler: &str, unit: &Unit) -> bool {
    let mut handlers = batch.handlers.iter().filter(|it| it.id == handler);
    handlers.any(|it| matches!(&it.resource, Resource::Unit(it) if it.name == unit.name))
}

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::resource::{Absent, Directory, Resource, Unit, UnitState};
    use crate::wire::{Batch, Handler, Step};

    fn unit(name: &str, state: UnitState) -> Resource {
        Resource::Unit(Unit {
            name: name.to_owned(),
            enabled: None,
            state,
        })
    }

    fn step(id: &str, resource: Resource, notify: &[&str]) -> Step {
        Step {
            id: id.to_owned(),
            resource,
            notify: notify.iter().map(|it| (*it).to_owned()).collect(),
            host: None,
        }
    }

    #[test]
    fn a_machine_needs_all_that_is_made_but_not_what_was_done_once_and_the_handlers_that_a_start_does_not_spare()
     {
        let folder = || {
            Resource::Directory(Directory {
                path: "/a".to_owned(),
                mode: 0o755,
                owner: None,
                group: None,
            })
        };
        let gone = Resource::Absent(Absent {
            path: "/b".to_owned(),
        });
        let handler = |id: &str, name: &str| Handler {
            id: id.to_owned(),
            resource: unit(name, UnitState::Restarted),
        };
        let batch = Batch {
            phase: "prepare".to_owned(),
            steps: vec![
                step("before", folder(), &["restart one", "restart other"]),
                step("old file", gone, &["restart third"]),
                step("start", unit("one.service", UnitState::Running), &[]),
                step("after", folder(), &[]),
                step("done", folder(), &["restart third"]),
            ],
            handlers: vec![
                handler("restart third", "third.service"),
                handler("restart one", "one.service"),
                handler("restart other", "other.service"),
            ],
        };
        let steps: Vec<&str> = changes(&batch, &["done".to_owned()])
            .into_iter()
            .map(|(step, _)| step)
            .collect();
        assert_eq!(steps, ["before", "start", "after", "restart other"]);
    }
}
