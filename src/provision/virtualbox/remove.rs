//! Removes machines with all that VirtualBox has of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::ProviderError;
use super::failure::at_lab;
use super::info::{Block, Info};
use super::manage::{Manage, ManageError};
use super::media::Media;
use super::uuid::Uuid;

/// Switches a machine off and removes it with its disks; one that isn't there is fine.
pub fn machine(manage: &Manage, uuid: Uuid, info: &Info) -> Result<(), ManageError> {
    let id = uuid.to_string();
    let is_off = matches!(
        info.get("VMState"),
        None | Some("poweroff" | "saved" | "aborted" | "aborted-saved")
    );
    if !is_off {
        match manage.change(uuid, &["controlvm", &id, "poweroff"]) {
            Err(error) if error.is_not_found() || error.says("is not currently running") => {}
            result => drop(result?),
        }
    }
    match manage.change(uuid, &["unregistervm", &id, "--delete"]) {
        Err(error) if error.is_not_found() => Ok(()),
        result => result.map(drop),
    }
}

/// Removes a folder that VirtualBox had given to a machine, with the disks in it that no machine has: files
/// of calls that were cut off.
pub fn leftovers(manage: &Manage, folder: &Path) -> Result<(), ProviderError> {
    if !folder.exists() {
        return Ok(());
    }
    for medium in Media::read(manage)?.below(folder) {
        let action = format!("remove the disk `{}`", medium.location);
        let closed = manage.call(&["closemedium", "disk", &medium.uuid, "--delete"]);
        closed.map(drop).map_err(at_lab(action))?;
    }
    fs::remove_dir_all(folder).map_err(ProviderError::file("remove", folder))
}

/// Makes VirtualBox forget the seeds in a folder: to remove a machine doesn't.
pub fn forget_seeds(manage: &Manage, folder: &Path) -> Result<(), ProviderError> {
    let action = || at_lab("forget the lab's seeds");
    let text = manage.call(&["list", "dvds"]).map_err(action())?;
    for block in Block::parse_all(&text, "UUID") {
        if Path::new(block.get("Location")).starts_with(folder) {
            match manage.call(&["closemedium", "dvd", block.get("UUID")]) {
                // Forgotten by itself, since it was listed.
                Err(error) if error.is_not_found() || error.says("is not fully qualified") => {}
                result => drop(result.map_err(action())?),
            }
        }
    }
    Ok(())
}

/// Returns the folder in which VirtualBox makes machines.
pub fn machine_folder(manage: &Manage) -> Result<PathBuf, ProviderError> {
    let text = manage
        .call(&["list", "systemproperties"])
        .map_err(at_lab("ask for VirtualBox's machine folder"))?;
    let folder = text
        .lines()
        .find_map(|line| line.strip_prefix("Default machine folder:"));
    Ok(PathBuf::from(folder.unwrap_or_default().trim()))
}

/// Removes a folder if nothing is in it.
pub fn empty_folder(folder: &Path) {
    // One with something in it has to stay.
    let _ = fs::remove_dir(folder);
}
