//! Starts machines.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::super::{Lab, MachineState, ProviderError, Report, last_words, parallel};
use super::error::at_machine;
use super::failure::explain;
use super::found::{self, FoundLab, FoundMachine};
use super::host_only::Networks;
use super::manage::{Manage, ManageError};
use super::settings::Attachment;
use super::uuid::Uuid;
use super::{AT_A_TIME, console_log, nat_rule};

/// By how much the times of files may be coarser than the clock.
const CLOCK_STEP: Duration = Duration::from_secs(2);
/// What VBoxManage says when the machine's process crashed. On a busy computer it does so now and then while it
/// connects to VirtualBox's server (an assertion in `VBoxXPCOMIPCC`, seen in 7.2), and runs at the next start.
const CRASHED: [&str; 2] = [
    "has terminated unexpectedly during startup because of signal",
    "The VM session was aborted",
];

/// Returns those of the machines that don't run.
pub fn waiting<'a>(found: &'a FoundLab, names: &[&str]) -> Vec<&'a FoundMachine> {
    let machines = found.machines.iter();
    machines
        .filter(|it| names.contains(&it.host.as_str()) && it.state() != MachineState::Running)
        .collect()
}

/// Starts machines; wakes those that sleep.
pub fn machines(
    manage: &Manage,
    lab: &Lab,
    waiting: &[&FoundMachine],
    networks: &Networks,
    report: Report,
) -> Result<(), ProviderError> {
    parallel::each(waiting, AT_A_TIME, |machine| {
        connect(manage, machine, networks)?;
        one(manage, lab, machine)?;
        report(&machine.host, "started");
        Ok(())
    })
    .map(drop)
}

/// Fails where a port that is to lead to a machine leads elsewhere already.
pub fn check_ports(lab: &Lab, waiting: &[&FoundMachine]) -> Result<(), ProviderError> {
    let mut seen = HashSet::new();
    // The others have a process that holds their ports.
    let is_off = |it: &&&FoundMachine| !matches!(it.raw_state(), "paused" | "gurumeditation");
    for machine in waiting.iter().filter(is_off) {
        let ports = nat_rule::read(&machine.info);
        let twice = ports
            .iter()
            .find(|it| !seen.insert((it.host, it.protocol as u8)))
            .copied();
        if let Some(port) = twice.or_else(|| nat_rule::taken(&ports)) {
            return Err(nat_rule::obstacle(lab, &machine.host, port));
        }
    }
    Ok(())
}

/// Connects a machine's cards to interfaces that were made anew, as these may have other names than before.
fn connect(
    manage: &Manage,
    machine: &FoundMachine,
    networks: &Networks,
) -> Result<(), ProviderError> {
    let addresses = machine.record.iter().flat_map(|it| &it.made_with.addresses);
    for (index, address) in addresses.enumerate() {
        let card = index + 2;
        let Some(Attachment::Interface(name)) = networks.attachment(*address) else {
            continue;
        };
        if machine.info.get(&format!("hostonlyadapter{card}")) == Some(name) {
            continue;
        }
        let (id, option) = (
            machine.uuid.to_string(),
            format!("--host-only-adapter{card}"),
        );
        manage
            .change(machine.uuid, &["modifyvm", &id, &option, name])
            .map_err(at_machine("connect", &machine.host))?;
    }
    Ok(())
}

fn one(manage: &Manage, lab: &Lab, machine: &FoundMachine) -> Result<(), ProviderError> {
    let id = machine.uuid.to_string();
    let failed = || at_machine("start", &machine.host);
    match machine.raw_state() {
        "paused" => {
            return manage
                .change(machine.uuid, &["controlvm", &id, "resume"])
                .map(drop)
                .map_err(failed());
        }
        // VirtualBox itself crashed in it; its process is still there.
        "gurumeditation" => manage
            .change(machine.uuid, &["controlvm", &id, "poweroff"])
            .map(drop)
            .map_err(failed())?,
        _ => {}
    }
    let start = SystemTime::now();
    let started = headless(manage, machine.uuid);
    // Its exit code may say anything: what counts is what the machine does.
    let info = found::machine(manage, machine.uuid)
        .map_err(failed())?
        .unwrap_or_default();
    let log = Path::new(info.get("LogFldr").unwrap_or_default()).join("VBox.log");
    let state = info.get("VMState").unwrap_or_default().to_owned();
    if matches!(state.as_str(), "running" | "starting" | "restoring") {
        return Ok(());
    }
    let log = read_since(&log, start);
    Err(failure(lab, machine, started.as_ref().err(), &state, &log))
}

/// Starts a machine without a window; once more where its process crashed.
pub fn headless(manage: &Manage, machine: Uuid) -> Result<String, ManageError> {
    let start = || {
        let id = machine.to_string();
        manage.change(machine, &["startvm", &id, "--type", "headless"])
    };
    let is_crash = |error: &ManageError| CRASHED.iter().any(|words| error.says(words));
    match start() {
        Err(error) if is_crash(&error) => start(),
        result => result,
    }
}

/// Puts together what is known: VBoxManage's words, those of the machine's log, and the console's last.
fn failure(
    lab: &Lab,
    machine: &FoundMachine,
    error: Option<&ManageError>,
    state: &str,
    log: &str,
) -> ProviderError {
    let known = error.as_ref().and_then(|it| explain(&it.to_string()));
    let console = last_words::end_of(&console_log(lab, &machine.host), 10);
    let mut said: Vec<String> = error.iter().map(ToString::to_string).collect();
    if !console.is_empty() {
        said.push(format!("its console said last:\n{console}"));
    }
    // The log is more exact than VBoxManage.
    let errors = log
        .lines()
        .filter(|it| it.contains("VERR_") || it.contains("rror"))
        .collect::<Vec<_>>()
        .join("\n");
    if let Some((cause, hints)) = explain(&errors).or(known) {
        let hints = hints.iter().map(|it| (*it).to_owned());
        return ProviderError::Obstacle {
            message: format!("failed to start machine `{}`: {cause}", machine.host),
            hints: hints.chain(said).collect(),
        };
    }
    said.insert(0, format!("it is {state} afterwards"));
    ProviderError::Machine {
        action: "start",
        machine: machine.host.clone(),
        detail: said.join("; "),
    }
}

/// Reads what was written to a log since then: that of an earlier start names other causes.
fn read_since(path: &Path, start: SystemTime) -> String {
    let written = fs::metadata(path).and_then(|it| it.modified());
    let is_new = written.is_ok_and(|it| it + CLOCK_STEP >= start);
    // A log that isn't there has nothing to tell.
    let bytes = is_new.then(|| fs::read(path).unwrap_or_default());
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}
