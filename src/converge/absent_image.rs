//! Names of images that must not be there any more.

use super::program::Program;
use super::{Converge, Node, ResourceError};
use crate::resource::{AbsentImage, Action, Change};

impl Converge for AbsentImage {
    /// The names that go: this one, and those that only identify its content.
    type Observed = Vec<String>;

    fn probe(&self, node: &Node) -> Result<Self::Observed, ResourceError> {
        node.images.borrow_mut().names_with(&self.name, node)
    }

    fn diff(&self, observed: &Self::Observed) -> Vec<Change> {
        if observed.is_empty() {
            return Vec::new();
        }
        vec![Change::new(Action::Remove, "image")]
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let names = self.probe(node)?;
        Program::new(["ctr", "-n", "k8s.io", "images", "rm", "--sync"])
            .arguments(&names)
            .output(node)?;
        node.images.get_mut().forget();
        Ok(())
    }
}
