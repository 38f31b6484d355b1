//! The machines that come out of it.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::missing::Missing;
use super::network::Port;
use super::provision::Groups;
use super::read::Reader;
use super::{Call, Definition, Lab, Placed, explain, image};
use crate::diagnostic::Location;
use crate::model::Provider;
use crate::model::names::{corrected, is_subdomain};
use crate::vagrant::ImageCheck;
use crate::vagrant::evaluate::value::Value;
use crate::vagrant::note::{self, Note, Notes};

/// A machine as the inventory describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    pub name: String,
    /// What it was called inside, if that isn't its name.
    pub host_name: Option<String>,
    pub address: Option<Ipv4Addr>,
    pub cpus: Option<u64>,
    pub memory_mib: Option<u64>,
    /// With its unit: `20G`.
    pub disk: Option<String>,
    pub image: Option<String>,
    pub extra_disks: Vec<String>,
    pub networks: Vec<String>,
    pub forwarded_ports: Vec<String>,
    pub shared_folders: Vec<String>,
    pub to_fill_in: Vec<Missing>,
    /// Where it is defined.
    #[serde(skip)]
    pub place: Location,
    /// `autostart: false`
    #[serde(skip)]
    pub is_manual: bool,
}

/// All machines, and what is true for all of them.
pub struct Found {
    /// VirtualBox, or QEMU for a lab of libvirt alone.
    pub provider: Provider,
    pub machines: Vec<Machine>,
    pub groups: Groups,
    pub node_domain: Option<String>,
    pub time_zone: Option<String>,
    pub proxy: Option<String>,
}

/// Settings that [`read`] takes.
const UNDERSTOOD: [&str; 8] = [
    "vm.hostname",
    "vm.host_name",
    "disksize.size",
    "vm.network",
    "vm.forward_port",
    "vm.synced_folder",
    "vm.disk",
    "vm.provision",
];

/// Reads what the settings mean.
pub fn read(lab: &Lab, images: ImageCheck<'_>, notes: &mut Notes) -> Found {
    let mut found = Found {
        provider: provider(lab, notes),
        machines: Vec::new(),
        groups: Vec::new(),
        node_domain: None,
        time_zone: None,
        proxy: None,
    };
    let mut taken: Vec<(Port, String)> = Vec::new();
    let mut domains: Vec<Option<String>> = Vec::new();
    for definition in &lab.machines {
        if is_windows(lab, definition) {
            let message = format!("{}: kinstall makes no Windows machines", definition.name);
            note::add(&mut notes.left_out, Note::new(&definition.place, message));
            continue;
        }
        let mut reader = Reader {
            machine: definition.name.clone(),
            provider: found.provider,
            images,
            notes: &mut *notes,
            missing: Vec::new(),
        };
        let (machine, ports, domain) = machine(lab, definition, &mut reader, &mut found);
        domains.push(domain);
        let mut machine = Machine {
            to_fill_in: std::mem::take(&mut reader.missing),
            ..machine
        };
        let other = found
            .machines
            .iter()
            .find(|it| it.address == machine.address);
        if let (Some(address), Some(other)) = (machine.address, other) {
            let reason = format!("{address} is the address of {} already", other.name);
            reader.fill_in(&definition.place, "ip", &reason);
            machine.to_fill_in.append(&mut reader.missing);
            machine.address = None;
        }
        for (port, place) in ports {
            let is_same = |other: &Port| other.host == port.host && other.is_udp == port.is_udp;
            if let Some((_, name)) = taken.iter().find(|(other, _)| is_same(other)) {
                if *name != machine.name {
                    let reason = format!("port {} leads to {name} already", port.host);
                    reader.fill_in(&place, "machine_forwarded_ports", &reason);
                    machine.to_fill_in.append(&mut reader.missing);
                }
                continue;
            }
            taken.push((port, machine.name.clone()));
            machine.forwarded_ports.push(port.text());
        }
        found.machines.push(machine);
    }
    if let Some(Some(domain)) = domains.first()
        && domains.iter().all(|it| it.as_ref() == Some(domain))
    {
        found.node_domain = Some(domain.clone());
    }
    found
}

/// Returns what makes the machines: the provider that a block is for, where only libvirt has one.
fn provider(lab: &Lab, notes: &mut Notes) -> Provider {
    let own = lab.machines.iter().map(|it| &it.settings);
    let all = || std::iter::once(&lab.global).chain(own.clone());
    let block = |name: &str| {
        let mut blocks = all().flat_map(|it| &it.providers);
        blocks.find(|it| it.provider == name)
    };
    let is_chosen = lab.provider.as_deref() == Some("libvirt");
    let Some(libvirt) = block("libvirt").filter(|_| is_chosen) else {
        return Provider::VirtualBox;
    };
    let message = match block("virtualbox") {
        None => "there is no virtualbox block: `kinstall_provider=qemu` takes libvirt's place",
        Some(_) => "VAGRANT_DEFAULT_PROVIDER is libvirt: `kinstall_provider=qemu` takes its place",
    };
    note::add(&mut notes.assumed, Note::new(&libvirt.place, message));
    Provider::Qemu
}

fn is_windows(lab: &Lab, definition: &Definition) -> bool {
    let says = |path: &str, word: &str| {
        let own = definition.settings.values.get(path);
        let placed = own.or_else(|| lab.global.values.get(path));
        placed.is_some_and(|it| it.value.as_text().as_deref() == Some(word))
    };
    let own = definition.settings.values.get("vm.box");
    let image = own.or_else(|| lab.global.values.get("vm.box"));
    let image = image.and_then(|it| it.value.as_text()).unwrap_or_default();
    says("vm.guest", "windows")
        || says("vm.communicator", "winrm")
        || image.to_lowercase().contains("windows")
}

type Ports = Vec<(Port, Location)>;

fn machine(
    lab: &Lab,
    definition: &Definition,
    reader: &mut Reader<'_>,
    found: &mut Found,
) -> (Machine, Ports, Option<String>) {
    let own = &definition.settings;
    let setting = |path: &str| own.values.get(path).or_else(|| lab.global.values.get(path));
    let calls: Vec<&Call> = lab.global.calls.iter().chain(&own.calls).collect();

    let host_name = setting("vm.hostname").or_else(|| setting("vm.host_name"));
    let (name, domain) = name(lab, definition, host_name, reader);
    reader.machine.clone_from(&name);
    let networks = reader.networks(&calls, &definition.place);
    let mut sizes = reader.sizes(&definition.provider);
    // Version 1 of the configuration has them here.
    for call in calls.iter().filter(|it| it.name == "vm.customize") {
        reader.customize(&call.arguments, &call.place, &mut sizes);
    }
    let image = reader.image(&|path| {
        let placed = setting(path);
        placed.filter(|it| !matches!(it.value, Value::Nil))
    });
    if let (None, None, Some(placed)) = (&image, setting("vm.box"), &sizes.image) {
        let reason = "this image is for another provider: kinstall takes a box name, a path, or a URL with its hash";
        reader.fill_in(&placed.place, "machine_image", reason);
    }
    let mut disk = setting("disksize.size")
        .and_then(|it| reader.disk(&it.value, &it.place, "machine_disk", 1))
        .or(sizes.disk.take());
    let mut extra_disks = std::mem::take(&mut sizes.extra_disks);
    for call in calls.iter().filter(|it| it.name == "vm.disk") {
        match reader.disk_call(call) {
            Some((true, size)) => disk = Some(size),
            Some((false, size)) => extra_disks.push(size),
            None => {}
        }
    }
    let shared_folders = reader.folders(&calls);
    for call in calls.iter().filter(|it| it.name == "vm.provision") {
        reader.provisioner(call, &mut found.groups);
    }
    explain_the_rest(lab, definition, reader, found);
    let memory_mib = sizes.memory.as_ref().and_then(|it| reader.memory(it));
    let cpus = sizes.cpus.as_ref();
    let cpus = cpus.and_then(|it| reader.number(&it.value, &it.place, "machine_cpus"));
    let host_name = host_name.and_then(|it| it.value.as_text());
    let machine = Machine {
        host_name: host_name
            .filter(|it| **it != *name)
            .map(|it| it.to_string()),
        name,
        address: networks.address,
        cpus,
        memory_mib,
        disk,
        image,
        extra_disks,
        networks: networks.others,
        forwarded_ports: Vec::new(),
        shared_folders,
        to_fill_in: Vec::new(),
        place: definition.place.clone(),
        is_manual: definition.is_manual,
    };
    (machine, networks.ports, domain)
}

/// Returns the name of a machine and its domain; Kubernetes accepts lower-case names only.
fn name(
    lab: &Lab,
    definition: &Definition,
    host_name: Option<&Placed>,
    reader: &mut Reader<'_>,
) -> (String, Option<String>) {
    let inside = host_name.and_then(|it| Some((it.value.as_text()?, &it.place)));
    let inside = inside.as_ref().map(|(inside, place)| (&**inside, *place));
    let written = match (lab.is_single, inside) {
        (true, Some((inside, _))) => inside.split('.').next().unwrap_or(inside),
        _ => &definition.name,
    };
    let name = if is_subdomain(written) {
        written.to_owned()
    } else {
        corrected(written).unwrap_or_else(|| "machine".to_owned())
    };
    let place = inside.map_or(&definition.place, |it| it.1);
    if name != written {
        reader.assumed(
            place,
            format!("`{written}` becomes `{name}`: nodes have lower-case names"),
        );
    }
    let Some((inside, place)) = inside else {
        if let Some(placed) = host_name {
            reader.left_out(
                &placed.place,
                "the host name is not known; the machine's name is taken",
            );
        }
        return (name, None);
    };
    // The domain counts where the first part is another name, too.
    let behind = inside
        .strip_prefix(written)
        .and_then(|it| it.strip_prefix('.'));
    let parts = behind
        .map(|domain| (written, domain))
        .or_else(|| inside.split_once('.'));
    let (first, domain) = match parts {
        Some((first, domain)) if inside != written && is_subdomain(domain) => (first, Some(domain)),
        _ => (inside, None),
    };
    if first != written {
        let message =
            format!("{name} was called `{inside}` inside: kinstall has one name for both");
        reader.assumed(place, message);
    }
    (name, domain.map(str::to_owned))
}

/// Names everything that was set and isn't taken over.
fn explain_the_rest(
    lab: &Lab,
    definition: &Definition,
    reader: &mut Reader<'_>,
    found: &mut Found,
) {
    for settings in [&lab.global, &definition.settings] {
        for (path, placed) in &settings.values {
            let text = placed.value.as_text();
            match (path.as_str(), text.as_deref()) {
                ("timezone.value", Some(zone)) if matches!(placed.value, Value::Text(_)) => {
                    found.time_zone = Some(zone.to_owned());
                }
                ("proxy.http" | "proxy.https", Some(proxy)) => {
                    found.proxy = Some(proxy.to_owned());
                }
                (path, _) if UNDERSTOOD.contains(&path) || image::UNDERSTOOD.contains(&path) => {}
                (path, _) => {
                    reader.left_out(&placed.place, explain::configuration(path));
                }
            }
        }
        for call in &settings.calls {
            let name = call.name.as_str();
            if !UNDERSTOOD.contains(&name) && name != "vm.customize" {
                let note = Note::new(&call.place, explain::configuration(name));
                note::add(&mut reader.notes.left_out, note);
            }
        }
    }
}
