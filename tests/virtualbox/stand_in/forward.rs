//! Forwarded ports of a machine that runs.

use serde_json::json;

use crate::machine::Machine;
use crate::run_state::RunState;
use crate::{Failure, real};

/// Does `controlvm MACHINE natpf1 RULE` or `… natpf1 delete NAME`: VirtualBox keeps the rule, QEMU obeys it.
pub fn change(machine: &Machine, state: &RunState, words: &[&str]) -> Result<u8, Failure> {
    let (before, uuid) = (machine.forwardings(), machine.uuid.as_str());
    real::must(&[&["modifyvm", uuid, "--natpf1"], words].concat())?;
    let after = Machine::find(uuid)?.ok_or("the machine is gone")?;
    let after = after.forwardings();
    for rule in before.iter().filter(|rule| !after.contains(rule)) {
        tell(state, "hostfwd_remove", rule, false)?;
    }
    for rule in after.iter().filter(|rule| !before.contains(rule)) {
        tell(state, "hostfwd_add", rule, true)?;
    }
    Ok(0)
}

fn tell(state: &RunState, command: &str, rule: &[&str], to_guest: bool) -> Result<(), Failure> {
    let [_, protocol, address, host, guest, port] = rule[..] else {
        return Err(format!("a rule {rule:?}").into());
    };
    let mut line = format!("{command} network1 {protocol}:{address}:{host}");
    if to_guest {
        line.extend(["-", guest, ":", port]);
    }
    let answer =
        (state.monitor()?).call("human-monitor-command", &json!({"command-line": line}))?;
    match answer.as_str().unwrap_or_default().trim() {
        "" => Ok(()),
        said if said.contains("removed") => Ok(()),
        said => Err(said.into()),
    }
}
