//! Makes machines: linked clones with the lab's settings.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::super::{Lab, Machine, MachineState, ProviderError, plan};
use super::error::at_machine;
use super::found::{self, FoundMachine};
use super::manage::{Manage, ManageError};
use super::master::{self, Master, WayIn};
use super::media::{EXTRA, Media};
use super::paths::argument_path;
use super::record::{self, MachineRecord};
use super::settings::{self, Attachment, Settings};
use super::uuid::Uuid;
use super::{console_log, machine_directory};
use crate::provision::Macs;
use crate::provision::seed::Seed;
use crate::provision::shared_folders::share_name;

/// What all machines of a lab are made with.
pub struct Workshop<'a> {
    pub manage: &'a Manage,
    pub lab: &'a Lab,
    pub macs: &'a Macs,
}

/// What one machine is made with.
pub struct Parts<'a> {
    pub machine: &'a Machine,
    pub attachments: &'a [Attachment],
    pub master: &'a Master,
}

impl Workshop<'_> {
    /// Makes a machine up to the point where it can be started. Its record comes last.
    pub fn create(&self, parts: &Parts) -> Result<FoundMachine, ProviderError> {
        let (lab, machine, manage) = (self.lab, parts.machine, self.manage);
        let uuid = Uuid::of_machine(&lab.id, &machine.name);
        let failed = || at_machine("create", &machine.name);
        let directory = machine_directory(lab, &machine.name);
        fs::create_dir_all(&directory).map_err(ProviderError::file("make", &directory))?;
        let log = console_log(lab, &machine.name);
        let first_mac = match &parts.master.way_in {
            WayIn::Box { mac, .. } => mac.as_deref(),
            WayIn::Seed => None,
        };
        let settings = Settings {
            lab,
            machine,
            macs: self.macs.of_machine(&machine.name),
            first_mac,
            attachments: parts.attachments,
            is_virtio: parts.master.is_virtio,
            console_log: &log,
        };
        master::clone(
            manage,
            parts.master,
            uuid,
            &machine.name,
            &settings::group(lab),
        )
        .map_err(failed())?;
        manage
            .change(uuid, &settings.arguments(uuid))
            .map_err(failed())?;
        let info = found::machine(manage, uuid)
            .map_err(failed())?
            .unwrap_or_default();
        let record = MachineRecord {
            host: machine.name.clone(),
            made_with: plan::made_with(lab, machine),
            master: parts.master.hash.clone(),
            box_user: match &parts.master.way_in {
                WayIn::Box { user, .. } => Some(user.clone()),
                WayIn::Seed => None,
            },
            mount_points: machine
                .spec
                .shared_folders
                .iter()
                .map(|it| it.guest.clone())
                .collect(),
        };
        let found = FoundMachine {
            uuid,
            host: machine.name.clone(),
            info,
            record: Some(record),
            is_unreadable: false,
        };
        let mut disks = DisksOf::new(manage, &found);
        if machine.spec.disk_gib << 10 > parts.master.disk_mib {
            disks
                .resize(machine.spec.disk_gib << 10)
                .map_err(failed())?;
        }
        if parts.master.way_in == WayIn::Seed {
            let seed = directory.join("seed.iso");
            Seed::of(lab, machine, self.macs).write(&seed)?;
            disks.attach("dvddrive", &seed).map_err(failed())?;
        }
        disks
            .add_extra(&found.folder(), 0, &machine.spec.extra_disks_gib)
            .map_err(failed())?;
        share_folders(manage, uuid, machine).map_err(failed())?;
        record::set_machine(manage, uuid, found.record.as_ref())?;
        debug_assert_eq!(found.state(), MachineState::Stopped);
        Ok(found)
    }
}

/// The controller that a machine boots from.
pub struct DisksOf<'a> {
    manage: &'a Manage,
    machine: Uuid,
    controller: String,
    boot_disk: String,
    next_port: u32,
}

impl<'a> DisksOf<'a> {
    /// Finds it in what VirtualBox told of the machine.
    pub fn new(manage: &'a Manage, machine: &FoundMachine) -> Self {
        let mut attached: Vec<(String, u32, String)> = machine
            .info
            .pairs()
            .filter_map(|(key, uuid)| {
                let (controller, place) = key.split_once("-ImageUUID-")?;
                let (port, _) = place.split_once('-')?;
                Some((controller.to_owned(), port.parse().ok()?, uuid.to_owned()))
            })
            .collect();
        attached.sort_by_key(|(_, port, _)| *port);
        let (controller, _, boot_disk) = attached.first().cloned().unwrap_or_default();
        let last = attached
            .iter()
            .filter(|(it, ..)| *it == controller)
            .map(|(_, port, _)| *port)
            .max();
        Self {
            manage,
            machine: machine.uuid,
            controller,
            boot_disk,
            next_port: last.map_or(0, |it| it + 1),
        }
    }

    /// Gives the disk that the machine boots from another size.
    pub fn resize(&self, size_mib: u64) -> Result<(), ManageError> {
        let size = size_mib.to_string();
        let arguments = ["modifymedium", "disk", &self.boot_disk, "--resize", &size];
        self.manage.change(self.machine, &arguments).map(drop)
    }

    /// Makes the extra disks beyond those that are there.
    pub fn add_extra(
        &mut self,
        folder: &Path,
        there: usize,
        sizes_gib: &[u64],
    ) -> Result<(), ManageError> {
        for (index, gib) in sizes_gib.iter().enumerate().skip(there) {
            let file = folder.join(format!("{EXTRA}{}.vdi", index + 1));
            let mut arguments = words(&[
                "createmedium",
                "disk",
                "--size",
                &(gib << 10).to_string(),
                "--filename",
            ]);
            arguments.push(argument_path(&file));
            self.manage.change(self.machine, &arguments)?;
            self.attach("hdd", &file)?;
        }
        Ok(())
    }

    /// Puts a medium on the next free port.
    pub fn attach(&mut self, kind: &str, file: &Path) -> Result<(), ManageError> {
        let (machine, port) = (self.machine.to_string(), self.next_port.to_string());
        let mut arguments = words(&[
            "storageattach",
            &machine,
            "--storagectl",
            &self.controller,
            "--port",
            &port,
            "--device",
            "0",
            "--type",
            kind,
            "--medium",
        ]);
        arguments.push(argument_path(file));
        self.manage.change(self.machine, &arguments)?;
        self.next_port += 1;
        Ok(())
    }
}

/// Shares the machine's folders under the names that its first boot mounts.
pub fn share_folders(manage: &Manage, uuid: Uuid, machine: &Machine) -> Result<(), ManageError> {
    for (index, folder) in machine.spec.shared_folders.iter().enumerate() {
        let mut arguments = words(&[
            "sharedfolder",
            "add",
            &uuid.to_string(),
            "--name",
            &share_name(index),
            "--hostpath",
        ]);
        arguments.push(argument_path(&folder.host));
        manage.change(uuid, &arguments)?;
    }
    Ok(())
}

/// Returns how many extra disks a machine has.
pub fn extra_disks(media: &Media, machine: &FoundMachine) -> usize {
    media
        .of_machine(&machine.info)
        .iter()
        .filter(|it| it.extra().is_some())
        .count()
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}
