//! Snapshots, kept inside the disks; for machines that run, with their memory.

use super::QemuProvider;
use super::disks::{self, SnapshotAction};
use super::folder::{LabFolder, MachineFolder, read, remove_file};
use super::monitor::{Monitor, RunState};
use super::process::{self, Process};
use super::record::{MachineRecord, SnapshotRecord};
use super::{network, obstacles, power};
use crate::provision::{
    Lab, ProviderError, Report, Snapshot, SnapshotOfMachine, Snapshots, parallel,
};

impl Snapshots for QemuProvider {
    fn list(&self, lab: &Lab) -> Result<Vec<Snapshot>, ProviderError> {
        let lab_folder = LabFolder::of(lab);
        let mut parts = Vec::new();
        for machine in lab_folder.machines()? {
            let folder = lab_folder.machine(lab, &machine);
            for name in folder.snapshots()? {
                let Some(record) = read::<SnapshotRecord>(&folder.snapshot(&name))? else {
                    continue;
                };
                let part = SnapshotOfMachine {
                    machine: machine.clone(),
                    live: record.live,
                    taken: Some(record.taken),
                };
                parts.push((name, part));
            }
        }
        Ok(Snapshot::of(parts))
    }

    fn save(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError> {
        check_name(snapshot)?;
        let folders = folders(lab, names);
        for folder in &folders {
            obstacles::check_shared_folders(folder, "saved while it runs")?;
            if folder.snapshot(snapshot).exists() {
                return Err(obstacle(
                    format!(
                        "machine `{}` has a snapshot `{snapshot}` already",
                        folder.name
                    ),
                    format!("`kinstall snapshot delete {snapshot}`, or choose another name"),
                ));
            }
        }
        let mut running = Vec::new();
        let mut paused = Ok(());
        // All stand still before the first is saved: that makes it one moment.
        for folder in &folders {
            paused = pause(folder).map(|ran| running.extend(ran.then_some(folder)));
            if paused.is_err() {
                break;
            }
        }
        let taken = jiff::Timestamp::now().to_string();
        let saved = paused.and_then(|()| {
            parallel::all(&folders, |folder| save_one(folder, snapshot))?;
            folders.iter().try_for_each(|folder| {
                let record = SnapshotRecord {
                    live: running.iter().any(|it| it.name == folder.name),
                    taken: taken.clone(),
                    hardware: MachineRecord::require(folder)?.hardware,
                };
                record.write(folder, snapshot)
            })
        });
        if saved.is_err() {
            for folder in &folders {
                // The first error is the one to report.
                let _ = delete_one(folder, snapshot);
            }
        }
        let woken = parallel::all(&running, |folder| go_on(folder));
        saved.and(woken)?;
        for it in &folders {
            report(&it.name, "saved");
        }
        Ok(())
    }

    fn restore(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError> {
        check_name(snapshot)?;
        let mut all = Vec::new();
        for folder in folders(lab, names) {
            let found = read::<SnapshotRecord>(&folder.snapshot(snapshot))?;
            let record = found.ok_or_else(|| missing(&folder, snapshot))?;
            all.push((folder, record));
        }
        network::prepare(lab, names)?;
        parallel::all(&all, |(folder, record)| {
            self.restore_one(lab, folder, snapshot, record)
        })?;
        let live: Vec<_> = all.iter().filter(|(_, record)| record.live).collect();
        parallel::all(&live, |(folder, _)| go_on(folder))?;
        for (it, _) in &all {
            report(&it.name, "restored");
        }
        Ok(())
    }

    fn delete(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError> {
        check_name(snapshot)?;
        let folders = folders(lab, names);
        for folder in &folders {
            if !folder.snapshot(snapshot).exists() {
                return Err(missing(folder, snapshot));
            }
        }
        parallel::all(&folders, |folder| {
            delete_one(folder, snapshot)?;
            report(&folder.name, "snapshot removed");
            Ok(())
        })
    }
}

impl QemuProvider {
    /// Leaves a machine standing still where its memory was restored.
    fn restore_one(
        &self,
        lab: &Lab,
        folder: &MachineFolder,
        snapshot: &str,
        wanted: &SnapshotRecord,
    ) -> Result<(), ProviderError> {
        let failed = |error: std::io::Error| folder.failed("restore")(error.to_string());
        let mut record = MachineRecord::require(folder)?;
        let mut monitor = match process::find(folder)? {
            Process::Alive(monitor) if wanted.live && record.hardware == wanted.hardware => {
                Some(monitor)
            }
            _ => None,
        };
        if monitor.is_none() {
            process::end(folder)?;
            if record.hardware != wanted.hardware {
                record.hardware = wanted.hardware.clone();
                record.write(folder)?;
            }
        }
        // The past that is restored is another one.
        remove_file(&folder.suspended())?;
        if !wanted.live {
            return disks::snapshot(
                folder,
                &record.hardware,
                SnapshotAction::Apply,
                &tag(snapshot),
            );
        }
        if let Some(monitor) = &mut monitor {
            monitor.stop().map_err(failed)?;
        }
        let mut monitor: Monitor = match monitor {
            Some(monitor) => monitor,
            None => power::launch(lab, folder, &record, self.acceleration(), true)?,
        };
        monitor
            .load(&tag(snapshot), record.hardware.disks())
            .map_err(failed)
    }
}

fn save_one(folder: &MachineFolder, snapshot: &str) -> Result<(), ProviderError> {
    let hardware = MachineRecord::require(folder)?.hardware;
    let tag = tag(snapshot);
    if let Process::Alive(mut monitor) = process::find(folder)? {
        // What an interrupted save left.
        let _ = monitor.delete(&tag, hardware.disks());
        let saved = monitor.save(&tag, hardware.disks());
        return saved.map_err(|error| folder.failed("take a snapshot of")(error.to_string()));
    }
    if folder.suspended().exists() {
        return Err(obstacle(
            format!("machine `{}` is suspended", folder.name),
            "`kinstall resume` or `kinstall halt` before a snapshot is taken".into(),
        ));
    }
    let _ = disks::snapshot(folder, &hardware, SnapshotAction::Delete, &tag);
    disks::snapshot(folder, &hardware, SnapshotAction::Create, &tag)
}

fn delete_one(folder: &MachineFolder, snapshot: &str) -> Result<(), ProviderError> {
    let file = folder.snapshot(snapshot);
    let known = read::<SnapshotRecord>(&file)?.map(|record| record.hardware);
    let hardware = match known {
        Some(hardware) => hardware,
        None => MachineRecord::require(folder)?.hardware,
    };
    // Without its record it isn't one any more.
    remove_file(&file)?;
    if let Process::Alive(mut monitor) = process::find(folder)? {
        let deleted = monitor.delete(&tag(snapshot), hardware.disks());
        return deleted.map_err(|error| folder.failed("remove a snapshot of")(error.to_string()));
    }
    disks::snapshot(folder, &hardware, SnapshotAction::Delete, &tag(snapshot))
}

/// Lets a machine stand still; tells whether it ran.
fn pause(folder: &MachineFolder) -> Result<bool, ProviderError> {
    let failed = |error: std::io::Error| folder.failed("pause")(error.to_string());
    let Process::Alive(mut monitor) = process::find(folder)? else {
        return Ok(false);
    };
    let runs = monitor.state().map_err(failed)? == RunState::Running;
    monitor.stop().map_err(failed)?;
    Ok(runs)
}

fn go_on(folder: &MachineFolder) -> Result<(), ProviderError> {
    let Process::Alive(mut monitor) = process::find(folder)? else {
        return Err(folder.failed("resume")(process::gone(folder)));
    };
    let gone_on = monitor.go_on();
    gone_on.map_err(|error| folder.failed("resume")(error.to_string()))
}

fn folders(lab: &Lab, names: &[&str]) -> Vec<MachineFolder> {
    let lab_folder = LabFolder::of(lab);
    names
        .iter()
        .map(|name| lab_folder.machine(lab, name))
        .collect()
}

/// A number alone would be taken for QEMU's own number of a snapshot.
fn tag(snapshot: &str) -> String {
    format!("kinstall:{snapshot}")
}

/// The name is that of a file.
fn check_name(snapshot: &str) -> Result<(), ProviderError> {
    let is_good = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.' | ' ');
    let starts_well = snapshot.starts_with(char::is_alphanumeric);
    if starts_well && snapshot.len() <= 100 && snapshot.chars().all(is_good) {
        return Ok(());
    }
    Err(obstacle(
        format!("`{snapshot}` can't be the name of a snapshot"),
        "use letters, digits, `-`, `_` and `.`".into(),
    ))
}

fn missing(folder: &MachineFolder, snapshot: &str) -> ProviderError {
    obstacle(
        format!("machine `{}` has no snapshot `{snapshot}`", folder.name),
        "`kinstall snapshot list` lists them".into(),
    )
}

fn obstacle(message: String, hint: String) -> ProviderError {
    ProviderError::Obstacle {
        message,
        hints: vec![hint],
    }
}
