//! Which provider stands for which word of the inventory.

use std::time::Duration;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::Provider as ProviderKind;
use crate::provision::Provider;
use crate::provision::virtualbox::{Manage, VirtualBoxProvider};

/// Returns the provider that makes machines of this kind.
pub fn provider(kind: ProviderKind) -> Result<Box<dyn Provider>, Diagnostics> {
    match kind {
        ProviderKind::Container => container(),
        ProviderKind::VirtualBox => virtual_box(),
        ProviderKind::Qemu => qemu(),
        ProviderKind::Existing => {
            let message = format!("provider `{}` makes no machines", kind.name());
            Err(vec![Diagnostic::error(Kind::Internal, message)])
        }
    }
}

/// Returns why kinstall can't make machines of this kind on this computer; empty if it can.
pub fn obstacles(kind: ProviderKind) -> Diagnostics {
    provider(kind).map_or_else(|errors| errors, |provider| provider.obstacles())
}

fn virtual_box() -> Result<Box<dyn Provider>, Diagnostics> {
    Ok(Box::new(VirtualBoxProvider {
        manage: Manage::find(),
        images: super::stores::open_images()?,
        halt_patience: Duration::from_mins(2),
    }))
}

#[cfg(target_os = "linux")]
fn container() -> Result<Box<dyn Provider>, Diagnostics> {
    let program = std::env::current_exe().map_err(|error| {
        vec![Diagnostic::error(
            Kind::Environment,
            format!("failed to find this program: {error}"),
        )]
    })?;
    Ok(Box::new(crate::provision::container::ContainerProvider {
        // Machines and their base image are root's, whoever calls.
        cache: "/var/cache/kinstall".into(),
        program,
        mirror: None,
    }))
}

#[cfg(target_os = "linux")]
fn qemu() -> Result<Box<dyn Provider>, Diagnostics> {
    Ok(Box::new(crate::provision::qemu::QemuProvider {
        cache: "/var/cache/kinstall".into(),
        images: super::stores::open_images()?,
    }))
}

#[cfg(not(target_os = "linux"))]
fn container() -> Result<Box<dyn Provider>, Diagnostics> {
    needs_linux("container")
}

#[cfg(not(target_os = "linux"))]
fn qemu() -> Result<Box<dyn Provider>, Diagnostics> {
    needs_linux("qemu")
}

#[cfg(not(target_os = "linux"))]
fn needs_linux(provider: &str) -> Result<Box<dyn Provider>, Diagnostics> {
    let message = format!("provider `{provider}` needs a computer with Linux");
    Err(vec![Diagnostic::error(Kind::Environment, message).hint(
        "choose another one: `kinstall_provider` in the inventory, or `kinstall up --provider …`",
    )])
}
