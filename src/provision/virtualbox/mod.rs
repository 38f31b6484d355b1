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
mod error;
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
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::Ipv4Net;

pub use self::manage::{Manage, ManageError};
pub use self::uuid::Uuid;

use self::create::{Parts, Workshop};
use self::error::at_machine;
use self::found::{FoundLab, FoundMachine};
use self::master::Master;
use super::shared_folders::SharedFolders;
use super::{
    FirstContact, Lab, Machine, MachineAction, MachineChange, Macs, ObservedMachine, Power,
    Provider, ProviderError, Report, Snapshots, machine_image, parallel, plan,
};
use crate::diagnostic::Diagnostics;
use crate::image::{Image, ImageStore};

/// Returns why VirtualBox won't make a network that a lab is to have; `None` where it will.
pub fn refusal(network: Ipv4Net) -> Option<ProviderError> {
    allowed::check(network).err()
}

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

    fn check(&self, lab: &Lab, changes: &[MachineChange]) -> Result<(), ProviderError> {
        machine_image::check_all(&self.images, lab, changes, master::check)
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
            self.create(lab, &created, report)?;
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
        self.start(lab, &found, &to_run, report)
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
        // A call that outlived its kinstall may have made another meanwhile.
        let late = FoundLab::find(&self.manage, lab)?;
        let late_names: Vec<&str> = late.machines.iter().map(|it| it.host.as_str()).collect();
        self.remove_found(lab, &late, &late_names, report)?;
        for uuid in found.records.machines_of(&lab.id) {
            if found.machines.iter().all(|it| it.uuid != uuid) {
                record::set_machine(&self.manage, uuid, None)?;
            }
        }
        let lock = self.lock(report)?;
        master::remove_unused(&self.manage)?;
        host_only::remove_unused(&self.manage)?;
        drop(lock);
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
            return self.start(lab, &found, names, report);
        }
        let machines: Vec<&FoundMachine> = found
            .machines
            .iter()
            .filter(|it| names.contains(&it.host.as_str()))
            .collect();
        // Halting is mostly waiting: all at once.
        parallel::all(&machines, |machine| match power {
            Power::Suspend => power::suspend(&self.manage, machine, report),
            _ => power::halt(&self.manage, machine, self.halt_patience, report),
        })
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

    fn shared_folders(&self) -> Option<SharedFolders> {
        Some(SharedFolders::Vboxsf)
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
    /// Makes machines; what can't be is told before anything is made.
    fn create(
        &self,
        lab: &Lab,
        machines: &[&Machine],
        report: Report,
    ) -> Result<(), ProviderError> {
        if let Some(machine) = machines
            .iter()
            .find(|it| plan::made_with(lab, it).addresses.len() >= settings::MOST_CARDS)
        {
            return Err(ProviderError::Machine {
                action: "create",
                machine: machine.name.clone(),
                detail: format!(
                    "it has more networks than VirtualBox has cards ({})",
                    settings::MOST_CARDS
                ),
            });
        }
        let mut images: BTreeMap<&str, Image> = BTreeMap::new();
        for machine in machines {
            let name = machine.spec.image.as_str();
            if !images.contains_key(name) {
                let image = machine_image::fetch(&self.images, lab, name, report)?;
                master::check(name, &image)?;
                images.insert(name, image);
            }
        }
        let _lock = self.lock(report)?;
        let networks = host_only::prepare(&self.manage, lab)?;
        let masters = images
            .into_iter()
            .map(|(name, image)| Ok((name, master::prepare(&self.manage, &image, report)?)));
        let masters: BTreeMap<&str, Master> = masters.collect::<Result<_, ProviderError>>()?;
        // What an interrupted run left, be it files only. A record may have outlived its machine.
        let names: Vec<&str> = machines.iter().map(|it| it.name.as_str()).collect();
        let found = FoundLab::find(&self.manage, lab)?;
        self.remove_found(lab, &found, &names, &|_, _| {})?;
        let macs = Macs::of(lab);
        let workshop = Workshop {
            manage: &self.manage,
            lab,
            macs: &macs,
        };
        parallel::each(machines, AT_A_TIME, |machine| {
            let addresses = plan::made_with(lab, machine).addresses;
            let attachments: Vec<_> = addresses
                .iter()
                .filter_map(|it| networks.attachment(*it).cloned())
                .collect();
            workshop.create(&Parts {
                machine,
                attachments: &attachments,
                master: &masters[machine.spec.image.as_str()],
            })?;
            report(&machine.name, "created");
            Ok(())
        })
        .map(drop)
    }

    /// Starts those of the machines that don't run; wakes those that sleep.
    fn start(
        &self,
        lab: &Lab,
        found: &FoundLab,
        names: &[&str],
        report: Report,
    ) -> Result<(), ProviderError> {
        let waiting = start::waiting(found, names);
        if waiting.is_empty() {
            return Ok(());
        }
        start::check_ports(lab, &waiting)?;
        let lock = self.lock(report)?;
        let networks = host_only::restored(&self.manage, lab)?;
        drop(lock);
        start::machines(&self.manage, lab, &waiting, &networks, report)
    }

    /// Keeps other kinstalls from what labs share: to one, what another has just made looks unused.
    fn lock(&self, report: Report) -> Result<File, ProviderError> {
        let waiting = || report("", "waiting for another kinstall that makes machines");
        let failed = ProviderError::file("lock", self.images.directory());
        self.images.lock_imports(waiting).map_err(failed)
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
                ..
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
        if let Some(port) = change::taken_port(lab, &machine) {
            return Err(nat_rule::obstacle(lab, &machine.host, port));
        }
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
            let uuid = Uuid::of_machine(&lab.id, name);
            // A record that is gone before its machine makes that one unfinished, never the other way round.
            if found.records.has_machine(uuid) {
                record::set_machine(manage, uuid, None)?;
            }
            let known = found.machine(name);
            let uuid = known.map_or(uuid, |it| it.uuid);
            remove::with_folder(
                manage,
                known.map(|it| (uuid, it.info.clone())),
                || {
                    let info = found::machine(manage, uuid).map_err(at_machine("remove", name))?;
                    Ok(info.map(|info| (uuid, info)))
                },
                &group.join(name),
            )?;
            if known.is_some() {
                report(name, "removed");
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
