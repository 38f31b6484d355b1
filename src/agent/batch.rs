//! One batch: step by step, then the handlers that were notified.

use std::time::Instant;

use tracing::{debug, debug_span};

use crate::converge::{Node, ResourceError, made, tail};
use crate::error_chain::error_chain;
use crate::resource::{Action, Change, Resource};
use crate::wire::{Batch, Event, Handler, Outcome, Step, StepError, StepState};

use super::handlers::Pending;
use super::hint;
use super::outgoing::Outgoing;

/// Longest diff that travels, in bytes; a longer one is cut.
const LONGEST_DIFF: usize = 256 << 10;

/// Tells what `apply` would do. A step that can't be looked at doesn't hide the others.
pub fn check(batch: &Batch, node: &mut Node, outgoing: &Outgoing) -> Outcome {
    let mut run = BatchRun::new(batch, node, outgoing, false);
    let mut failed = None;
    for step in &batch.steps {
        match run.check_step(step) {
            Ok(()) => {}
            Err(ResourceError::Interrupted) => return Outcome::Interrupted,
            Err(error) => {
                run.tell(&step.id, failure(&error));
                failed.get_or_insert(step.id.clone());
            }
        }
    }
    for handler in run.pending.in_order() {
        match run.check_handler(&handler) {
            Ok(changes) => run.tell_check(&handler.id, changes),
            Err(ResourceError::Interrupted) => return Outcome::Interrupted,
            Err(error) => {
                run.tell(&handler.id, failure(&error));
                failed.get_or_insert(handler.id);
            }
        }
    }
    match failed {
        Some(step) => Outcome::Failed { step },
        None => run.done(),
    }
}

/// Brings the node to the batch's state; stops at the first failure.
pub fn apply(batch: &Batch, node: &mut Node, outgoing: &Outgoing) -> Outcome {
    let mut run = BatchRun::new(batch, node, outgoing, true);
    let result = run.apply_all();
    let outcome = match result {
        Ok(()) => run.done(),
        Err((_, ResourceError::Interrupted)) => Outcome::Interrupted,
        Err((step, _)) => Outcome::Failed { step },
    };
    // Both only save work for the next run.
    let _ = node.save_caches();
    if matches!(outcome, Outcome::Done { .. }) {
        let _ = node.remove_blobs();
    }
    outcome
}

struct BatchRun<'a> {
    batch: &'a Batch,
    node: &'a mut Node,
    outgoing: &'a Outgoing,
    pending: Pending<'a>,
    changed: u32,
    unchanged: u32,
}

impl<'a> BatchRun<'a> {
    fn new(batch: &'a Batch, node: &'a mut Node, outgoing: &'a Outgoing, durable: bool) -> Self {
        let steps = batch.steps.iter().map(|step| &step.resource);
        let handlers = batch.handlers.iter().map(|handler| &handler.resource);
        node.begin_batch(steps.chain(handlers));
        let pending = Pending::load(batch, node, durable);
        Self {
            batch,
            node,
            outgoing,
            pending,
            changed: 0,
            unchanged: 0,
        }
    }

    fn done(&self) -> Outcome {
        Outcome::Done {
            changed: self.changed,
            unchanged: self.unchanged,
        }
    }

    fn check_step(&mut self, step: &Step) -> Result<(), ResourceError> {
        let _span = debug_span!("step", id = step.id).entered();
        self.node.cancel().check()?;
        self.node.begin_step(&step.id);
        let changes = step.resource.check(self.node)?;
        if !changes.is_empty() {
            self.pending.notify(step)?;
            self.forget_restarts(&step.resource, &changes)?;
        }
        self.tell_check(&step.id, changes);
        Ok(())
    }

    /// A guard that looks at the node can't be asked before the steps are done: then it is shown.
    fn check_handler(&mut self, handler: &Handler) -> Result<Vec<Change>, ResourceError> {
        let _span = debug_span!("step", id = handler.id).entered();
        self.node.cancel().check()?;
        self.node.begin_step(&handler.id);
        match &handler.resource {
            Resource::Command(command) if self.changed > 0 => Ok(command.announced()),
            resource => resource.check(self.node),
        }
    }

    fn tell_check(&mut self, id: &str, changes: Vec<Change>) {
        if changes.is_empty() {
            self.unchanged += 1;
            self.tell(id, StepState::Unchanged);
        } else {
            self.changed += 1;
            self.tell(id, StepState::WouldChange(shortened(changes)));
        }
    }

    /// Returns the step that failed with its error; the controller has been told.
    fn apply_all(&mut self) -> Result<(), (String, ResourceError)> {
        let batch = self.batch;
        let is_package = |step: &Step| matches!(step.resource, Resource::Package(_));
        // Neighbouring packages are one transaction; every other step is a group of its own.
        for group in batch
            .steps
            .chunk_by(|left, right| is_package(left) && is_package(right))
        {
            self.apply_group(group)?;
        }
        for handler in self.pending.in_order() {
            let step = Step {
                id: handler.id,
                resource: handler.resource,
                notify: Vec::new(),
                host: None,
            };
            self.apply_group(std::slice::from_ref(&step))?;
            self.pending
                .done(&step.id)
                .map_err(|error| self.failed(&step, error))?;
        }
        Ok(())
    }

    fn apply_group(&mut self, steps: &[Step]) -> Result<(), (String, ResourceError)> {
        let mut work = Vec::new();
        for step in steps {
            let changes = self.look(step).map_err(|error| self.failed(step, error))?;
            if changes.is_empty() {
                self.unchanged += 1;
                self.tell(&step.id, StepState::Unchanged);
            } else {
                work.push((step, changes));
            }
        }
        self.node
            .install_together(work.iter().map(|(step, _)| &step.resource));
        for (index, (step, changes)) in work.into_iter().enumerate() {
            let milliseconds = self
                .change(step, &changes, index == 0)
                .map_err(|error| self.failed(step, error))?;
            self.changed += 1;
            let changes = shortened(changes);
            self.tell(
                &step.id,
                StepState::Changed {
                    changes,
                    milliseconds,
                },
            );
        }
        Ok(())
    }

    fn look(&mut self, step: &Step) -> Result<Vec<Change>, ResourceError> {
        let _span = debug_span!("step", id = step.id).entered();
        self.node.cancel().check()?;
        self.node.begin_step(&step.id);
        step.resource.check(self.node)
    }

    /// Makes the changes, and returns how long that took. Only the first of a group does something.
    fn change(
        &mut self,
        step: &Step,
        changes: &[Change],
        is_first: bool,
    ) -> Result<u64, ResourceError> {
        let _span = debug_span!("step", id = step.id).entered();
        debug!(changes = changes.len(), "begins");
        self.tell(&step.id, StepState::Started);
        self.node.begin_step(&step.id);
        let start = Instant::now();
        self.pending.notify(step)?;
        made::note(&step.resource, changes, self.node);
        if is_first {
            step.resource.apply(changes, self.node)?;
        }
        self.forget_restarts(&step.resource, changes)?;
        Ok(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn forget_restarts(
        &mut self,
        resource: &Resource,
        changes: &[Change],
    ) -> Result<(), ResourceError> {
        let Resource::Unit(unit) = resource else {
            return Ok(());
        };
        if changes
            .iter()
            .any(|change| change.action == Action::Restart)
        {
            self.pending.forget_restarts_of(&unit.name)?;
        }
        Ok(())
    }

    fn failed(&self, step: &Step, error: ResourceError) -> (String, ResourceError) {
        self.tell(&step.id, failure(&error));
        (step.id.clone(), error)
    }

    fn tell(&self, id: &str, state: StepState) {
        self.outgoing.send(Event::Step {
            phase: self.batch.phase.clone(),
            id: id.to_owned(),
            state,
        });
    }
}

fn failure(error: &ResourceError) -> StepState {
    let mut message = error_chain(error);
    let output = error.output().to_vec();
    if let Some(complaint) = tail::complaint(&output) {
        message = format!("{message}: {complaint}");
    }
    StepState::Failed(StepError {
        hint: hint::find(&message, &output),
        message,
        output,
    })
}

fn shortened(mut changes: Vec<Change>) -> Vec<Change> {
    for change in &mut changes {
        if let Some(diff) = &mut change.diff
            && diff.len() > LONGEST_DIFF
        {
            let end = diff.floor_char_boundary(LONGEST_DIFF);
            diff.truncate(end);
            diff.push_str("\n…\n");
        }
    }
    changes
}
