//! Switches machines off, and puts them to sleep.

use std::thread;
use std::time::{Duration, Instant};

use super::super::{MachineState, ProviderError, Report};
use super::error::at_machine;
use super::found::{self, FoundMachine};
use super::manage::{Manage, ManageError};
use super::start;

/// Shuts a machine down in order; presses the button twice and then pulls the plug, saying so.
pub fn halt(
    manage: &Manage,
    machine: &FoundMachine,
    patience: Duration,
    report: Report,
) -> Result<(), ProviderError> {
    let id = machine.uuid.to_string();
    let failed = || at_machine("halt", &machine.host);
    let control = |what: &str| tolerate_off(manage.change(machine.uuid, &["controlvm", &id, what]));
    match machine.state() {
        MachineState::Running => {}
        MachineState::Paused => control("resume").map_err(failed())?,
        MachineState::Suspended => {
            // Only what runs can shut down; to discard its memory would be to pull the plug.
            start::headless(manage, machine.uuid).map_err(failed())?;
        }
        _ => return Ok(()),
    }
    for _ in 0..2 {
        control("acpipowerbutton").map_err(failed())?;
        if is_off_within(manage, machine, patience / 2).map_err(failed())? {
            report(&machine.host, "halted");
            return Ok(());
        }
    }
    control("poweroff").map_err(failed())?;
    let seconds = patience.as_secs();
    report(
        &machine.host,
        &format!("switched off: it did not shut down within {seconds} s"),
    );
    is_off_within(manage, machine, Duration::from_secs(30))
        .map(drop)
        .map_err(failed())
}

/// Keeps a machine's memory on disk and ends it.
pub fn suspend(
    manage: &Manage,
    machine: &FoundMachine,
    report: Report,
) -> Result<(), ProviderError> {
    if !matches!(
        machine.state(),
        MachineState::Running | MachineState::Paused
    ) {
        return Ok(());
    }
    let arguments = ["controlvm", &machine.uuid.to_string(), "savestate"];
    manage
        .change(machine.uuid, &arguments)
        .map_err(at_machine("suspend", &machine.host))?;
    report(&machine.host, "suspended");
    Ok(())
}

/// Pulls the plug.
pub fn switch_off(manage: &Manage, machine: &FoundMachine) -> Result<(), ManageError> {
    if matches!(
        machine.raw_state(),
        "poweroff" | "saved" | "aborted" | "aborted-saved"
    ) {
        return Ok(());
    }
    let arguments = ["controlvm", &machine.uuid.to_string(), "poweroff"];
    tolerate_off(manage.change(machine.uuid, &arguments))
}

fn is_off_within(
    manage: &Manage,
    machine: &FoundMachine,
    patience: Duration,
) -> Result<bool, ManageError> {
    let deadline = Instant::now() + patience;
    loop {
        let info = found::machine(manage, machine.uuid)?.unwrap_or_default();
        if matches!(info.get("VMState"), Some("poweroff" | "aborted") | None) {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(500));
    }
}

fn tolerate_off(result: Result<String, ManageError>) -> Result<(), ManageError> {
    match result {
        Err(error) if error.says("is not currently running") => Ok(()),
        result => result.map(drop),
    }
}
