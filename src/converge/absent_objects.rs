//! Kubernetes objects that kinstall made and no longer wants.

use super::command::forget;
use super::kubernetes::Discovery;
use super::manifests::{Application, can_pass};
use super::removal::Removal;
use super::{Converge, Node, ResourceError};
use crate::resource::{AbsentObjects, Action, Change};

/// What the server still has.
#[derive(Debug, Default)]
pub struct Observed {
    /// Why it could not tell: a server that starts again answers now and then.
    silent: Option<String>,
    removal: Removal,
}

impl Converge for AbsentObjects {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        if !node.path(&self.kubeconfig).exists() {
            return Ok(Observed::default());
        }
        let client = node.kubernetes(&self.kubeconfig)?;
        let discovery = match Discovery::new(&client, &self.objects) {
            Ok(discovery) => discovery,
            // Where there is no cluster yet, or none that could be asked, its parts that are wanted tell of that.
            Err(ResourceError::Api { .. }) => return Ok(Observed::default()),
            Err(error) => return Err(error),
        };
        match Removal::find(&client, &discovery, &self.objects) {
            Ok(removal) => Ok(Observed {
                silent: None,
                removal,
            }),
            Err(ResourceError::Api {
                status, message, ..
            }) if can_pass(status, &message) => Ok(Observed {
                silent: Some(message),
                removal: Removal::default(),
            }),
            Err(error) => Err(error),
        }
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let waiting = observed.silent.iter().map(|reason| {
            Change::new(Action::Wait, "the API server answers").values(Some(reason.clone()), None)
        });
        let leaving = observed.removal.leaving.iter();
        let leaving = leaving.map(|it| Change::new(Action::Remove, &it.title));
        waiting.chain(leaving).collect()
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        // When the objects are wanted again, so is what these made beside them.
        forget(&self.commands, node)?;
        let application = Application::new(node.kubernetes(&self.kubeconfig)?);
        let carry_out = |it: &Application| Removal::carry_out(&it.client, &self.objects, node);
        application.patiently(node, carry_out).map(drop)
    }
}
