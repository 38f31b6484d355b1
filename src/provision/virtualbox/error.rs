//! VirtualBox's failures as the provider's errors.

use super::super::ProviderError;
use super::failure::explain;
use super::manage::ManageError;
use crate::error_chain::error_chain;

/// Turns a failure at a machine into the provider's error: named with what to do, where it is known.
pub fn at_machine(
    action: &'static str,
    machine: &str,
) -> impl FnOnce(ManageError) -> ProviderError {
    move |error| {
        explained(&error, &format!("failed to {action} machine `{machine}`")).unwrap_or_else(|| {
            ProviderError::Machine {
                action,
                machine: machine.to_owned(),
                detail: error_chain(&error),
            }
        })
    }
}

/// Does the same for what is the lab's.
pub fn at_lab(action: impl Into<String>) -> impl FnOnce(ManageError) -> ProviderError {
    let action = action.into();
    move |error| {
        explained(&error, &format!("failed to {action}")).unwrap_or_else(|| ProviderError::Lab {
            action,
            detail: error_chain(&error),
        })
    }
}

fn explained(error: &ManageError, what: &str) -> Option<ProviderError> {
    let ManageError::Failed { failure, .. } = error else {
        return None;
    };
    let (cause, hints) = explain(failure.text())?;
    let mut hints: Vec<String> = hints.iter().map(|it| (*it).to_owned()).collect();
    hints.push(format!("VirtualBox said: {error}"));
    Some(ProviderError::Obstacle {
        message: format!("{what}: {cause}"),
        hints,
    })
}
