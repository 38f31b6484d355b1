//! Which calls are taken over, and what they do then.

use std::fs;
use std::process::ExitCode;

use serde_json::json;

use crate::machine::Machine;
use crate::run_state::RunState;
use crate::{Failure, forward, hypervisor, real, snapshot};

/// Does one call of VBoxManage.
pub fn run(arguments: &[String]) -> Result<ExitCode, Failure> {
    let words: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .skip_while(|word| word.starts_with('-'))
        .collect();
    let code = match words[..] {
        ["list", "runningvms", ..] => list_running(&words)?,
        [
            "startvm" | "showvminfo" | "controlvm" | "snapshot" | "modifyvm" | "storagectl"
            | "storageattach" | "unregistervm" | "discardstate" | "adoptstate",
            name,
            ..,
        ] => match Machine::find(name)? {
            Some(machine) => on_machine(arguments, &words, &machine)?,
            None => return real::become_it(arguments),
        },
        _ => return real::become_it(arguments),
    };
    Ok(ExitCode::from(code))
}

fn on_machine(arguments: &[String], words: &[&str], machine: &Machine) -> Result<u8, Failure> {
    let state = RunState::of(machine)?;
    let runs = state.runs();
    let name = &machine.name;
    match *words {
        ["showvminfo", ..] => show(arguments, &state),
        ["startvm", ..] if runs => Ok(locked(&format!(
            "The machine '{name}' is already locked by a session (or being locked or unlocked)"
        ))),
        ["startvm", ..] => {
            println!("Waiting for VM \"{name}\" to power on...");
            hypervisor::start(machine, &state)?;
            println!("VM \"{name}\" has been successfully started.");
            Ok(0)
        }
        ["controlvm", _, "natpf1", ref rule @ ..] if runs => forward::change(machine, &state, rule),
        ["controlvm", _, action, ..] if runs => control(&state, action),
        ["snapshot", _, "restore" | "restorecurrent", ..]
        | ["modifyvm" | "storagectl" | "storageattach", ..]
            if runs =>
        {
            Ok(locked(&format!(
                "The machine '{name}' is already locked for a session (or being unlocked)"
            )))
        }
        ["snapshot", _, action, ..] => snapshot::run(arguments, machine, action),
        ["unregistervm", ..] if runs => Ok(locked(&format!(
            "Cannot unregister the machine '{name}' while it is locked"
        ))),
        ["unregistervm", ..] => {
            let code = real::pass(arguments)?;
            if Machine::find(&machine.uuid)?.is_none() {
                fs::remove_dir_all(&state.folder)?;
            }
            Ok(code)
        }
        ["discardstate", ..] if !runs && state.memory().exists() => {
            fs::remove_file(state.memory())?;
            Ok(0)
        }
        _ => real::pass(arguments),
    }
}

fn control(state: &RunState, action: &str) -> Result<u8, Failure> {
    let mut monitor = state.monitor()?;
    match action {
        "poweroff" => monitor.quit()?,
        "acpipowerbutton" => drop(monitor.call("system_powerdown", &json!({}))?),
        "reset" => drop(monitor.call("system_reset", &json!({}))?),
        "pause" => drop(monitor.call("stop", &json!({}))?),
        "resume" => drop(monitor.call("cont", &json!({}))?),
        "savestate" => {
            monitor.call("stop", &json!({}))?;
            let partial = state.memory().with_extension("partial");
            monitor.save_memory(&partial)?;
            fs::rename(partial, state.memory())?;
            monitor.quit()?;
        }
        other => return Err(format!("the stand-in can't do controlvm {other}").into()),
    }
    while matches!(action, "poweroff" | "savestate") && state.runs() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    if matches!(action, "poweroff" | "savestate") {
        eprintln!("0%...10%...20%...30%...40%...50%...60%...70%...80%...90%...100%");
    }
    Ok(0)
}

/// Prints what the real one says of a machine, with the state that it can't know.
fn show(arguments: &[String], state: &RunState) -> Result<u8, Failure> {
    let (text, code) = real::output(arguments)?;
    let word = state.word();
    for line in text.split_inclusive('\n') {
        if line.starts_with("VMState=") {
            println!("VMState=\"{word}\"");
        } else if line.starts_with("State:") {
            println!(
                "State:                       {} (since 2000-01-01T00:00:00.000000000)",
                word.replace("poweroff", "powered off")
            );
        } else {
            print!("{line}");
        }
    }
    Ok(code)
}

fn list_running(words: &[&str]) -> Result<u8, Failure> {
    if words.len() > 2 {
        return Err("the stand-in lists running machines in the short form only".into());
    }
    let really = real::must(&["list", "runningvms"])?;
    for line in real::must(&["list", "vms"])?.lines() {
        let uuid = line
            .rsplit_once('{')
            .map_or("", |(_, uuid)| uuid.trim_end_matches('}'));
        if really.contains(uuid) || RunState::of_uuid(uuid)?.runs() {
            println!("{line}");
        }
    }
    Ok(0)
}

fn locked(sentence: &str) -> u8 {
    eprintln!("VBoxManage: error: {sentence}");
    eprintln!(
        "VBoxManage: error: Details: code VBOX_E_INVALID_OBJECT_STATE (0x80bb0007), component MachineWrap, interface IMachine, callee nsISupports"
    );
    1
}
