//! From what there is to what the inventory asks for: pure, so that `plan` shows what `up` does.

use std::fmt::Display;

use ipnet::IpNet;
use serde::Serialize;

use super::{Lab, Machine, MachineSettings, MachineState, MadeWith, ObservedMachine};

/// What is to be done with one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MachineChange {
    pub host: String,
    pub action: MachineAction,
}

/// How a machine is brought to what the inventory says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineAction {
    /// Made and started; what an interrupted `up` left of it is removed before.
    Create,
    /// Started, or woken from its saved state.
    Start,
    /// Its settings are changed; it runs afterwards.
    Change {
        settings: Vec<SettingChange>,
        /// It runs or sleeps, and at least one setting can only be changed while it is off.
        needs_halt: bool,
        /// It runs now.
        runs: bool,
    },
    /// The inventory doesn't have it any more.
    Remove,
}

/// A setting that is not what the inventory says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingChange {
    pub setting: &'static str,
    pub from: String,
    pub to: String,
    /// Why it stays as it is; `None` when it is changed.
    pub impossible: Option<&'static str>,
}

impl MachineChange {
    /// Returns whether anything of it can be done.
    pub fn is_possible(&self) -> bool {
        match &self.action {
            MachineAction::Change { settings, .. } => {
                settings.iter().any(|it| it.impossible.is_none())
            }
            _ => true,
        }
    }

    /// Returns whether the machine goes.
    pub fn is_removal(&self) -> bool {
        self.action == MachineAction::Remove
    }

    /// Returns whether the machine doesn't run yet.
    pub fn is_start(&self) -> bool {
        match self.action {
            MachineAction::Create | MachineAction::Start => true,
            MachineAction::Change { runs, .. } => !runs,
            MachineAction::Remove => false,
        }
    }

    /// Returns whether a machine that runs gets another address, so that it can't be reached there before.
    pub fn is_move(&self) -> bool {
        match &self.action {
            MachineAction::Change { settings, runs, .. } => {
                let mut settings = settings.iter();
                *runs && settings.any(|it| it.setting == ADDRESS && it.impossible.is_none())
            }
            _ => false,
        }
    }

    /// Returns whether a machine that was made before doesn't run as it should.
    pub fn is_start_of_old(&self) -> bool {
        let is_new = matches!(self.action, MachineAction::Create | MachineAction::Remove);
        !is_new && self.is_boot()
    }

    /// Returns whether the machine is booted by this.
    pub fn is_boot(&self) -> bool {
        let halts = matches!(
            self.action,
            MachineAction::Change {
                needs_halt: true,
                ..
            }
        );
        halts || self.is_start()
    }

    /// Returns what stays as it is, although the inventory asks for something else.
    pub fn impossible(&self) -> impl Iterator<Item = &SettingChange> {
        let settings: &[SettingChange] = match &self.action {
            MachineAction::Change { settings, .. } => settings,
            _ => &[],
        };
        settings.iter().filter(|it| it.impossible.is_some())
    }
}

impl SettingChange {
    /// Returns whether no cluster can be installed as long as it stays as it is.
    pub fn is_in_the_way(&self) -> bool {
        self.impossible.is_some() && matches!(self.setting, STATE | ADDRESS)
    }
}

const MADE_ONCE: &str = "set at the first boot: `kinstall down NODE`, then `kinstall up`";
const NEVER_SMALLER: &str = "disks can't shrink: `kinstall down NODE`, then `kinstall up`";

/// Compares the lab with what was observed; in the lab's order, machines to remove last.
pub fn changes(lab: &Lab, observed: &[ObservedMachine]) -> Vec<MachineChange> {
    let mut changes = Vec::new();
    for machine in &lab.machines {
        let found = observed.iter().find(|it| it.name == machine.name);
        changes.extend(action(lab, machine, found).map(|action| MachineChange {
            host: machine.name.clone(),
            action,
        }));
    }
    let left_over = observed
        .iter()
        .filter(|it| it.state != MachineState::Absent && lab.machine(&it.name).is_none());
    changes.extend(left_over.map(|it| MachineChange {
        host: it.name.clone(),
        action: MachineAction::Remove,
    }));
    changes
}

fn action(lab: &Lab, machine: &Machine, found: Option<&ObservedMachine>) -> Option<MachineAction> {
    let Some(found) = found else {
        return Some(MachineAction::Create);
    };
    if matches!(found.state, MachineState::Absent | MachineState::Unfinished) {
        return Some(MachineAction::Create);
    }
    if found.state == MachineState::Unreadable {
        // It may be full of work: nothing is made in its place unasked.
        return Some(MachineAction::Change {
            settings: vec![SettingChange {
                setting: STATE,
                from: found.state.name().to_owned(),
                to: MachineState::Running.name().to_owned(),
                impossible: Some(
                    "its state can't be read: `kinstall down NODE` removes it, then `kinstall up` makes it",
                ),
            }],
            needs_halt: false,
            runs: false,
        });
    }
    let settings = found
        .settings
        .as_ref()
        .map(|settings| differences(lab, machine, settings))
        .unwrap_or_default();
    let can_be_done = |it: &&SettingChange| it.impossible.is_none();
    let runs = found.state == MachineState::Running;
    if settings.is_empty() {
        return (!runs).then_some(MachineAction::Start);
    }
    let changes_egress = found.settings.as_ref().is_some_and(|it| it.changes_egress);
    let needs_halt = found.state != MachineState::Stopped
        && settings
            .iter()
            .filter(can_be_done)
            .any(|it| it.setting != FORWARDED_PORTS && !(it.setting == EGRESS && changes_egress));
    Some(MachineAction::Change {
        settings,
        needs_halt,
        runs,
    })
}

const STATE: &str = "state";
const ADDRESS: &str = "address";
const EGRESS: &str = "internet access";
/// The one setting that can always be changed while a machine runs.
const FORWARDED_PORTS: &str = "forwarded ports";

fn differences(lab: &Lab, machine: &Machine, has: &MachineSettings) -> Vec<SettingChange> {
    let wants = &machine.spec;
    let mut found = Vec::new();
    let mut compare = |setting, from: String, to: String, impossible| {
        if from != to {
            found.push(SettingChange {
                setting,
                from,
                to,
                impossible,
            });
        }
    };
    compare("CPUs", has.cpus.to_string(), wants.cpus.to_string(), None);
    compare(
        "memory",
        format!("{} MiB", has.memory_mib),
        format!("{} MiB", wants.memory_mib),
        None,
    );
    let shrinks = has.disk_mib > wants.disk_gib << 10;
    compare(
        "disk",
        gib(has.disk_mib),
        gib(wants.disk_gib << 10),
        shrinks.then_some(NEVER_SMALLER),
    );
    let grows = wants.extra_disks_gib.starts_with(&has.extra_disks_gib);
    compare(
        "extra disks (GiB)",
        list(&has.extra_disks_gib),
        list(&wants.extra_disks_gib),
        (!grows).then_some("disks can only be added: `kinstall down NODE`, then `kinstall up`"),
    );
    compare(
        FORWARDED_PORTS,
        list(&has.forwarded_ports),
        list(&wants.forwarded_ports),
        None,
    );
    compare(
        "shared folders",
        list(&has.shared_folders),
        list(&wants.shared_folders),
        None,
    );
    if let Some(egress) = has.egress {
        let word = |is_open| if is_open { "yes" } else { "no" }.to_owned();
        compare(EGRESS, word(egress), word(lab.egress), None);
    }
    let made_with = made_with(lab, machine);
    compare(
        "image",
        has.made_with.image.clone(),
        made_with.image,
        Some(MADE_ONCE),
    );
    let split = |addresses: &[IpNet]| match addresses {
        [own, further @ ..] => (own.to_string(), list(further)),
        [] => (list(addresses), list(addresses)),
    };
    let (has_own, has_further) = split(&has.made_with.addresses);
    let (wants_own, wants_further) = split(&made_with.addresses);
    compare(
        ADDRESS,
        has_own,
        wants_own,
        (!has.takes_address).then_some(MADE_ONCE),
    );
    compare(
        "further networks",
        has_further,
        wants_further,
        Some(MADE_ONCE),
    );
    if let Some(has) = &has.made_with.defaults {
        let wants = &lab.defaults;
        for (setting, has, wants) in [
            ("time zone", &has.time_zone, &wants.time_zone),
            ("proxy", &has.proxy, &wants.proxy),
            ("package mirror", &has.package_mirror, &wants.package_mirror),
        ] {
            compare(
                setting,
                shown(has.as_deref()),
                shown(wants.as_deref()),
                Some(MADE_ONCE),
            );
        }
    }
    found
}

/// Shows a setting of the first boot; what may be a password in a URL isn't shown.
fn shown(value: Option<&str>) -> String {
    let Some(value) = value else {
        return "none".to_owned();
    };
    match (value.split_once("://"), value.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => value.to_owned(),
    }
}

/// Returns what a machine is made with; providers keep it beside the machine.
pub fn made_with(lab: &Lab, machine: &Machine) -> MadeWith {
    let prefix = lab.gateway.prefix_len();
    let in_lab = IpNet::new(machine.address, prefix).unwrap_or_else(|_| machine.address.into());
    let mut addresses = vec![in_lab];
    addresses.extend(&machine.spec.networks);
    MadeWith {
        image: machine.spec.image.clone(),
        addresses,
        defaults: Some(lab.defaults.clone()),
    }
}

fn gib(mib: u64) -> String {
    if mib.is_multiple_of(1024) {
        format!("{} GiB", mib >> 10)
    } else {
        format!("{mib} MiB")
    }
}

fn list(items: &[impl Display]) -> String {
    if items.is_empty() {
        return "none".to_owned();
    }
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

#[cfg(test)]
mod tests;
