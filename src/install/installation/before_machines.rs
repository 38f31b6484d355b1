//! What is told before the first machine is made.

use indexmap::IndexMap;

use super::Installation;
use super::connection::Scope;
use super::unasked::UnaskedHosts;
use crate::diagnostic::Diagnostics;
use crate::provision::{MachineAction, MachineChange};

impl Installation {
    /// Where no machine is made yet: refuses what the plan would refuse once they are there.
    pub(super) fn check_unmade(
        &self,
        changes: &[MachineChange],
        known: &[String],
    ) -> Result<(), Diagnostics> {
        let unasked = UnaskedHosts::of(&self.project, changes, self.limit.as_deref())?;
        let is_made = |it: &MachineChange| it.action != MachineAction::Create;
        if !unasked.are_all_of(&self.project.cluster) || changes.iter().any(is_made) {
            return Ok(());
        }
        let scope = Scope {
            unasked: Some(&unasked),
            ..self.scope(known)
        };
        self.plan(scope, &IndexMap::new()).map(drop)
    }
}
