//! Kubernetes objects that kinstall made and no longer wants.

use super::command::forget;
use super::kubernetes::Discovery;
use super::removal::Removal;
use super::{Converge, Node, ResourceError};
use crate::resource::{AbsentObjects, Action, Change};

impl Converge for AbsentObjects {
    type Observed = Removal;

    fn probe(&self, node: &Node) -> Result<Removal, ResourceError> {
        if !node.path(&self.kubeconfig).exists() {
            return Ok(Removal::default());
        }
        let client = node.kubernetes(&self.kubeconfig)?;
        // Where there is no cluster yet, or none that could be asked, its parts that are wanted tell of that.
        match Discovery::new(&client, &self.objects) {
            Ok(discovery) => Removal::find(&client, &discovery, &self.objects),
            Err(ResourceError::Api { .. }) => Ok(Removal::default()),
            Err(error) => Err(error),
        }
    }

    fn diff(&self, observed: &Removal) -> Vec<Change> {
        let changes = observed.leaving.iter();
        changes
            .map(|it| Change::new(Action::Remove, &it.title))
            .collect()
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        // When the objects are wanted again, so is what these made beside them.
        forget(&self.commands, node)?;
        let client = node.kubernetes(&self.kubeconfig)?;
        Removal::carry_out(&client, &self.objects, node).map(drop)
    }
}
