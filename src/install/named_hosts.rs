//! Hosts and machines by the names that the user typed.

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::did_you_mean::closest;
use crate::model::{ClusterSpec, HostSpec};
use crate::provision::{MachineState, ObservedMachine};

/// Finds one host of the inventory.
pub fn host<'a>(cluster: &'a ClusterSpec, name: &str) -> Result<&'a HostSpec, Diagnostics> {
    cluster.host(name).ok_or_else(|| {
        let names: Vec<&str> = cluster.hosts.iter().map(|it| it.name.as_str()).collect();
        vec![unknown("host", name, &names, "the inventory has")]
    })
}

/// Returns the machines that were named, in the lab's order; all that the inventory has without a name.
/// They must be there.
pub fn machines<'a>(
    cluster: &ClusterSpec,
    observed: &'a [ObservedMachine],
    names: &[String],
) -> Result<Vec<&'a ObservedMachine>, Diagnostics> {
    let known: Vec<&str> = observed.iter().map(|it| it.name.as_str()).collect();
    let mut problems: Diagnostics = names
        .iter()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| unknown("machine", name, &known, "the lab has"))
        .collect();
    let is_chosen = |it: &&ObservedMachine| {
        if names.is_empty() {
            cluster.host(&it.name).is_some()
        } else {
            names.contains(&it.name)
        }
    };
    let chosen: Vec<_> = observed.iter().filter(is_chosen).collect();
    problems.extend(chosen.iter().filter_map(|it| match it.state {
        MachineState::Absent => Some(missing(&it.name, "there is no machine")),
        MachineState::Unfinished => Some(missing(&it.name, "there is only a half-made machine")),
        MachineState::Unreadable => Some(unreadable(&it.name)),
        _ => None,
    }));
    if problems.is_empty() {
        Ok(chosen)
    } else {
        Err(problems)
    }
}

fn missing(name: &str, what: &str) -> Diagnostic {
    let error = Diagnostic::error(Kind::Environment, format!("{what} `{name}`"));
    error.hint("`kinstall up` makes it")
}

fn unreadable(name: &str) -> Diagnostic {
    let message = format!("the state of machine `{name}` can't be read");
    let hint = format!("`kinstall down {name}` removes it, then `kinstall up` makes it again");
    Diagnostic::error(Kind::Environment, message).hint(hint)
}

/// Says that there is no such thing, which was probably meant, and which there are.
pub fn unknown(kind: &str, name: &str, known: &[&str], who_has: &str) -> Diagnostic {
    let error = Diagnostic::error(Kind::Inventory, format!("there is no {kind} `{name}`"));
    let error = match closest(name, known.iter().copied()) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => error,
    };
    let list = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    error.hint(format!("{who_has}: {list}"))
}
