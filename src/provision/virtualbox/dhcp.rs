//! DHCP servers of host-only networks: addresses of a lab are static, and nobody else may get them.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::super::{Lab, ProviderError};
use super::error::at_lab;
use super::info::Block;
use super::manage::Manage;
use super::record;

/// What VirtualBox calls an interface's network, before the interface's name.
const DHCP_NETWORK: &str = "HostInterfaceNetworking-";

/// Looks for a DHCP server that could give a machine's address to another: switched off for as long as the
/// interface is kinstall's, as VirtualBox brings one for the first by itself; else an error.
pub fn check(
    manage: &Manage,
    lab: &Lab,
    networks: &[(Ipv4Net, String)],
    is_ours: impl Fn(&str) -> bool,
) -> Result<(), ProviderError> {
    let text = manage
        .call(&["list", "dhcpservers"])
        .map_err(at_lab("list DHCP servers"))?;
    for server in Block::parse_all(&text, "NetworkName") {
        let name = server.get("NetworkName").trim_start_matches(DHCP_NETWORK);
        let Some((_, name)) = networks.iter().find(|(_, it)| it == name) else {
            continue;
        };
        if server.get("Enabled") != "Yes" {
            continue;
        }
        if is_ours(name) {
            record::set_dhcp_off(manage, name)?;
            switch(manage, name, "--disable")?;
            continue;
        }
        let bound = |key: &str| server.get(key).parse::<IpAddr>().ok();
        let Some((lowest, highest)) = bound("LowerIPAddress").zip(bound("UpperIPAddress")) else {
            continue;
        };
        let addresses = lab.machines.iter().flat_map(|machine| {
            let further = machine.spec.networks.iter().map(IpNet::addr);
            let all = std::iter::once(machine.address).chain(further);
            all.map(|address| (&machine.name, address))
        });
        let mut addresses = addresses.filter(|(_, it)| (lowest..=highest).contains(it));
        if let Some((machine, address)) = addresses.next() {
            return Err(ProviderError::Obstacle {
                message: format!(
                    "the DHCP server of `{name}` gives out {lowest} to {highest}, and machine `{machine}` has {address}"
                ),
                hints: vec![
                    format!(
                        "if no other machine needs it: `VBoxManage dhcpserver remove --interface \"{name}\"`"
                    ),
                    "or give the machines addresses outside its range".into(),
                ],
            });
        }
    }
    Ok(())
}

/// `--enable` or `--disable`; one that isn't there any more is fine.
pub fn switch(manage: &Manage, interface: &str, option: &str) -> Result<(), ProviderError> {
    let network = format!("--network={DHCP_NETWORK}{interface}");
    match manage.call(&["dhcpserver", "modify", &network, option]) {
        Err(error)
            if error.is_not_found()
                || error.says("Failed to find DHCP server")
                || error.says("Could not find") =>
        {
            Ok(())
        }
        result => result.map(drop).map_err(at_lab("switch a DHCP server")),
    }
}
