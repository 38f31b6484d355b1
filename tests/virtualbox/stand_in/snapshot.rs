//! Snapshots: VirtualBox makes and drops the media, the disks and the memory follow.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use crate::machine::Machine;
use crate::run_state::RunState;
use crate::{Failure, disk, real};

/// Does `snapshot MACHINE take|restore|restorecurrent|delete …`, and returns the exit code.
pub fn run(arguments: &[String], machine: &Machine, action: &str) -> Result<u8, Failure> {
    let state = RunState::of(machine)?;
    // To the real one the machine is off, and it refuses this word.
    let arguments: Vec<String> = arguments
        .iter()
        .filter(|word| *word != "--live")
        .cloned()
        .collect();
    let code = real::pass(&arguments)?;
    let Some(after) = Machine::find(&machine.uuid)?.filter(|_| code == 0) else {
        return Ok(code);
    };
    let moves = moves(machine, &after);
    let current = after.setting("CurrentSnapshotUUID").unwrap_or_default();
    let snapshot_memory = state.folder.join(format!("memory-{current}"));
    match action {
        "take" if state.runs() => take_running(&state, &moves, &snapshot_memory)?,
        "take" if state.memory().exists() => {
            fs::copy(state.memory(), snapshot_memory)?;
        }
        "restore" | "restorecurrent" => {
            let _ = fs::remove_file(state.memory());
            let _ = fs::remove_file(state.process_file());
            if snapshot_memory.exists() {
                fs::copy(snapshot_memory, state.memory())?;
            }
        }
        "delete" => {
            for (_, old, new) in &moves {
                if let Some(disk) = disk::linked(old)? {
                    disk::link(new, &disk)?;
                }
            }
        }
        _ => {}
    }
    Ok(code)
}

/// Freezes the disks as they are, writes on in new ones, and saves the memory that belongs to that moment.
fn take_running(
    state: &RunState,
    moves: &[(String, String, String)],
    memory: &std::path::Path,
) -> Result<(), Failure> {
    let mut monitor = state.monitor()?;
    let was_running = monitor.status()? == "running";
    monitor.call("stop", &json!({}))?;
    for (drive, _, new) in moves {
        let file = disk::fresh(state)?;
        monitor.call(
            "blockdev-snapshot-sync",
            &json!({"device": drive, "snapshot-file": file, "format": "qcow2"}),
        )?;
        disk::link(new, &file)?;
    }
    monitor.save_memory(memory)?;
    monitor.call("cont", &json!({}))?;
    if !was_running {
        monitor.call("stop", &json!({}))?;
    }
    Ok(())
}

/// Returns the drives whose medium is another one now: QEMU's name of the drive, the old and the new UUID.
fn moves(before: &Machine, after: &Machine) -> Vec<(String, String, String)> {
    let places = |machine: &Machine| -> BTreeMap<String, String> {
        let controllers: Vec<_> = machine
            .controllers()
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let disks = machine.drives().into_iter().filter(|drive| !drive.is_dvd());
        disks
            .filter_map(|drive| {
                let controller = controllers
                    .iter()
                    .position(|name| *name == drive.controller)?;
                Some((
                    format!("controller{controller}-{}-{}", drive.port, drive.device),
                    drive.medium_uuid,
                ))
            })
            .collect()
    };
    let old = places(before);
    let new = places(after);
    new.into_iter()
        .filter_map(|(drive, uuid)| {
            let before = old.get(&drive)?.clone();
            (before != uuid).then_some((drive, before, uuid))
        })
        .collect()
}
