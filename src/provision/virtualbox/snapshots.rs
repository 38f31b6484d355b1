//! Snapshots of machines, all of a lab at one moment.

use super::super::{
    Lab, MachineState, ProviderError, Report, Snapshot, SnapshotOfMachine, Snapshots, parallel,
};
use super::error::at_machine;
use super::found::{self, FoundLab, FoundMachine};
use super::info::Info;
use super::manage::ManageError;
use super::{VirtualBoxProvider, power};

/// How many disks are worked on at a time.
const AT_A_TIME: usize = 4;

/// Descriptions of snapshots: whether the memory was kept, then when it was taken.
const LIVE: &str = "kinstall: running, ";
const OFF: &str = "kinstall: off, ";

struct Entry<'a> {
    name: &'a str,
    uuid: &'a str,
    description: &'a str,
}

impl Snapshots for VirtualBoxProvider {
    fn list(&self, lab: &Lab) -> Result<Vec<Snapshot>, ProviderError> {
        let found = FoundLab::find(&self.manage, lab)?;
        let parts = found.machines.iter().flat_map(|machine| {
            entries(&machine.info).into_iter().map(|entry| {
                let part = SnapshotOfMachine {
                    machine: machine.host.clone(),
                    live: entry.description.starts_with(LIVE),
                    taken: taken(entry.description),
                };
                (entry.name.to_owned(), part)
            })
        });
        Ok(Snapshot::of(parts))
    }

    fn save(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError> {
        let machines = self.chosen(lab, names)?;
        // VirtualBox would take a second one of the same name.
        if let Some(machine) = machines
            .iter()
            .find(|it| entry(&it.info, snapshot).is_some())
        {
            return Err(ProviderError::Obstacle {
                message: format!("machine `{}` has a snapshot `{snapshot}`", machine.host),
                hints: vec![format!(
                    "`kinstall snapshot delete {snapshot}` removes it; or choose another name"
                )],
            });
        }
        let running: Vec<&FoundMachine> = machines
            .iter()
            .filter(|it| it.state() == MachineState::Running)
            .collect();
        let paused: &[&FoundMachine] = if running.len() > 1 { &running } else { &[] };
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
        let result = self.all(paused, "pause", &["pause"]).and_then(|()| {
            parallel::each(&machines, AT_A_TIME, |machine| {
                let is_live = matches!(
                    machine.state(),
                    MachineState::Running | MachineState::Paused | MachineState::Suspended
                );
                let description = format!("{}{now}", if is_live { LIVE } else { OFF });
                let arguments = [
                    "snapshot",
                    &machine.uuid.to_string(),
                    "take",
                    snapshot,
                    "--description",
                    &description,
                ];
                self.manage
                    .change(machine.uuid, &arguments)
                    .map_err(at_machine("take a snapshot of", &machine.host))?;
                report(&machine.host, "saved");
                Ok(())
            })
        });
        if result.is_err() {
            self.take_back(&machines, snapshot);
        }
        // Machines must not stay paused, however it ended; the first failure is the one to tell.
        let resumed = self.all(paused, "resume", &["resume"]);
        result.and(resumed)
    }

    fn restore(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError> {
        let machines = self.chosen(lab, names)?;
        require(&machines, snapshot)?;
        parallel::each(&machines, AT_A_TIME, |machine| {
            let failed = || at_machine("restore", &machine.host);
            power::switch_off(&self.manage, machine).map_err(failed())?;
            let uuid = entry(&machine.info, snapshot).map_or(snapshot, |it| it.uuid);
            let arguments = ["snapshot", &machine.uuid.to_string(), "restore", uuid];
            self.manage
                .change(machine.uuid, &arguments)
                .map_err(failed())?;
            report(&machine.host, "restored");
            Ok(())
        })?;
        let live: Vec<&str> = machines
            .iter()
            .filter(|it| {
                entry(&it.info, snapshot).is_some_and(|it| it.description.starts_with(LIVE))
            })
            .map(|it| it.host.as_str())
            .collect();
        let found = FoundLab::find(&self.manage, lab)?;
        self.start(lab, &found, &live, report)
    }

    fn delete(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError> {
        let machines = self.chosen(lab, names)?;
        require(&machines, snapshot)?;
        parallel::each(&machines, AT_A_TIME, |machine| {
            let uuid = entry(&machine.info, snapshot).map_or(snapshot, |it| it.uuid);
            let arguments = ["snapshot", &machine.uuid.to_string(), "delete", uuid];
            let deleted = self.manage.change(machine.uuid, &arguments);
            deleted.map_err(at_machine("delete a snapshot of", &machine.host))?;
            report(&machine.host, "deleted");
            Ok(())
        })
        .map(drop)
    }
}

impl VirtualBoxProvider {
    fn chosen(&self, lab: &Lab, names: &[&str]) -> Result<Vec<FoundMachine>, ProviderError> {
        let found = FoundLab::find(&self.manage, lab)?;
        let machines = found.machines.into_iter();
        Ok(machines
            .filter(|it| it.record.is_some() && names.contains(&it.host.as_str()))
            .collect())
    }

    /// Removes a snapshot that not all machines have: it would be no state of the lab to go back to.
    fn take_back(&self, machines: &[FoundMachine], snapshot: &str) {
        for machine in machines {
            let id = machine.uuid.to_string();
            let info = found::machine(&self.manage, machine.uuid);
            if let Ok(Some(info)) = info
                && let Some(taken) = entry(&info, snapshot)
            {
                let delete = ["snapshot", &id, "delete", taken.uuid];
                // The failure that is told is the one that led here.
                let _ = self.manage.change(machine.uuid, &delete);
            }
        }
    }

    fn all(
        &self,
        machines: &[&FoundMachine],
        action: &'static str,
        words: &[&str],
    ) -> Result<(), ProviderError> {
        parallel::each(machines, AT_A_TIME, |machine| {
            let id = machine.uuid.to_string();
            let arguments = [&["controlvm", &id], words].concat();
            let done: Result<String, ManageError> = self.manage.change(machine.uuid, &arguments);
            done.map_err(at_machine(action, &machine.host))
        })
        .map(drop)
    }
}

fn require(machines: &[FoundMachine], snapshot: &str) -> Result<(), ProviderError> {
    let Some(machine) = machines
        .iter()
        .find(|it| entry(&it.info, snapshot).is_none())
    else {
        return Ok(());
    };
    let names: Vec<_> = entries(&machine.info).iter().map(|it| it.name).collect();
    let there = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    Err(ProviderError::Obstacle {
        message: format!("machine `{}` has no snapshot `{snapshot}`", machine.host),
        hints: vec![format!("its snapshots: {there}")],
    })
}

fn entry<'a>(machine: &'a Info, name: &str) -> Option<Entry<'a>> {
    entries(machine).into_iter().find(|it| it.name == name)
}

/// Reads the tree of snapshots; a child's keys have `-1`, `-1-1`… behind them.
fn entries(machine: &Info) -> Vec<Entry<'_>> {
    let names = machine.starting_with("SnapshotName");
    names
        .map(|(place, name)| Entry {
            name,
            uuid: machine
                .get(&format!("SnapshotUUID{place}"))
                .unwrap_or_default(),
            description: machine
                .get(&format!("SnapshotDescription{place}"))
                .unwrap_or_default(),
        })
        .collect()
}

fn taken(description: &str) -> Option<String> {
    let time = description
        .strip_prefix(LIVE)
        .or_else(|| description.strip_prefix(OFF))?;
    Some(time.to_owned())
}
