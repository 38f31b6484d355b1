//! Removes machines with all that VirtualBox has of them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::super::ProviderError;
use super::error::at_lab;
use super::found;
use super::info::{Block, Info};
use super::manage::{Manage, ManageError};
use super::media::Media;
use super::uuid::Uuid;

/// How often, and after how long, a machine is looked for that is just being made.
const ATTEMPTS: u32 = 25;
const PAUSE: Duration = Duration::from_millis(200);

/// Switches a machine off and removes it with its disks; one that isn't there is fine.
fn machine(manage: &Manage, uuid: Uuid, info: &Info) -> Result<(), ManageError> {
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
    release_foreign_disks(manage, uuid, info)?;
    match manage.change(uuid, &["unregistervm", &id, "--delete"]) {
        Err(error) if error.is_not_found() => Ok(()),
        result => result.map(drop),
    }
}

/// Takes disks out of a machine that lie elsewhere: a user has put them in, and they would be deleted with it.
fn release_foreign_disks(manage: &Manage, uuid: Uuid, info: &Info) -> Result<(), ManageError> {
    let folder = found::folder(info);
    let is_foreign = |file: &str| {
        let path = Path::new(file);
        let is_disk = path
            .extension()
            .is_some_and(|it| !it.eq_ignore_ascii_case("iso"));
        path.is_absolute() && is_disk && !path.starts_with(&folder)
    };
    // `"disks-0-0"="/srv/data.vdi"`: controller, port, device.
    let foreign = info.pairs().filter_map(|(key, file)| {
        let mut parts = key.rsplitn(3, '-');
        let (device, port, controller) = (parts.next()?, parts.next()?, parts.next()?);
        let is_place = [device, port].iter().all(|it| it.parse::<u32>().is_ok());
        (is_place && is_foreign(file)).then_some([controller, port, device])
    });
    for (index, [controller, port, device]) in foreign.enumerate() {
        let id = uuid.to_string();
        if index == 0 && info.get("VMState") == Some("saved") {
            manage.change(uuid, &["discardstate", &id])?;
        }
        let place = [
            "--storagectl",
            controller,
            "--port",
            port,
            "--device",
            device,
        ];
        let detach = ["storageattach", &id].into_iter().chain(place);
        let detach: Vec<&str> = detach.chain(["--medium", "none"]).collect();
        manage.change(uuid, &detach)?;
    }
    Ok(())
}

/// Removes a machine with the folder that VirtualBox gave it: `folder`, unless a user has moved it within its parent.
///
/// `known` is what was there of it a moment ago, and `find` looks again: a call of VBoxManage that outlived its
/// kinstall may just be making it.
pub fn with_folder(
    manage: &Manage,
    known: Option<(Uuid, Info)>,
    find: impl Fn() -> Result<Option<(Uuid, Info)>, ProviderError>,
    folder: &Path,
) -> Result<(), ProviderError> {
    let action = || at_lab(format!("remove the machine in `{}`", folder.display()));
    let mut found = known;
    for _ in 0..ATTEMPTS {
        let mut whole = folder.to_owned();
        if let Some((uuid, info)) = &found {
            machine(manage, *uuid, info).map_err(action())?;
            let moved = found::folder(info);
            if moved.parent() == folder.parent() {
                whole = moved;
            }
        }
        // What VirtualBox can tell of a machine, it has removed with it.
        let is_whole = found
            .as_ref()
            .is_some_and(|(_, info)| info.get("VMState").is_some());
        if (is_whole && !whole.exists()) || leftovers(manage, &whole)? {
            return Ok(());
        }
        thread::sleep(PAUSE);
        found = find()?;
    }
    Err(ProviderError::Obstacle {
        message: format!(
            "a disk in `{}` is in use by another machine",
            folder.display()
        ),
        hints: vec![
            "take it out of that machine (`VBoxManage list hdds --long` names it), and try again"
                .into(),
        ],
    })
}

/// Removes a folder, with the disks in it that no machine has: files of calls that were cut off. Returns false where
/// a machine has one.
fn leftovers(manage: &Manage, folder: &Path) -> Result<bool, ProviderError> {
    for medium in Media::read(manage)?.below(folder) {
        let action = format!("remove the disk `{}`", medium.location);
        let mut arguments = vec!["closemedium", "disk", &medium.uuid];
        // Of a file that is gone, VirtualBox only has to forget it.
        if Path::new(&medium.location).exists() {
            arguments.push("--delete");
        }
        match manage.call(&arguments) {
            Err(error) if error.says("is still attached to") => return Ok(false),
            closed => drop(closed.map_err(at_lab(action))?),
        }
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(ProviderError::file("remove", folder)(error))
        }
        _ => Ok(true),
    }
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
