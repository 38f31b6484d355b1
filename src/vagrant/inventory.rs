//! The inventory as text.

use std::fmt::Write as _;

use super::lab::machine::{Found, Machine};
use super::lab::missing::Missing;
use super::note::{Note, Notes};
use super::roles::Role;

/// Variables that stand under `[all:vars]` when all machines have the same.
const SHARED: [&str; 6] = [
    "machine_image",
    "machine_cpus",
    "machine_memory",
    "machine_disk",
    "machine_extra_disks",
    "machine_shared_folders",
];

/// Writes the inventory; what is to be filled in stands in it as comments.
pub(super) fn write(source: &str, found: &Found, roles: &[Role], notes: &Notes) -> String {
    let mut text = format!("# Made from {source} by `kinstall import vagrant`.\n");
    lost(&mut text, found, notes);
    let machines = &found.machines;
    let all: Vec<Vec<(&str, String)>> = machines.iter().map(variables).collect();
    let shared: Vec<(&str, String)> = SHARED
        .iter()
        .filter_map(|name| {
            let value = all.first()?.iter().find(|(other, _)| other == name)?;
            all.iter()
                .all(|it| it.contains(value))
                .then(|| value.clone())
        })
        .collect();
    text.push_str("\n[all]\n");
    let (first, others) = match &machines[..] {
        [first, others @ ..] if !others.is_empty() => (&first.to_fill_in[..], others),
        _ => (&[][..], &machines[..0]),
    };
    // What is missing everywhere is said once.
    let is_common = |missing: &&Missing| others.iter().all(|it| it.to_fill_in.contains(missing));
    let common: Vec<&Missing> = first.iter().filter(is_common).collect();
    for missing in &common {
        let _ = writeln!(text, "# to fill in for all: {}", to_fill_in(missing));
    }
    for (machine, variables) in machines.iter().zip(&all) {
        for missing in machine.to_fill_in.iter().filter(|it| !common.contains(it)) {
            let _ = writeln!(text, "# to fill in: {}", to_fill_in(missing));
        }
        text.push_str(&machine.name);
        for (name, value) in variables.iter().filter(|it| !shared.contains(it)) {
            let _ = write!(text, " {name}={}", word(value));
        }
        text.push('\n');
    }
    let provider = found.provider.name();
    let _ = write!(text, "\n[all:vars]\nkinstall_provider={provider}\n");
    let cluster = [
        ("node_domain", &found.node_domain),
        ("machine_time_zone", &found.time_zone),
        ("machine_proxy", &found.proxy),
    ];
    for (name, value) in cluster {
        if let Some(value) = value {
            let _ = writeln!(text, "{name}={value}");
        }
    }
    for (name, value) in &shared {
        let _ = writeln!(text, "{name}={value}");
    }
    let mut group = |name: &str, is_in: fn(Role) -> bool| {
        let _ = write!(text, "\n[{name}]\n");
        for (machine, role) in machines.iter().zip(roles) {
            if is_in(*role) {
                let _ = writeln!(text, "{}", machine.name);
            }
        }
    };
    let is_control_plane = |role| matches!(role, Role::ControlPlane | Role::Both);
    group("kube_control_plane", is_control_plane);
    group("etcd", is_control_plane);
    group("kube_node", |role| {
        matches!(role, Role::Worker | Role::Both)
    });
    text.push_str("\n[k8s_cluster:children]\nkube_control_plane\nkube_node\n");
    text
}

/// Names what belongs to no machine: a loop that can't be followed, for instance.
fn lost(text: &mut String, found: &Found, notes: &Notes) {
    let is_told = |note: &&Note| {
        let mut told = found.machines.iter().flat_map(|it| &it.to_fill_in);
        told.any(|it| it.note.line == note.line && note.message.ends_with(&it.note.message))
    };
    for note in notes.to_fill_in.iter().filter(|it| !is_told(it)) {
        let _ = writeln!(text, "# to fill in: {}", origin(note));
        if !note.source.is_empty() {
            let _ = writeln!(text, "#     {}", note.source);
        }
    }
}

fn to_fill_in(missing: &Missing) -> String {
    let name = match missing.variable.as_str() {
        "ip" => "ansible_host=ADDRESS ip=ADDRESS",
        name => name,
    };
    format!("{name} ({})", origin(&missing.note))
}

fn origin(note: &Note) -> String {
    format!("{}:{}: {}", note.file, note.line, note.message)
}

/// Returns what is known of a machine, as literals of Ansible.
fn variables(machine: &Machine) -> Vec<(&'static str, String)> {
    let number = |value: Option<u64>| value.map(|it| it.to_string());
    let list = |items: &[String]| (!items.is_empty()).then(|| literal(items));
    let address = machine.address.map(|it| it.to_string());
    let all = [
        ("ansible_host", address.clone()),
        ("ip", address),
        ("machine_image", machine.image.clone()),
        ("machine_cpus", number(machine.cpus)),
        ("machine_memory", number(machine.memory_mib)),
        ("machine_disk", machine.disk.clone()),
        ("machine_extra_disks", list(&machine.extra_disks)),
        ("machine_networks", list(&machine.networks)),
        ("machine_forwarded_ports", list(&machine.forwarded_ports)),
        ("machine_shared_folders", list(&machine.shared_folders)),
    ];
    let known = all.into_iter();
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Writes a list as Python does.
fn literal(items: &[String]) -> String {
    let quoted = |item: &String| {
        let text = item.replace('\\', "\\\\").replace('\'', "\\'");
        format!("'{}'", text.replace(['\n', '\r'], " "))
    };
    let items: Vec<String> = items.iter().map(quoted).collect();
    format!("[{}]", items.join(", "))
}

/// Quotes a value of a host line where it has to be.
fn word(value: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "._-/:@+~,".contains(it);
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace(['\n', '\r'], " "))
}
