//! The machines of a lab as VirtualBox has them.

use std::path::{Path, PathBuf};

use super::super::{Lab, MachineSettings, MachineState, ObservedMachine, ProviderError, parallel};
use super::error::at_lab;
use super::info::{self, Info};
use super::manage::{Manage, ManageError, UNREADABLE};
use super::media::Media;
use super::nat_rule;
use super::record::{MachineRecord, Records};
use super::uuid::Uuid;
use crate::model::SharedFolder;

/// How many calls that only ask are made at a time.
const QUESTIONS: usize = 8;

/// A machine that VirtualBox has.
#[derive(Clone, Debug)]
pub struct FoundMachine {
    pub uuid: Uuid,
    /// The host that it is made for.
    pub host: String,
    pub info: Info,
    /// `None` as long as its making isn't done, and where it can't be read.
    pub record: Option<MachineRecord>,
    /// It was finished once, but VirtualBox can't read its file, or kinstall its record.
    pub is_unreadable: bool,
}

/// What there is of a lab.
#[derive(Clone, Debug)]
pub struct FoundLab {
    pub machines: Vec<FoundMachine>,
    pub media: Media,
    pub records: Records,
}

impl FoundLab {
    /// Asks VirtualBox: one call for each machine and three more.
    pub fn find(manage: &Manage, lab: &Lab) -> Result<Self, ProviderError> {
        let listed = all_machines(manage)?;
        let ours: Vec<(String, Uuid)> = listed
            .into_iter()
            .filter(|(_, uuid)| uuid.is_in_lab(&lab.id))
            .collect();
        std::thread::scope(|scope| {
            let media = scope.spawn(|| {
                if ours.is_empty() {
                    Ok(Media::default())
                } else {
                    Media::read(manage)
                }
            });
            let records = scope.spawn(|| Records::read(manage));
            let infos = parallel::each(&ours, QUESTIONS, |(_, uuid)| machine(manage, *uuid));
            let infos = infos.map_err(at_lab("look at the lab's machines"))?;
            let records = joined(records)?;
            let machines = ours.iter().zip(infos).filter_map(|((name, uuid), info)| {
                let record = records.machine(*uuid);
                let wanted = lab
                    .machines
                    .iter()
                    .find(|it| Uuid::of_machine(&lab.id, &it.name) == *uuid);
                let host = wanted.map_or(name, |it| &it.name);
                let host = record.as_ref().map_or(host, |it| &it.host);
                // Gone since it was listed.
                let info = info?;
                let is_whole = record.is_some() && info.get("VMState").is_some();
                Some(FoundMachine {
                    uuid: *uuid,
                    host: host.clone(),
                    is_unreadable: records.has_machine(*uuid) && !is_whole,
                    info,
                    record,
                })
            });
            let mut machines: Vec<FoundMachine> = machines.collect();
            // VirtualBox's order is another one every time.
            machines.sort_by(|one, other| one.host.cmp(&other.host));
            Ok(Self {
                machines,
                media: joined(media)?,
                records,
            })
        })
    }

    pub fn machine(&self, host: &str) -> Option<&FoundMachine> {
        self.machines.iter().find(|it| it.host == host)
    }

    /// Returns what the provider tells: the lab's machines, then those that it doesn't have any more.
    pub fn observed(&self, lab: &Lab) -> Vec<ObservedMachine> {
        let wanted = lab
            .machines
            .iter()
            .map(|machine| match self.machine(&machine.name) {
                Some(found) => found.observed(&self.media),
                None => ObservedMachine {
                    name: machine.name.clone(),
                    state: MachineState::Absent,
                    settings: None,
                },
            });
        let left_over = self
            .machines
            .iter()
            .filter(|it| lab.machine(&it.host).is_none());
        wanted
            .chain(left_over.map(|it| it.observed(&self.media)))
            .collect()
    }
}

impl FoundMachine {
    pub fn state(&self) -> MachineState {
        match self.record {
            _ if self.is_unreadable => MachineState::Unreadable,
            Some(_) => state(self.raw_state()),
            None => MachineState::Unfinished,
        }
    }

    /// Returns VirtualBox's word for what it is doing.
    pub fn raw_state(&self) -> &str {
        self.info.get("VMState").unwrap_or_default()
    }

    /// Returns the folder that VirtualBox gave it; empty where it can't tell any more.
    pub fn folder(&self) -> PathBuf {
        folder(&self.info)
    }

    fn observed(&self, media: &Media) -> ObservedMachine {
        ObservedMachine {
            name: self.host.clone(),
            state: self.state(),
            settings: self
                .record
                .as_ref()
                .map(|record| self.settings(media, record)),
        }
    }

    fn settings(&self, media: &Media, record: &MachineRecord) -> MachineSettings {
        let disks = media.of_machine(&self.info);
        let boot_disk = disks.iter().find(|it| it.extra().is_none());
        let mut extra: Vec<_> = disks
            .iter()
            .filter_map(|it| Some((it.extra()?, it.capacity_mib >> 10)))
            .collect();
        extra.sort_unstable();
        MachineSettings {
            takes_address: false,
            egress: None,
            changes_egress: false,
            cpus: u32::try_from(self.info.number("cpus")).unwrap_or(u32::MAX),
            memory_mib: self.info.number("memory"),
            disk_mib: boot_disk.map_or(0, |it| it.capacity_mib),
            extra_disks_gib: extra.into_iter().map(|(_, size)| size).collect(),
            forwarded_ports: nat_rule::read(&self.info),
            shared_folders: self.shared_folders(record),
            made_with: record.made_with.clone(),
        }
    }

    fn shared_folders(&self, record: &MachineRecord) -> Vec<SharedFolder> {
        let names = self.info.starting_with("SharedFolderNameMachineMapping");
        let mut folders: Vec<(usize, SharedFolder)> = names
            .filter_map(|(number, name)| {
                let index: usize = name.strip_prefix("kinstall")?.parse().ok()?;
                let host = self
                    .info
                    .get(&format!("SharedFolderPathMachineMapping{number}"))?;
                let folder = SharedFolder {
                    host: host.into(),
                    guest: record.mount_points.get(index)?.clone(),
                };
                Some((index, folder))
            })
            .collect();
        folders.sort_by_key(|(index, _)| *index);
        folders.into_iter().map(|(_, folder)| folder).collect()
    }
}

/// Returns the folder of the machine that VirtualBox tells about; empty where it can't tell any more.
pub fn folder(info: &Info) -> PathBuf {
    let file = Path::new(info.get("CfgFile").unwrap_or_default());
    file.parent().unwrap_or(file).to_owned()
}

/// Returns names and UUIDs of all machines, whoever made them.
pub fn all_machines(manage: &Manage) -> Result<Vec<(String, Uuid)>, ProviderError> {
    let text = manage
        .call(&["list", "vms"])
        .map_err(at_lab("list VirtualBox's machines"))?;
    Ok(info::machines(&text))
}

/// Returns what VirtualBox tells of a machine, which is nothing where it can't read the machine's file; `None` where
/// it has none with this UUID.
pub fn machine(manage: &Manage, uuid: Uuid) -> Result<Option<Info>, ManageError> {
    match manage.call(&["showvminfo", &uuid.to_string(), "--machinereadable"]) {
        Ok(text) => Ok(Some(Info::parse(&text))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) if error.says(UNREADABLE) => Ok(Some(Info::default())),
        Err(error) => Err(error),
    }
}

fn state(word: &str) -> MachineState {
    match word {
        "poweroff" | "teleported" | "stopping" => MachineState::Stopped,
        "saved" | "aborted-saved" | "saving" => MachineState::Suspended,
        "paused" => MachineState::Paused,
        // The second is VirtualBox's own crash, with the process still there.
        "aborted" | "gurumeditation" => MachineState::Aborted,
        // Among these: `starting`, `restoring`, and all that goes on at a machine that runs.
        _ => MachineState::Running,
    }
}

fn joined<T>(
    thread: std::thread::ScopedJoinHandle<'_, Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
