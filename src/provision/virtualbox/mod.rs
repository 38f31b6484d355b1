//! Machines of VirtualBox, made by its own program VBoxManage.
//!
//! ```text
//! image ─ master ── snapshot `base` ─┬ linked clone node1 ─┬ card 1: NAT, the way out
//!                                    └ linked clone node2  └ card 2: host-only, the lab's network
//! ```
//!
//! What there is, is always asked of VirtualBox ([`found`]); machines are known by their UUIDs ([`uuid`]).

mod allowed;
mod change;
mod create;
mod dhcp;
mod failure;
mod first_contact;
mod found;
mod host_only;
mod info;
mod manage;
mod master;
mod media;
mod nat_rule;
mod obstacles;
mod parallel;
mod paths;
mod power;
mod record;
mod remove;
mod settings;
mod snapshots;
mod source;
mod start;
mod uuid;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

pub use self::manage::{Manage, ManageError};
pub use self::uuid::Uuid;

use self::create::{Parts, Workshop};
use self::failure::at_machine;
use self::found::{FoundLab, FoundMachine};
use self::master::Master;
use super::{
    FirstContact, Lab, Machine, MachineAction, MachineChange, Macs, ObservedMachine, Power,
    Provider, ProviderError, Report, Snapshots, machine_image,
};
use crate::diagnostic::Diagnostics;
use crate::image::ImageStore;

/// How many machines are made, changed or removed at a time.
const AT_A_TIME: usize = 4;

/// Makes machines with the VirtualBox of this computer.
pub struct VirtualBoxProvider {
    pub manage: Manage,
    pub images: ImageStore,
    /// How long a machine may take to shut down before its plug is pulled.
    pub halt_patience: Duration,
}

impl Provider for VirtualBoxProvider {
    fn obstacles(&self) -> Diagnostics {
        obstacles::find(&self.manage)
    }

    fn observe(&self, lab: &Lab) -> Result<Vec<ObservedMachine>, ProviderError> {
        Ok(FoundLab::find(&self.manage, lab)?.observed(lab))
    }

    fn up(
        &self,
        lab: &Lab,
        changes: &[MachineChange],
        report: Report,
    ) -> Result<(), ProviderError> {
        let found = FoundLab::find(&self.manage, lab)?;
        self.remove_found(
            lab,
            &found,
            &hosts(changes, |it| matches!(it, MachineAction::Remove)),
            report,
        )?;
        let created: Vec<&Machine> = hosts(changes, |it| matches!(it, MachineAction::Create))
            .into_iter()
            .filter_map(|host| lab.machine(host))
            .collect();
        if !created.is_empty() {
            self.create(lab, &found, &created, report)?;
        }
        let to_change: Vec<&MachineChange> = changes
            .iter()
            .filter(|it| it.is_possible() && matches!(it.action, MachineAction::Change { .. }))
            .collect();
        parallel::each(&to_change, AT_A_TIME, |change| {
            self.change(lab, &found, change, report)
        })?;
        let found = FoundLab::find(&self.manage, lab)?;
        let to_run = hosts(changes, |it| !matches!(it, MachineAction::Remove));
        start::machines(&self.manage, lab, &found, &to_run, report)
    }

    fn remove(&self, lab: &Lab, names: &[&str], report: Report) -> Result<(), ProviderError> {
        let found = FoundLab::find(&self.manage, lab)?;
        self.remove_found(lab, &found, names, report)
    }

    fn down(&self, lab: &Lab, report: Report) -> Result<(), ProviderError> {
        let found = FoundLab::find(&self.manage, lab)?;
        let there = found.machines.iter().map(|it| it.host.as_str());
        // Of those that VirtualBox doesn't have, files may be left.
        let wanted = lab.machines.iter().map(|it| it.name.as_str());
        let mut names: Vec<&str> = there.chain(wanted).collect();
        names.sort_unstable();
        names.dedup();
        self.remove_found(lab, &found, &names, report)?;
        for uuid in found.records.machines_of(&lab.id) {
            if found.machines.iter().all(|it| it.uuid != uuid) {
                record::set_machine(&self.manage, uuid, None)?;
            }
        }
        master::remove_unused(&self.manage, &self.images)?;
        host_only::remove_unused(&self.manage)?;
        machine_image::release(&self.images, lab)?;
        match fs::remove_dir_all(&lab.directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(ProviderError::file("remove", &lab.directory)(error))
            }
            _ => Ok(()),
        }
    }

    fn power(
        &self,
        lab: &Lab,
        names: &[&str],
        power: Power,
        report: Report,
    ) -> Result<(), ProviderError> {
        let found = FoundLab::find(&self.manage, lab)?;
        if matches!(power, Power::Start | Power::Resume) {
            return start::machines(&self.manage, lab, &found, names, report);
        }
        let machines: Vec<&FoundMachine> = found
            .machines
            .iter()
            .filter(|it| names.contains(&it.host.as_str()))
            .collect();
        // Halting is mostly waiting: all at once.
        parallel::each(&machines, machines.len(), |machine| match power {
            Power::Suspend => power::suspend(&self.manage, machine, report),
            _ => power::halt(&self.manage, machine, self.halt_patience, report),
        })
        .map(drop)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        Some(self)
    }

    fn console_log(&self, lab: &Lab, name: &str) -> PathBuf {
        console_log(lab, name)
    }

    fn has_first_boot(&self) -> bool {
        true
    }

    fn first_contact(
        &self,
        lab: &Lab,
        machine: &Machine,
    ) -> Result<Option<FirstContact>, ProviderError> {
        first_contact::open(&self.manage, lab, machine)
    }

    fn end_first_contact(&self, lab: &Lab, machine: &Machine) -> Result<(), ProviderError> {
        first_contact::close(&self.manage, lab, machine)
    }

    fn patience(&self) -> Duration {
        Duration::from_mins(10)
    }
}

impl VirtualBoxProvider {
    fn create(
        &self,
        lab: &Lab,
        found: &FoundLab,
        machines: &[&Machine],
        report: Report,
    ) -> Result<(), ProviderError> {
        let networks = host_only::prepare(&self.manage, lab, &found.records)?;
        let masters = self.masters(lab, machines, report)?;
        // What an interrupted run left, be it files only. A record may have outlived its machine.
        let names: Vec<&str> = machines.iter().map(|it| it.name.as_str()).collect();
        self.remove_found(lab, found, &names, &|_, _| {})?;
        let macs = Macs::of(lab);
        let workshop = Workshop {
            manage: &self.manage,
            lab,
            macs: &macs,
        };
        parallel::each(machines, AT_A_TIME, |machine| {
            let failed = |detail: String| ProviderError::Machine {
                action: "create",
                machine: machine.name.clone(),
                detail,
            };
            let master = masters
                .get(&machine.spec.image)
                .ok_or_else(|| failed("it has no image".into()))?;
            let addresses = super::plan::made_with(lab, machine).addresses;
            if addresses.len() + 1 > settings::MOST_CARDS {
                return Err(failed(format!(
                    "it has more networks than VirtualBox has cards ({})",
                    settings::MOST_CARDS
                )));
            }
            let attachments: Vec<_> = addresses
                .iter()
                .filter_map(|it| networks.attachment(*it).cloned())
                .collect();
            workshop.create(&Parts {
                machine,
                attachments: &attachments,
                master,
            })?;
            report(&machine.name, "created");
            Ok(())
        })
        .map(drop)
    }

    fn masters(
        &self,
        lab: &Lab,
        machines: &[&Machine],
        report: Report,
    ) -> Result<BTreeMap<String, Master>, ProviderError> {
        let mut masters = BTreeMap::new();
        for machine in machines {
            let image = &machine.spec.image;
            if !masters.contains_key(image) {
                let file = machine_image::fetch(&self.images, lab, image, report)?;
                masters.insert(
                    image.clone(),
                    master::prepare(&self.manage, &self.images, &file, report)?,
                );
            }
        }
        Ok(masters)
    }

    fn change(
        &self,
        lab: &Lab,
        found: &FoundLab,
        change: &MachineChange,
        report: Report,
    ) -> Result<(), ProviderError> {
        let (
            Some(machine),
            MachineAction::Change {
                settings,
                needs_halt,
            },
        ) = (found.machine(&change.host), &change.action)
        else {
            return Ok(());
        };
        if *needs_halt {
            power::halt(&self.manage, machine, self.halt_patience, report)?;
        }
        // It looks different once it is off.
        let info = found::machine(&self.manage, machine.uuid)
            .map_err(at_machine("look at", &machine.host))?;
        let machine = FoundMachine {
            info: info.unwrap_or_default(),
            ..machine.clone()
        };
        change::apply(&self.manage, lab, &machine, &found.media, settings, report)
    }

    /// Removes machines, of whatever is there of them.
    fn remove_found(
        &self,
        lab: &Lab,
        found: &FoundLab,
        names: &[&str],
        report: Report,
    ) -> Result<(), ProviderError> {
        if names.is_empty() {
            return Ok(());
        }
        let manage = &self.manage;
        let group =
            remove::machine_folder(manage)?.join(settings::group(lab).trim_start_matches('/'));
        parallel::each(names, AT_A_TIME, |name| {
            let failed = || at_machine("remove", name);
            let uuid = Uuid::of_machine(&lab.id, name);
            // A record that is gone before its machine makes that one unfinished, never the other way round.
            if found.records.machine(uuid).is_some() {
                record::set_machine(manage, uuid, None)?;
            }
            let mut folder = group.join(name);
            if let Some(machine) = found.machine(name) {
                remove::machine(manage, machine.uuid, &machine.info).map_err(failed())?;
                // A user may have moved it.
                folder = machine.folder();
                report(name, "removed");
            }
            if folder.starts_with(&group) {
                remove::leftovers(manage, &folder)?;
            }
            let directory = machine_directory(lab, name);
            if directory.exists() {
                remove::forget_seeds(manage, &directory)?;
                fs::remove_dir_all(&directory)
                    .map_err(ProviderError::file("remove", &directory))?;
            }
            Ok(())
        })?;
        remove::empty_folder(&group);
        Ok(())
    }
}

fn hosts(changes: &[MachineChange], is_meant: impl Fn(&MachineAction) -> bool) -> Vec<&str> {
    let meant = changes.iter().filter(|it| is_meant(&it.action));
    meant.map(|it| it.host.as_str()).collect()
}

/// Folder with what kinstall writes for a machine.
fn machine_directory(lab: &Lab, name: &str) -> PathBuf {
    lab.directory.join(name)
}

fn console_log(lab: &Lab, name: &str) -> PathBuf {
    machine_directory(lab, name).join("console.log")
}
