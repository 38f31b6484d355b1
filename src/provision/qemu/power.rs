//! Switching machines on and off.

use super::acceleration::Acceleration;
use super::command_line::arguments;
use super::folder::MachineFolder;
use super::monitor::{Monitor, RunState};
use super::process::{self, Process};
use super::record::MachineRecord;
use crate::provision::{Lab, MachineState, ProviderError, Report};

/// Starts a machine, wakes it, or lets it go on; tells which.
pub(super) fn start(
    lab: &Lab,
    folder: &MachineFolder,
    acceleration: Acceleration,
    report: Report,
) -> Result<(), ProviderError> {
    let record = MachineRecord::require(folder)?;
    let is_suspended = folder.suspended().exists();
    if let Process::Alive(mut monitor) = process::find(folder)? {
        let failed = |error: std::io::Error| folder.failed("resume")(error.to_string());
        if monitor.state().map_err(failed)? == RunState::Running {
            return Ok(());
        }
        if !is_suspended {
            monitor.go_on().map_err(failed)?;
            report(&folder.name, "goes on");
            return Ok(());
        }
        // Its suspending or its waking was interrupted: the memory in its disk is the newest.
        drop(monitor);
        process::end(folder)?;
    }
    let mut monitor = launch(lab, folder, &record, acceleration, is_suspended)?;
    if !is_suspended {
        report(&folder.name, "started");
        return Ok(());
    }
    if let Err(error) = process::wake(folder, &record, &mut monitor) {
        drop(monitor);
        process::end(folder)?;
        return Err(error);
    }
    report(&folder.name, "resumed");
    Ok(())
}

/// Starts a machine's QEMU, which must not run.
pub(super) fn launch(
    lab: &Lab,
    folder: &MachineFolder,
    record: &MachineRecord,
    acceleration: Acceleration,
    is_paused: bool,
) -> Result<Monitor, ProviderError> {
    let arguments = arguments(folder, record, &lab.forwards, acceleration, is_paused);
    process::launch(folder, &arguments)
}

/// Shuts a machine down; one that is suspended is woken before, so that nothing of it is lost.
pub(super) fn halt(
    lab: &Lab,
    folder: &MachineFolder,
    acceleration: Acceleration,
    report: Report,
) -> Result<(), ProviderError> {
    match process::state(folder)? {
        MachineState::Running | MachineState::Paused => {}
        MachineState::Suspended => start(lab, folder, acceleration, report)?,
        _ => return Ok(()),
    }
    process::halt(folder)?;
    report(&folder.name, "halted");
    Ok(())
}

/// Suspends a machine that runs.
pub(super) fn suspend(folder: &MachineFolder, report: Report) -> Result<(), ProviderError> {
    if let Process::Alive(monitor) = process::find(folder)? {
        process::suspend(folder, &MachineRecord::require(folder)?, monitor)?;
        report(&folder.name, "suspended");
    }
    Ok(())
}
