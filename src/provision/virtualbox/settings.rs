//! A machine's settings, as arguments of VBoxManage.

use std::ffi::OsString;
use std::path::Path;

use super::super::Mac;
use super::super::{Lab, Machine};
use super::nat_rule;
use super::paths::argument_path;
use super::uuid::Uuid;

/// Most network cards that all chipsets have.
pub const MOST_CARDS: usize = 8;

/// What a card beside the first one is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// `vboxnet0`, or `VirtualBox Host-Only Ethernet Adapter` on Windows.
    Interface(String),
    /// A host-only network of macOS.
    Network(String),
}

/// What a machine of the lab is made with.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    pub lab: &'a Lab,
    pub machine: &'a Machine,
    pub macs: &'a [Mac],
    /// In place of the first of them.
    pub first_mac: Option<&'a str>,
    pub attachments: &'a [Attachment],
    /// Whether the image brings drivers for virtio; else the cards stay what its description says.
    pub is_virtio: bool,
    pub console_log: &'a Path,
}

/// Returns the folder in VirtualBox's window, and on disk, that holds a lab's machines.
pub fn group(lab: &Lab) -> String {
    format!("/kinstall-{}", lab.id)
}

impl Settings<'_> {
    /// Returns the one call that sets up a new machine.
    pub fn arguments(&self, uuid: Uuid) -> Vec<OsString> {
        let spec = &self.machine.spec;
        let mut arguments = Arguments(vec!["modifyvm".into(), uuid.to_string().into()]);
        // A linked clone comes with the group of what it was cloned from, whatever `clonevm` is told.
        arguments.add("--groups", group(self.lab));
        let description = format!(
            "Node {} of cluster {}, made by kinstall. `kinstall down` removes it.",
            self.machine.name, self.lab.cluster
        );
        arguments.add("--description", description);
        arguments.add("--cpus", spec.cpus.to_string());
        arguments.add("--memory", spec.memory_mib.to_string());
        for (name, value) in ALWAYS {
            arguments.add(name, *value);
        }
        arguments.add("--nic1", "nat");
        for (index, port) in spec.forwarded_ports.iter().enumerate() {
            arguments.add("--natpf1", nat_rule::rule(index, *port));
        }
        for (index, attachment) in self.attachments.iter().enumerate() {
            let card = index + 2;
            match attachment {
                Attachment::Interface(name) => {
                    arguments.add(&format!("--nic{card}"), "hostonly");
                    arguments.add(&format!("--host-only-adapter{card}"), name);
                }
                Attachment::Network(name) => {
                    arguments.add(&format!("--nic{card}"), "hostonlynet");
                    arguments.add(&format!("--host-only-net{card}"), name);
                }
            }
        }
        for (index, mac) in self
            .macs
            .iter()
            .enumerate()
            .take(self.attachments.len() + 1)
        {
            let card = index + 1;
            let digits = match self.first_mac {
                Some(first) if index == 0 => first.to_owned(),
                _ => mac.digits(),
            };
            arguments.add(&format!("--mac-address{card}"), digits);
            arguments.add(&format!("--cable-connected{card}"), "on");
            if self.is_virtio {
                arguments.add(&format!("--nic-type{card}"), "virtio");
            }
        }
        arguments.add("--uart1", "0x3F8");
        arguments.0.push("4".into());
        arguments.add("--uart-mode1", "file");
        arguments.0.push(argument_path(self.console_log));
        arguments.0
    }
}

/// What no inventory changes.
const ALWAYS: &[(&str, &str)] = &[
    ("--vram", "16"),
    ("--graphicscontroller", "vmsvga"),
    ("--rtc-use-utc", "on"),
    ("--ioapic", "on"),
    ("--audio-enabled", "off"),
    ("--usb-ohci", "off"),
    ("--mouse", "ps2"),
    ("--boot1", "disk"),
    ("--boot2", "none"),
    ("--boot3", "none"),
    ("--boot4", "none"),
    ("--vrde", "off"),
    // Names are looked up by this computer: its VPN and its split DNS count for the machine too.
    ("--nat-dns-host-resolver1", "on"),
];

struct Arguments(Vec<OsString>);

impl Arguments {
    fn add(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.push(name.into());
        self.0.push(value.into());
    }
}
