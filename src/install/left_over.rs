//! Machines that the inventory doesn't have any more.

use super::dialogue::Dialogue;
use super::kubeconfig;
use super::project::Project;
use crate::diagnostic::Diagnostic;

/// Tells whether they may be removed. Once there is a cluster, its members' machines go only when they are named:
/// their pods and data go with them.
pub fn may_go(project: &Project, names: &[&str], dialogue: &Dialogue<'_>) -> bool {
    if !kubeconfig::is_written(project) {
        return (dialogue.may_remove)(names);
    }
    for name in names {
        let message = format!(
            "machine {name} stays, although the inventory doesn't have it any more: it may be a node of the cluster"
        );
        let warning = Diagnostic::warning(message);
        (dialogue.warn)(&warning.hint(format!(
            "`kinstall node remove {name}` takes it out of the cluster; then `kinstall down {name}` removes the machine"
        )));
    }
    false
}
