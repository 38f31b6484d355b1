//! The plan's fingerprint, and the plan without its secrets: tests compare the one and look at the other.

use super::Plan;
use crate::resource::{Content, Resource, Sha256};
use crate::secret::Secret;

impl Plan {
    /// Returns the fingerprint: equal exactly when the plans are, secrets included.
    pub fn hash(&self) -> Sha256 {
        let plan = self.with_secrets(|secret| Sha256::of(secret.expose().as_bytes()).to_string());
        let json = serde_json::to_vec(&plan).unwrap();
        Sha256::of(&json)
    }

    /// Returns the plan for people and other programs: `***` stands for every secret.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        self.with_secrets(|_| "***".to_owned())
    }

    /// Replaces every secret.
    fn with_secrets(&self, replacement: impl Fn(&Secret) -> String) -> Self {
        let mut plan = self.clone();
        let batches = plan
            .phases
            .iter_mut()
            .flat_map(|phase| phase.batches.values_mut());
        for batch in batches {
            let steps = batch.steps.iter_mut().map(|step| &mut step.resource);
            let handlers = batch
                .handlers
                .iter_mut()
                .map(|handler| &mut handler.resource);
            for content in steps.chain(handlers).flat_map(contents) {
                if let Content::Secret(secret) = content {
                    *content = Content::Secret(Secret::new(replacement(secret)));
                }
            }
        }
        plan
    }
}

/// Returns the places of a resource that can hold a secret.
fn contents(resource: &mut Resource) -> Vec<&mut Content> {
    match resource {
        Resource::File(file) => vec![&mut file.content],
        Resource::Command(command) => {
            let inputs = command.inputs.iter_mut();
            inputs.map(|input| &mut input.content).collect()
        }
        _ => Vec::new(),
    }
}
