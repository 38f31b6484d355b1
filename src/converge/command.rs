//! Programs that are run when their guard says so.

use std::collections::BTreeMap;
use std::fs;

use super::certificates;
use super::draft::{Access, Draft};
use super::marker::{Marker, STATE};
use super::program::Program;
use super::{Converge, Node, ResourceError, unit};
use crate::resource::command_line::quoted;
use crate::resource::{Action, Change, Command, CommandState, Content, Guard, Input};

/// Folder of the markers.
const FOLDER: &str = "commands";

/// What is known about the command.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// The guard is satisfied.
    satisfied: bool,
    /// An attempt began and did not end well, or what it made is gone.
    begun: bool,
}

impl Converge for Command {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let satisfied = match &self.guard {
            Guard::Once => done_marker(node).exists() && !self.is_undone(node),
            Guard::Creates(path) => node.path(path).exists(),
            Guard::Unless(argv) => match Program::new(argv).capture(node) {
                Ok(finished) => finished.status.success(),
                // The program that could tell isn't installed yet.
                Err(ResourceError::Start { .. }) => false,
                Err(error) => return Err(error),
            },
            Guard::Object { kubeconfig, path } => has_object(kubeconfig, path, node)?,
            Guard::NoObject { kubeconfig, path } => !has_object(kubeconfig, path, node)?,
            Guard::ValidKubeconfig { path, signed_by } => {
                certificates::is_valid_kubeconfig(path, signed_by, node)
            }
            Guard::ValidCertificates {
                paths,
                days,
                signed_by,
            } => certificates::are_valid(paths, *days, signed_by, node),
            Guard::Always => false,
        };
        Ok(Observed {
            satisfied,
            begun: self.has_begun(node),
        })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let believed = match self.guard {
            // A path may appear long before its maker is done.
            Guard::Creates(_) => observed.satisfied && !observed.begun,
            _ => observed.satisfied,
        };
        if believed {
            return Vec::new();
        }
        let mut changes = Vec::new();
        if let (true, Some(recover)) = (observed.begun, &self.recover) {
            changes.push(Change::new(Action::Run, quoted(recover)));
        }
        changes.push(Change::new(Action::Run, quoted(&self.argv)));
        changes
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let started = started_marker(node);
        if let (true, Some(recover)) = (self.has_begun(node), &self.recover) {
            self.program(recover).run(node)?;
            // Nothing of ours is left: what comes now is never recovered from.
            done_marker(node).remove()?;
            started.remove()?;
            // Nobody may be there any more, and the next run begins here again.
            node.cancel().check_now()?;
        }
        let inputs = WrittenInputs::write(&self.inputs, node)?;
        if let Some(preflight) = &self.preflight {
            self.program(preflight).run(node)?;
        }
        done_marker(node).remove()?;
        started.write(node.step())?;
        let result = self.program(&self.argv).run(node);
        drop(inputs);
        let is_of_kubelet = matches!(self.guard, Guard::ValidKubeconfig { .. });
        result.map_err(|error| with_kubelets_words(error, is_of_kubelet, node))?;
        if self.guard == Guard::Once {
            done_marker(node).write(node.step())?;
        }
        started.remove()
    }
}

impl Command {
    /// Tells whether an attempt began and did not end well, or what it made is gone.
    fn has_begun(&self, node: &Node) -> bool {
        started_marker(node).exists() || (done_marker(node).exists() && self.is_undone(node))
    }

    /// What was done once need not be so any more: a node may have been reset by hand.
    fn is_undone(&self, node: &Node) -> bool {
        !self.leaves.is_empty() && !self.leaves.iter().any(|path| node.path(path).exists())
    }

    fn program(&self, argv: &[String]) -> Program {
        Program::new(argv)
            .environment(&self.environment)
            .timeout(self.timeout)
            .critical(self.critical)
    }
}

/// Returns the commands that were begun on this node, by the id of their step.
pub fn begun(node: &Node) -> BTreeMap<String, CommandState> {
    let mut commands = BTreeMap::new();
    let entries = node.path(STATE).join(FOLDER).read_dir();
    for path in entries.into_iter().flatten().flatten().map(|it| it.path()) {
        let state = match path.extension().and_then(|it| it.to_str()) {
            Some("started") => CommandState::Begun,
            Some("done") => CommandState::Done,
            _ => continue,
        };
        // A marker that vanishes meanwhile belongs to a run that is still at work.
        if let Ok(step) = fs::read_to_string(&path) {
            let known = commands.entry(step).or_insert(state);
            if state == CommandState::Begun {
                *known = state;
            }
        }
    }
    commands
}

/// Forgets that these steps were done.
pub fn forget(steps: &[String], node: &Node) -> Result<(), ResourceError> {
    steps
        .iter()
        .try_for_each(|step| Marker::new(node, FOLDER, step, ".done").remove())
}

/// A server that doesn't answer yet has nothing yet.
fn has_object(kubeconfig: &str, path: &str, node: &Node) -> Result<bool, ResourceError> {
    if !node.path(kubeconfig).exists() {
        return Ok(false);
    }
    let answer = node.kubernetes(kubeconfig)?.get(path);
    Ok(answer.is_ok_and(|answer| answer.is_success()))
}

/// kubeadm only says that the kubelet isn't healthy, and who waits for its certificate says nothing; the kubelet says why.
fn with_kubelets_words(
    mut error: ResourceError,
    is_of_kubelet: bool,
    node: &Node,
) -> ResourceError {
    if let ResourceError::Command { output, .. } | ResourceError::Timeout { output, .. } =
        &mut error
        && (is_of_kubelet
            || output
                .iter()
                .any(|line| line.contains("kubelet is not healthy")))
    {
        output.extend(unit::last_words("kubelet.service", node));
    }
    error
}

fn started_marker(node: &Node) -> Marker {
    Marker::new(node, FOLDER, node.step(), ".started")
}

fn done_marker(node: &Node) -> Marker {
    Marker::new(node, FOLDER, node.step(), ".done")
}

/// Files that go when this goes.
struct WrittenInputs(Vec<std::path::PathBuf>);

impl WrittenInputs {
    fn write(inputs: &[Input], node: &Node) -> Result<Self, ResourceError> {
        let mut written = Self(Vec::new());
        for input in inputs {
            let target = node.path(&input.path);
            let mut draft = match &input.content {
                Content::Blob(blob) => {
                    let source = node.blob(*blob)?;
                    let mut draft = Draft::new(&target, blob.size)?;
                    draft.copy_file(&source)?;
                    draft
                }
                content => Draft::new(&target, content.text().map_or(0, str::len) as u64)?,
            };
            if let Some(text) = input.content.text() {
                draft.write(text.as_bytes())?;
            }
            draft.publish(Access {
                mode: 0o600,
                user: None,
                group: None,
            })?;
            written.0.push(target);
        }
        Ok(written)
    }
}

impl Drop for WrittenInputs {
    fn drop(&mut self) {
        for path in &self.0 {
            // The command may have removed its input itself.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests;
