//! The command line that starts one machine; file names in it are relative to the machine's folder.

use std::net::SocketAddr;

use crate::resource::Sha256;
use serde_json::json;

use super::acceleration::Acceleration;
use super::folder::MachineFolder;
use super::network;
use super::record::MachineRecord;
use crate::model::{ForwardedPort, Protocol};
use crate::provision::Forward;
use crate::provision::shared_folders::share_name;

/// Builds QEMU's arguments; `is_paused` has the processors wait for the monitor's word.
pub(super) fn arguments(
    folder: &MachineFolder,
    record: &MachineRecord,
    forwards: &[Forward],
    acceleration: Acceleration,
    is_paused: bool,
) -> Vec<String> {
    let hardware = &record.hardware;
    let mut arguments: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
    add(&["-name", &folder.title, "-daemonize", "-pidfile", "qemu.pid"]);
    add(&["-nodefaults", "-no-user-config", "-display", "none"]);
    add(&["-machine", "q35", "-uuid", &uuid(&folder.title)]);
    add(&acceleration.arguments());
    add(&["-smp", &hardware.cpus.to_string()]);
    add(&["-m", &format!("{}M", hardware.memory_mib)]);
    // The clock that the machine reads at its start, and can read after a pause, is this computer's.
    add(&["-rtc", "base=utc,clock=host"]);
    add(&["-qmp", "unix:monitor.sock,server=on,wait=off"]);
    add(&["-chardev", "file,id=console,path=console.log,append=on"]);
    add(&["-serial", "chardev:console"]);
    add(&["-device", "virtio-rng-pci"]);
    for index in 0..hardware.disks() {
        let name = format!("disk{index}");
        let file = json!({"driver": "file", "filename": format!("{name}.qcow2")});
        let disk = json!({"driver": "qcow2", "node-name": name, "discard": "unmap", "file": file});
        add(&["-blockdev", &disk.to_string()]);
        let boot = if index == 0 { ",bootindex=0" } else { "" };
        add(&["-device", &format!("virtio-blk-pci,drive={name}{boot}")]);
    }
    let file = json!({"driver": "file", "filename": "seed.iso", "read-only": true});
    let seed = json!({"driver": "raw", "node-name": "seed", "read-only": true, "file": file});
    add(&["-blockdev", &seed.to_string()]);
    add(&["-device", "virtio-blk-pci,drive=seed"]);
    let addresses = &record.made_with.addresses;
    let mut user = format!("user,id=card0,net={}", network::way_out(addresses));
    if !record.egress {
        // Forwarded ports still lead in.
        user.push_str(",restrict=on");
    }
    for rule in rules(record, forwards) {
        user = format!("{user},hostfwd={rule}");
    }
    add(&["-netdev", &user]);
    for (index, bridge) in (1..).zip(network::bridges(addresses)) {
        let name = network::card(&folder.title, index);
        let script = format!("script=./plug-{bridge},downscript=no");
        add(&[
            "-netdev",
            &format!("tap,id=card{index},ifname={name},{script}"),
        ]);
    }
    for (index, mac) in record.macs.iter().enumerate() {
        add(&[
            "-device",
            &format!("virtio-net-pci,netdev=card{index},mac={mac}"),
        ]);
    }
    for (index, shared) in hardware.shared_folders.iter().enumerate() {
        let path = shared.host.to_string_lossy().replace(',', ",,");
        let tag = share_name(index);
        add(&[
            "-virtfs",
            &format!("local,path={path},mount_tag={tag},security_model=none"),
        ]);
    }
    if is_paused {
        add(&["-S"]);
    }
    arguments
}

/// Returns the forwards of a machine, as QEMU writes them.
pub(super) fn rules(record: &MachineRecord, forwards: &[Forward]) -> Vec<String> {
    let address = record.made_with.addresses.first().map(ipnet::IpNet::addr);
    let into_lab = forwards
        .iter()
        .filter(|forward| Some(forward.target.ip()) == address)
        .map(|forward| rule("tcp", forward.listen, forward.target.port()));
    let ports = record.forwarded_ports.iter().copied().map(port_rule);
    into_lab.chain(ports).collect()
}

/// Returns a forwarded port, as QEMU writes it.
pub(super) fn port_rule(port: ForwardedPort) -> String {
    let protocol = match port.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    rule(
        protocol,
        SocketAddr::from(([127, 0, 0, 1], port.host)),
        port.guest,
    )
}

fn rule(protocol: &str, listen: SocketAddr, port: u16) -> String {
    format!("{protocol}:{listen}-:{port}")
}

/// A kubelet tells machines apart by it.
fn uuid(title: &str) -> String {
    let mut text = Sha256::of(title.as_bytes()).to_string();
    text.truncate(32);
    // Version 8, variant 1 of RFC 9562: made by a rule of one's own.
    text.replace_range(12..13, "8");
    text.replace_range(16..17, "8");
    for place in [8, 13, 18, 23] {
        text.insert(place, '-');
    }
    text
}
