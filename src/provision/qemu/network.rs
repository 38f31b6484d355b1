//! The lab's network: a namespace with a bridge for each network.
//!
//! QEMU runs outside of it, where its user-mode network finds the way out and where forwarded ports are
//! loopback's. The kernel lets a network card wander: QEMU makes it, and a small program of the lab's
//! folder, which QEMU runs, moves it into the namespace.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::resource::Sha256;
use ipnet::IpNet;

use super::folder::{LabFolder, MachineFolder};
use super::process::{self, Process};
use super::record::MachineRecord;
use crate::provision::namespace::BRIDGE;
use crate::provision::{Lab, ProviderError};

/// Makes what isn't there of the networks of machines; what an interrupted run left is made anew.
pub(super) fn prepare(lab: &Lab, names: &[&str]) -> Result<(), ProviderError> {
    let folder = LabFolder::of(lab);
    let namespace = folder.namespace();
    if !namespace.is_whole() {
        for name in folder.machines()? {
            check_free(&folder.machine(lab, &name))?;
        }
        namespace.create(lab.gateway)?;
    }
    write_plug(&folder).map_err(ProviderError::file("write", &folder.plug()))?;
    let mut further = BTreeSet::new();
    for name in names {
        if let Some(record) = MachineRecord::read(&folder.machine(lab, name))? {
            further.extend(bridges(&record.made_with.addresses).skip(1));
        }
    }
    for bridge in further {
        let mut show = Command::new("ip");
        show.args(["link", "show", &bridge]);
        if run(lab, &mut show).is_ok() {
            continue;
        }
        let mut add = Command::new("ip");
        add.args(["link", "add", "name", &bridge, "up", "type", "bridge"]);
        run(lab, &mut add)?;
    }
    Ok(())
}

/// A machine that runs keeps its card where it is: no new network gets it.
fn check_free(folder: &MachineFolder) -> Result<(), ProviderError> {
    if !matches!(process::find(folder)?, Process::Alive(_)) {
        return Ok(());
    }
    Err(ProviderError::Obstacle {
        message: format!(
            "the lab's network is gone, and machine `{}` runs in what is left of it",
            folder.name
        ),
        hints: vec!["`kinstall halt`, then start the machines again".into()],
    })
}

/// Returns the bridge of a further network.
fn bridge(address: &IpNet) -> String {
    format!("net-{}", digits(&address.trunc().to_string()))
}

/// Returns the name of a machine's network card on this computer: no other lab's has the same.
pub(super) fn card(title: &str, index: usize) -> String {
    format!("kin{}", digits(&format!("{title}/{index}")))
}

/// Returns the bridge of each card but the first, which leads out.
pub(super) fn bridges(addresses: &[IpNet]) -> impl Iterator<Item = String> {
    let further = addresses.iter().skip(1).map(bridge);
    std::iter::once(BRIDGE.to_owned()).chain(further)
}

/// Returns a network for the way out that none of a machine's addresses is in.
pub(super) fn way_out(addresses: &[IpNet]) -> &'static str {
    let overlaps = |network: &&&str| {
        let network: Option<IpNet> = network.parse().ok();
        !network.is_some_and(|network| {
            let within =
                |it: &IpNet| it.contains(&network.network()) || network.contains(&it.addr());
            addresses.iter().any(within)
        })
    };
    let choice = ["10.0.2.0/24", "172.31.254.0/24", "192.168.254.0/24"];
    choice
        .iter()
        .find(overlaps)
        .copied()
        .unwrap_or("10.0.2.0/24")
}

fn digits(text: &str) -> String {
    Sha256::of(text.as_bytes()).to_string()[..10].to_owned()
}

/// QEMU gives the program the card's name only, so the card's bridge is in a link's name.
fn write_plug(folder: &LabFolder) -> std::io::Result<()> {
    let path = folder.plug();
    let namespace = folder.namespace_file();
    let quoted = shlex::try_quote(namespace.to_str().unwrap_or_default())
        .map_err(std::io::Error::other)?
        .into_owned();
    let text = format!(
        "#!/bin/sh\n\
         # Run by QEMU as plug-BRIDGE with the name of a network card.\n\
         set -e\n\
         ip link set \"$1\" netns {quoted}\n\
         nsenter --net={quoted} ip link set \"$1\" master \"${{0##*/plug-}}\" up\n"
    );
    // A QEMU that is just starting may be reading the old one.
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o700))?;
    fs::rename(&new, &path)
}

/// Links the program under the name that tells the bridge.
pub(super) fn link_plugs(machine: &Path, addresses: &[IpNet]) -> Result<(), ProviderError> {
    for bridge in bridges(addresses) {
        let link = machine.join(format!("plug-{bridge}"));
        super::folder::remove_file(&link)?;
        std::os::unix::fs::symlink("../../plug", &link)
            .map_err(ProviderError::file("create", &link))?;
    }
    Ok(())
}

fn run(lab: &Lab, command: &mut Command) -> Result<(), ProviderError> {
    let failed = |detail: String| ProviderError::Lab {
        action: "make the lab's network".into(),
        detail,
    };
    let output = LabFolder::of(lab).namespace().output(command);
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let detail = String::from_utf8_lossy(&output.stderr);
    Err(failed(detail.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{card, way_out};

    #[test]
    fn names_fit_the_kernel_and_ways_out_stay_clear() {
        assert!(card("kinstall-a-long-lab-id-node1", 12).len() < 16);
        let addresses = ["10.0.2.21/24".parse().unwrap()];
        assert_eq!(way_out(&addresses), "172.31.254.0/24");
        let addresses = ["192.168.56.21/24".parse().unwrap()];
        assert_eq!(way_out(&addresses), "10.0.2.0/24");
    }
}
