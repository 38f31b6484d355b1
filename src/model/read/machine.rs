//! The machine that kinstall makes for a host.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::super::{ForwardedPort, MachineSpec, defaults};
use super::{Reader, shared_folder};
use crate::yaml::Value;

/// Names of a setting: kinstall's own, then those that inventories of Vagrant's, Proxmox' and libvirt's
/// labs have for the same. Only names that can mean nothing else on a node.
const CPUS: [&str; 6] = [
    "machine_cpus",
    "vm_cpus",
    "vm_cpu",
    "vm_vcpus",
    "vm_cores",
    "cpus",
];
const MEMORY: [&str; 6] = [
    "machine_memory",
    "vm_memory",
    "vm_memory_mb",
    "vm_mem",
    "vm_ram",
    "memory",
];
const DISK: [&str; 4] = ["machine_disk", "vm_disk_size", "vm_disk", "vm_disk_gb"];
const IMAGE: [&str; 3] = ["machine_image", "vagrant_box", "vm_box"];

const A_MEMORY_SIZE: &str = "a size in MiB such as 2048, or with a unit such as 2G";
const A_DISK_SIZE: &str = "a size in GiB such as 20, or with a unit such as 20G";

/// Sizes in MiB that other tools' variables can mean: a number beyond them counts another unit.
const USUAL_MEMORY: RangeInclusive<u64> = 128..=1024 * 1024;
const USUAL_DISK: RangeInclusive<u64> = 1024..=2 * 1024 * 1024;

/// Reads what a host's machine is to be.
pub(super) fn machine(reader: &mut Reader<'_>) -> MachineSpec {
    let cpus = setting(reader, &CPUS, |reader, name| {
        reader.parsed::<NonZeroU32>(&[name], "a number of processors")
    });
    let memory = setting(reader, &MEMORY, |reader, name| {
        size(reader, name, 1, A_MEMORY_SIZE, &usual(name, USUAL_MEMORY))
    });
    let disk = setting(reader, &DISK, |reader, name| {
        size(reader, name, 1024, A_DISK_SIZE, &usual(name, USUAL_DISK))
    });
    let image = setting(reader, &IMAGE, |reader, name| reader.text(&[name]));
    MachineSpec {
        cpus: cpus.map_or(defaults::MACHINE_CPUS, |cpus| cpus.value.get()),
        memory_mib: memory.unwrap_or(defaults::MACHINE_MEMORY_MIB),
        disk_gib: disk.unwrap_or(defaults::MACHINE_DISK_GIB),
        image: image.map_or_else(|| defaults::MACHINE_IMAGE.to_owned(), |image| image.value),
        extra_disks_gib: list(reader, "machine_extra_disks", A_DISK_SIZE, |text| {
            parse_size(text, 1024).map(|mib| mib.div_ceil(1024))
        }),
        networks: list(
            reader,
            "machine_networks",
            "an address with its prefix, such as 192.168.57.11/24",
            |text| text.contains('/').then(|| text.parse::<IpNet>().ok())?,
        ),
        forwarded_ports: list(
            reader,
            "machine_forwarded_ports",
            "HOST:GUEST or HOST:GUEST/udp, such as 8080:80",
            |text| text.parse::<ForwardedPort>().ok(),
        ),
        shared_folders: list(
            reader,
            "machine_shared_folders",
            "HOST:GUEST, such as ./data:/srv/data",
            shared_folder::parse,
        ),
    }
}

/// Reads a setting by the first of its names that gives it a value.
fn setting<T>(
    reader: &mut Reader<'_>,
    names: &[&str],
    read: impl Fn(&mut Reader<'_>, &str) -> Option<T>,
) -> Option<T> {
    let (own, others) = names.split_first()?;
    read(reader, own).or_else(|| {
        let mut others = others.iter();
        others.find_map(|name| reader.foreign(own, |reader| read(reader, name)))
    })
}

/// Returns the sizes that a variable can have: of kinstall's own, any.
fn usual(name: &str, foreign: RangeInclusive<u64>) -> RangeInclusive<u64> {
    if name.starts_with("machine_") {
        1..=u64::MAX
    } else {
        foreign
    }
}

fn list<T>(
    reader: &mut Reader<'_>,
    name: &'static str,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Vec<T> {
    let mut found = Vec::new();
    for value in reader.list(name) {
        match value.text().and_then(&parse) {
            Some(item) => found.push(item),
            None => reader.wrong_kind(name, &value, expected),
        }
    }
    found
}

/// Reads a size in units of `unit` MiB, rounded up; `usual` is in MiB.
fn size(
    reader: &mut Reader<'_>,
    name: &str,
    unit: u64,
    expected: &str,
    usual: &RangeInclusive<u64>,
) -> Option<u64> {
    let value: Value = reader.value(name)?;
    let mib = value
        .text()
        .and_then(|text| parse_size(text, unit))
        .filter(|mib| usual.contains(mib));
    if mib.is_none() {
        reader.wrong_kind(name, &value, expected);
    }
    mib.map(|mib| mib.div_ceil(unit))
}

/// Returns MiB, never zero; a bare number counts units.
fn parse_size(text: &str, unit: u64) -> Option<u64> {
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let factor = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" => unit,
        "m" | "mi" | "mb" | "mib" => 1,
        "g" | "gi" | "gb" | "gib" => 1024,
        "t" | "ti" | "tb" | "tib" => 1024 * 1024,
        _ => return None,
    };
    let mib = text[..digits].parse::<u64>().ok()?.checked_mul(factor)?;
    (mib > 0).then_some(mib)
}
