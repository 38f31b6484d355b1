//! QEMU's command line for a machine, and its start.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::Failure;
use crate::disk;
use crate::machine::{Card, Drive, Machine};
use crate::run_state::RunState;

/// Where VirtualBox puts its network cards on the PCI bus.
const CARD_SLOTS: [u32; 8] = [0x3, 0x8, 0x9, 0xa, 0x10, 0x11, 0x12, 0x13];

/// Starts a machine; its saved memory goes on and is gone then.
pub fn start(machine: &Machine, state: &RunState) -> Result<(), Failure> {
    let mut qemu = Command::new("qemu-system-x86_64");
    let accelerator =
        std::env::var("KINSTALL_STAND_IN_ACCELERATOR").unwrap_or("tcg,thread=multi".into());
    if machine.setting("firmware") != Some("BIOS") {
        return Err("the stand-in has a BIOS only".into());
    }
    let chipset = if machine.setting("chipset") == Some("ich9") {
        "q35"
    } else {
        "pc"
    };
    qemu.args([
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-vga",
        "std",
    ])
    // As VirtualBox's, cards are named after where they are on the bus, not after a slot for plugging.
    .args([
        "-global",
        "PIIX4_PM.acpi-root-pci-hotplug=off",
        "-cpu",
        "max",
    ])
    .args([
        "-name",
        &machine.name,
        "-machine",
        chipset,
        "-accel",
        &accelerator,
    ])
    .args(["-smp", machine.setting("cpus").unwrap_or("1")])
    .args(["-m", machine.setting("memory").unwrap_or("512")])
    .args([
        "-uuid",
        machine.setting("hardwareuuid").unwrap_or(&machine.uuid),
    ])
    .arg("-qmp")
    .arg(format!(
        "unix:{},server=on,wait=off",
        state.socket().display()
    ))
    .arg("-pidfile")
    .arg(state.process_file());
    for (number, (name, kind)) in machine.controllers().into_iter().enumerate() {
        let drives = machine
            .drives()
            .into_iter()
            .filter(|drive| drive.controller == name);
        add_controller(&mut qemu, number, kind, &drives.collect::<Vec<_>>(), state)?;
    }
    for card in machine.cards() {
        add_card(&mut qemu, machine, &card, state)?;
    }
    if let Some(file) = machine.serial_file() {
        qemu.args(["-serial", &format!("file:{file}")]);
    }
    let memory = state.memory();
    let resumes = memory.exists();
    if resumes {
        qemu.arg("-incoming")
            .arg(format!("file:{}", memory.display()));
    }
    let _ = fs::remove_file(state.process_file());
    launch(&mut qemu, state)?;
    while resumes && state.monitor()?.status()? == "inmigrate" {
        sleep(Duration::from_millis(50));
    }
    if resumes {
        let mut monitor = state.monitor()?;
        if monitor.status()? != "running" {
            monitor.call("cont", &serde_json::json!({}))?;
        }
        fs::remove_file(memory)?;
    }
    Ok(())
}

/// Leaves QEMU behind as soon as it answers; what it says later is in its log.
fn launch(qemu: &mut Command, state: &RunState) -> Result<(), Failure> {
    // It outlives the machine.
    let path = state.folder.with_extension("log");
    let mut log = File::options().create(true).append(true).open(&path)?;
    writeln!(log, "{qemu:?}")?;
    let _ = fs::remove_file(state.socket());
    let mut process = qemu
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    while state.monitor().is_err() {
        if process.try_wait()?.is_some() {
            let text = fs::read_to_string(path)?;
            return Err(text.lines().last().unwrap_or_default().into());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn add_controller(
    qemu: &mut Command,
    number: usize,
    kind: &str,
    drives: &[Drive],
    state: &RunState,
) -> Result<(), Failure> {
    let controller = format!("controller{number}");
    match kind {
        "IntelAhci" => qemu.args(["-device", &format!("ich9-ahci,id={controller},addr=0xd")]),
        "VirtioSCSI" => qemu.args([
            "-device",
            &format!("virtio-scsi-pci,id={controller},addr=0xf"),
        ]),
        // The machine has it.
        "PIIX3" | "PIIX4" | "ICH6" => qemu,
        other => return Err(format!("the stand-in has no storage controller {other}").into()),
    };
    for drive in drives {
        let (port, device) = (drive.port, drive.device);
        let id = format!("{controller}-{port}-{device}");
        let (model, place) = match kind {
            "IntelAhci" => ("ide", format!("bus={controller}.{port}")),
            "VirtioSCSI" => ("scsi", format!("bus={controller}.0,scsi-id={port},lun=0")),
            _ => ("ide", format!("bus=ide.{port},unit={device}")),
        };
        if drive.is_dvd() {
            let file = comma_safe(&drive.medium.to_string_lossy());
            qemu.args([
                "-drive",
                &format!("id={id},file={file},format=raw,if=none,readonly=on,media=cdrom"),
            ]);
            qemu.args(["-device", &format!("{model}-cd,drive={id},{place}")]);
        } else {
            let file = comma_safe(&disk::for_drive(drive, state)?.to_string_lossy());
            qemu.args([
                "-drive",
                &format!("id={id},file={file},format=qcow2,if=none,discard=unmap,cache=unsafe"),
            ]);
            qemu.args(["-device", &format!("{model}-hd,drive={id},{place}")]);
        }
    }
    Ok(())
}

fn add_card(
    qemu: &mut Command,
    machine: &Machine,
    card: &Card,
    state: &RunState,
) -> Result<(), Failure> {
    let network = format!("network{}", card.number);
    match (card.attachment.as_str(), &card.bridge) {
        ("nat", _) => {
            let mut user = format!("user,id={network},restrict=on");
            for rule in machine.forwardings() {
                let [_, protocol, address, host, guest, port] = rule[..] else {
                    continue;
                };
                let address = if address.is_empty() {
                    "0.0.0.0"
                } else {
                    address
                };
                // VirtualBox starts the machine all the same, and says so in a log only.
                if protocol == "udp" || TcpListener::bind((address, host.parse()?)).is_ok() {
                    user = format!("{user},hostfwd={protocol}:{address}:{host}-{guest}:{port}");
                }
            }
            qemu.args(["-netdev", &user]);
        }
        ("hostonly", Some(bridge)) => {
            let script = state.folder.join(format!("plug{}", card.number));
            fs::write(
                &script,
                format!("#!/bin/sh\nexec ip link set \"$1\" master {bridge} up\n"),
            )?;
            fs::set_permissions(&script, fs::Permissions::from_mode(0o700))?;
            let script = comma_safe(&script.to_string_lossy());
            qemu.args([
                "-netdev",
                &format!("tap,id={network},script={script},downscript=no"),
            ]);
        }
        (other, _) => return Err(format!("the stand-in has no network of the kind {other}").into()),
    }
    let model = match card.model.as_str() {
        "82540EM" | "82543GC" => "e1000",
        "82545EM" => "e1000-82545em",
        "virtio" => "virtio-net-pci",
        "Am79C970A" | "Am79C973" => "pcnet",
        other => return Err(format!("the stand-in has no network card {other}").into()),
    };
    let slot = CARD_SLOTS.get(card.number - 1).copied().unwrap_or(0x14);
    qemu.args([
        "-device",
        &format!(
            "{model},netdev={network},mac={},addr={slot:#x},romfile=",
            card.mac
        ),
    ]);
    debug_assert!(card.is_plugged, "a card without cable");
    Ok(())
}

/// A comma separates QEMU's options; two are one comma.
fn comma_safe(text: &str) -> String {
    text.replace(',', ",,")
}
