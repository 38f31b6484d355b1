//! The machine that kinstall makes for a host, and what all of them have in common.

use std::num::NonZeroU32;

use ipnet::IpNet;

use super::super::{ForwardedPort, MachineDefaults, MachineSpec, defaults};
use super::{Reader, shared_folder};
use crate::yaml::Value;

const MEMORY: &str = "a size in MiB such as 2048, or with a unit such as 2G";
const DISK: &str = "a size in GiB such as 20, or with a unit such as 20G";

/// Reads what a host's machine is to be.
pub(super) fn machine(reader: &mut Reader<'_>) -> MachineSpec {
    let cpus = reader.parsed::<NonZeroU32>(&["machine_cpus"], "a number of processors");
    MachineSpec {
        cpus: cpus.map_or(defaults::MACHINE_CPUS, |cpus| cpus.value.get()),
        memory_mib: size(reader, "machine_memory", 1, MEMORY)
            .unwrap_or(defaults::MACHINE_MEMORY_MIB),
        disk_gib: size(reader, "machine_disk", 1024, DISK).unwrap_or(defaults::MACHINE_DISK_GIB),
        image: reader
            .text(&["machine_image"])
            .map_or_else(|| defaults::MACHINE_IMAGE.to_owned(), |image| image.value),
        extra_disks_gib: list(reader, "machine_extra_disks", DISK, |text| {
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

/// Reads what all machines get at their first boot.
pub(super) fn machines(reader: &mut Reader<'_>) -> MachineDefaults {
    let mut text = |name| reader.text(&[name]).map(|text| text.value);
    MachineDefaults {
        time_zone: text("machine_time_zone"),
        proxy: text("machine_proxy"),
        package_mirror: text("machine_package_mirror"),
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

/// Reads a size in units of `unit` MiB, rounded up.
fn size(reader: &mut Reader<'_>, name: &str, unit: u64, expected: &str) -> Option<u64> {
    let value: Value = reader.value(name)?;
    let mib = value.text().and_then(|text| parse_size(text, unit));
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
