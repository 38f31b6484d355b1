//! Brings a machine's settings to what the inventory says.

use super::super::{Lab, Machine, MachineState, ProviderError, Report, SettingChange};
use super::create::{DisksOf, extra_disks, share_folders};
use super::error::at_machine;
use super::found::FoundMachine;
use super::manage::{Manage, ManageError};
use super::media::Media;
use super::nat_rule;
use super::record;
use crate::model::ForwardedPort;

/// Applies what can be applied; the machine is off unless only its forwarded ports change.
pub fn apply(
    manage: &Manage,
    lab: &Lab,
    found: &FoundMachine,
    media: &Media,
    changes: &[SettingChange],
    report: Report,
) -> Result<(), ProviderError> {
    let Some(machine) = lab.machine(&found.host) else {
        return Ok(());
    };
    for change in changes.iter().filter(|it| it.impossible.is_none()) {
        one(manage, machine, found, media, change.setting)
            .map_err(at_machine("change", &machine.name))?;
        report(
            &machine.name,
            &format!(
                "{}: {} instead of {}",
                change.setting, change.to, change.from
            ),
        );
        if change.setting == "disk" && found.info.get("CurrentSnapshotName").is_some() {
            report(&machine.name, "its snapshots keep the disk's old size");
        }
    }
    let mut record = found.record.clone();
    if let Some(record) = &mut record {
        record.mount_points = machine
            .spec
            .shared_folders
            .iter()
            .map(|it| it.guest.clone())
            .collect();
    }
    if record != found.record {
        record::set_machine(manage, found.uuid, record.as_ref())?;
    }
    Ok(())
}

/// Returns a port that a running machine is to have and another program has: VirtualBox would say so only in its log.
pub fn taken_port(lab: &Lab, found: &FoundMachine) -> Option<ForwardedPort> {
    let wanted = &lab.machine(&found.host)?.spec.forwarded_ports;
    let has = nat_rule::read(&found.info);
    let is_new = |it: &&ForwardedPort| {
        let is_same =
            |other: &ForwardedPort| (other.host, other.protocol) == (it.host, it.protocol);
        !has.iter().any(is_same)
    };
    let new: Vec<_> = wanted.iter().filter(is_new).copied().collect();
    nat_rule::taken(&new).filter(|_| found.state() == MachineState::Running)
}

fn one(
    manage: &Manage,
    machine: &Machine,
    found: &FoundMachine,
    media: &Media,
    setting: &str,
) -> Result<(), ManageError> {
    let id = found.uuid.to_string();
    let spec = &machine.spec;
    let change = |arguments: &[&str]| manage.change(found.uuid, arguments).map(drop);
    match setting {
        "CPUs" => change(&["modifyvm", &id, "--cpus", &spec.cpus.to_string()]),
        "memory" => change(&["modifyvm", &id, "--memory", &spec.memory_mib.to_string()]),
        "disk" => DisksOf::new(manage, found).resize(spec.disk_gib << 10),
        "extra disks (GiB)" => {
            let there = extra_disks(media, found);
            DisksOf::new(manage, found).add_extra(&found.folder(), there, &spec.extra_disks_gib)
        }
        "forwarded ports" => {
            let (command, name) = match found.raw_state() {
                "running" | "paused" => ("controlvm", "natpf1"),
                _ => ("modifyvm", "--natpf1"),
            };
            for rule in nat_rule::names(&found.info) {
                change(&[command, &id, name, "delete", rule])?;
            }
            for (index, port) in spec.forwarded_ports.iter().enumerate() {
                change(&[command, &id, name, &nat_rule::rule(index, *port)])?;
            }
            Ok(())
        }
        "shared folders" => {
            let names = found.info.starting_with("SharedFolderNameMachineMapping");
            for (_, name) in names.filter(|(_, name)| name.starts_with("kinstall")) {
                change(&["sharedfolder", "remove", &id, "--name", name])?;
            }
            share_folders(manage, found.uuid, machine)
        }
        _ => Ok(()),
    }
}
