//! Which provider stands for which word of the inventory.

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::Provider as ProviderKind;
use crate::provision::Provider;
use crate::provision::container::ContainerProvider;

/// Returns the provider that makes machines of this kind.
pub fn provider(kind: ProviderKind) -> Result<Box<dyn Provider>, Diagnostics> {
    match kind {
        ProviderKind::Container => Ok(Box::new(container()?)),
        ProviderKind::VirtualBox | ProviderKind::Qemu | ProviderKind::Existing => {
            let message = format!("provider `{}` makes no machines", kind.name());
            Err(vec![Diagnostic::error(Kind::Internal, message)])
        }
    }
}

/// Returns why kinstall can't make machines of this kind on this computer; empty if it can.
pub fn obstacles(kind: ProviderKind) -> Diagnostics {
    provider(kind).map_or_else(|errors| errors, |provider| provider.obstacles())
}

fn container() -> Result<ContainerProvider, Diagnostics> {
    let program = std::env::current_exe().map_err(|error| {
        vec![Diagnostic::error(
            Kind::Environment,
            format!("failed to find this program: {error}"),
        )]
    })?;
    // Machines and their base image are root's, whoever calls.
    let cache = PathBuf::from("/var/cache/kinstall");
    Ok(ContainerProvider {
        cache,
        program,
        mirror: None,
    })
}
