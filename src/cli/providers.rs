//! Which provider stands for which word of the inventory.

use std::path::Path;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::image::{DiskFormat, ImageKind, ImageReference, Progress, VagrantBox};
use crate::model::Provider as ProviderKind;
use crate::provision::seed::{Seed, SharedFolders};
use crate::provision::virtualbox::{BootImage, ImageFile, Manage, VirtualBoxProvider};
use crate::provision::{Macs, Provider, ProviderError, Report};

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
    let store = super::image::store()?;
    let images = move |name: &str, report: Report| {
        let failed = |error: &dyn std::error::Error| ProviderError::Lab {
            action: format!("get image `{name}`"),
            detail: error.to_string(),
        };
        // Relative paths are taken from where kinstall is called.
        let reference =
            ImageReference::parse(name, Path::new(".")).map_err(|error| failed(&error))?;
        let tell = |_: &str, progress: Progress<'_>| match progress {
            Progress::Notice(text) | Progress::Retry(text) => report("", text),
            Progress::Waiting => report("", "waiting for another kinstall that fetches images"),
            Progress::Unpacking => report("", "unpacking the image"),
            Progress::Downloading { .. } | Progress::Hashing => {}
        };
        let image = store
            .fetch(&reference, &tell)
            .map_err(|error| failed(&error))?;
        let disk = image.boot_disk().clone();
        let file = match image.kind {
            ImageKind::Box(VagrantBox { appliance, .. }) | ImageKind::Appliance(appliance) => {
                appliance.ovf.map(|ovf| ImageFile::Appliance { ovf })
            }
            ImageKind::Disk(_) => None,
        };
        Ok(BootImage {
            hash: image.sha256.to_string(),
            file: file.unwrap_or(ImageFile::Disk {
                is_raw: disk.format == DiskFormat::Raw,
                path: disk.path,
            }),
        })
    };
    Ok(Box::new(VirtualBoxProvider {
        manage: Manage::find(),
        images: Box::new(images),
        seeds: Box::new(|lab, machine, path| {
            Seed::of(lab, machine, &Macs::of(lab), SharedFolders::Vboxsf).write(path)
        }),
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
        images: super::image::store()?,
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
