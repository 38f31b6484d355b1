//! Starts machines, as many at a time as this computer can carry.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::thread;

use super::super::{Lab, MachineState, ProviderError, Report, last_words};
use super::failure::{at_lab, at_machine, explain};
use super::found::{self, FoundLab, FoundMachine};
use super::host_only::{self, Networks};
use super::manage::{Manage, ManageError};
use super::settings::Attachment;
use super::{console_log, nat_rule, parallel};
use crate::model::ForwardedPort;

/// Starts those of the machines that don't run; wakes those that sleep.
pub fn machines(
    manage: &Manage,
    lab: &Lab,
    found: &FoundLab,
    names: &[&str],
    report: Report,
) -> Result<(), ProviderError> {
    let waiting: Vec<&FoundMachine> = found
        .machines
        .iter()
        .filter(|it| names.contains(&it.host.as_str()) && it.state() != MachineState::Running)
        .collect();
    if waiting.is_empty() {
        return Ok(());
    }
    check_memory(manage, &waiting, report)?;
    check_ports(lab, &waiting)?;
    if let Some(networks) = host_only::restore(manage, lab, &found.records)? {
        for machine in &waiting {
            connect(manage, machine, &networks)?;
        }
    }
    // A boot keeps a processor busy; more at a time only make all of them late.
    let at_a_time = thread::available_parallelism().map_or(1, usize::from);
    parallel::each(&waiting, at_a_time, |machine| {
        one(manage, lab, machine)?;
        report(&machine.host, "started");
        Ok(())
    })
    .map(drop)
}

/// Connects a machine's cards to interfaces that were made anew, as these may have other names.
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
    let started = manage.change(machine.uuid, &["startvm", &id, "--type", "headless"]);
    // Its exit code may say anything: what counts is what the machine does.
    let info = found::machine(manage, machine.uuid)
        .map_err(failed())?
        .unwrap_or_default();
    let log = Path::new(info.get("LogFldr").unwrap_or_default()).join("VBox.log");
    let state = info.get("VMState").unwrap_or_default().to_owned();
    if matches!(state.as_str(), "running" | "starting" | "restoring") {
        return Ok(());
    }
    Err(failure(lab, machine, started.as_ref().err(), &state, &log))
}

/// Puts together what is known: VBoxManage's words, those of the machine's log, and the console's last.
fn failure(
    lab: &Lab,
    machine: &FoundMachine,
    error: Option<&ManageError>,
    state: &str,
    log: &Path,
) -> ProviderError {
    let log = read(log);
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

/// Refuses what this computer can't hold at all, and warns where it has to push other programs out.
fn check_memory(
    manage: &Manage,
    waiting: &[&FoundMachine],
    report: Report,
) -> Result<(), ProviderError> {
    let text = manage
        .call(&["list", "hostinfo"])
        .map_err(at_lab("ask for this computer's memory"))?;
    let figure = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().split(' ').next()?.parse().ok()
    };
    let wanted: u64 = waiting.iter().map(|it| it.info.number("memory")).sum();
    let (Some(total), Some(free)) = (figure("Memory size:"), figure("Memory available:")) else {
        return Ok(());
    };
    if wanted > total {
        return Err(ProviderError::Obstacle {
            message: format!(
                "{} machines want {wanted} MiB of memory, and this computer has {total} MiB in all",
                waiting.len()
            ),
            hints: vec![
                "set a smaller `machine_memory`, or make the cluster of fewer machines".into(),
            ],
        });
    }
    if wanted > free {
        let machines = waiting.len();
        report(
            "",
            &format!(
                "warning: {machines} machines want {wanted} MiB of memory, of which {free} MiB are free: other programs will be swapped out, or a machine ends"
            ),
        );
    }
    Ok(())
}

fn check_ports(lab: &Lab, waiting: &[&FoundMachine]) -> Result<(), ProviderError> {
    let mut seen = HashSet::new();
    for machine in waiting.iter().filter(|it| it.raw_state() != "paused") {
        let ports = nat_rule::read(&machine.info);
        let twice = ports
            .iter()
            .find(|it| !seen.insert((it.host, it.protocol as u8)))
            .copied();
        let Some(ForwardedPort { host, .. }) = twice.or_else(|| nat_rule::taken(&ports)) else {
            continue;
        };
        return Err(ProviderError::Obstacle {
            message: format!(
                "failed to start machine `{}`: port {host} of this computer is taken",
                machine.host
            ),
            hints: vec![
                format!(
                    "end the program that listens on it (`ss -ltnup`, or `netstat -ano` on Windows), or forward another port: `machine_forwarded_ports` of {}",
                    machine.host
                ),
                format!(
                    "other machines of cluster {} may forward it, too",
                    lab.cluster
                ),
            ],
        });
    }
    Ok(())
}

fn read(path: &Path) -> String {
    // A log that isn't there has nothing to tell.
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
