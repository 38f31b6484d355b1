//! Host-only networks: found, or made inside what VirtualBox allows.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::super::{Lab, ProviderError};
use super::allowed;
use super::dhcp;
use super::error::at_lab;
use super::info::Block;
use super::manage::Manage;
use super::record::{self, Records};
use super::settings::Attachment;

/// Names of networks on macOS, before their address.
const MAC_NETWORK: &str = "kinstall-";

/// An interface of VirtualBox's, or one of this computer's that machines could be bridged to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Interface {
    name: String,
    address: Option<Ipv4Net>,
}

/// Finds or makes the interfaces of the lab's network and of its machines' further networks; nothing is made
/// unless all of them are possible. Returns how a machine's cards are connected.
pub fn prepare(manage: &Manage, lab: &Lab) -> Result<Networks, ProviderError> {
    let wanted = wanted(lab)?;
    if cfg!(target_os = "macos") {
        return mac_networks(manage, &wanted);
    }
    let there = interfaces(manage, "hostonlyifs")?;
    let records = records(manage, &there)?;
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for network in wanted {
        match with_network(&there, network) {
            Some(interface) => found.push((network, interface.name.clone())),
            None => missing.push(network),
        }
    }
    if !missing.is_empty() {
        let others = interfaces(manage, "bridgedifs")?;
        for network in &missing {
            allowed::check(*network)?;
            check_free(*network, &there, &others)?;
        }
    }
    dhcp::check(manage, lab, &found, |name| {
        records.interfaces().any(|it| it == name)
    })?;
    if !missing.is_empty() {
        let mut new = Vec::new();
        for network in missing {
            new.push((network, make(manage, network)?));
        }
        dhcp::check(manage, lab, &new, |_| true)?;
        found.extend(new);
    }
    let attached = found
        .into_iter()
        .map(|(network, name)| (network, Attachment::Interface(name)));
    Ok(Networks(attached.collect()))
}

/// Returns how the cards of machines that are there are connected. What is missing of the interfaces is made anew:
/// Linux has none after a restart of the computer.
pub fn restored(manage: &Manage, lab: &Lab) -> Result<Networks, ProviderError> {
    if cfg!(target_os = "macos") {
        // There they stay.
        return Ok(Networks(Vec::new()));
    }
    let there = interfaces(manage, "hostonlyifs")?;
    let found = wanted(lab)?.into_iter().map(|network| {
        let name = with_network(&there, network)?.name.clone();
        Some((network, Attachment::Interface(name)))
    });
    match found.collect() {
        Some(found) => Ok(Networks(found)),
        None => prepare(manage, lab),
    }
}

/// The lab's networks and their interfaces.
#[derive(Clone, Debug)]
pub struct Networks(Vec<(Ipv4Net, Attachment)>);

impl Networks {
    /// Returns what the interface of an address is.
    pub fn attachment(&self, network: IpNet) -> Option<&Attachment> {
        let contains =
            |it: &Ipv4Net| matches!(network.addr(), IpAddr::V4(address) if it.contains(&address));
        self.0
            .iter()
            .find(|(it, _)| contains(it))
            .map(|(_, attachment)| attachment)
    }
}

/// Removes the interfaces that kinstall made and that no machine uses.
pub fn remove_unused(manage: &Manage) -> Result<(), ProviderError> {
    let action = || at_lab("remove host-only networks");
    if cfg!(target_os = "macos") {
        for name in mac_network_names(manage)? {
            if name.starts_with(MAC_NETWORK) && !is_used(manage, &name)? {
                let removed = manage.call(&["hostonlynet", "remove", "--name", &name]);
                removed.map_err(action())?;
            }
        }
        return Ok(());
    }
    let there = interfaces(manage, "hostonlyifs")?;
    let records = records(manage, &there)?;
    for name in records.interfaces() {
        if is_used(manage, name)? {
            continue;
        }
        if records.had_dhcp(name) {
            dhcp::switch(manage, name, "--enable")?;
        }
        manage
            .call(&["hostonlyif", "remove", name])
            .map_err(action())?;
        record::set_interface(manage, name, false)?;
    }
    Ok(())
}

/// Returns whether a card of any machine is connected to an interface or network, whoever made the machine.
fn is_used(manage: &Manage, name: &str) -> Result<bool, ProviderError> {
    let users = manage.call(&["list", "vms", "--long"]);
    let users = users.map_err(at_lab("look for users of host-only networks"))?;
    Ok(users.contains(&format!("'{name}'")))
}

/// Reads what is written down, and brings it up to date: interfaces go with a restart of the computer, and somebody
/// else may make one of that name; and the making of one may have been cut off before it was written down.
fn records(manage: &Manage, there: &[Interface]) -> Result<Records, ProviderError> {
    let records = Records::read(manage)?;
    let mut is_changed = false;
    for name in records.interfaces() {
        if there.iter().all(|it| it.name != name) {
            if records.had_dhcp(name) {
                dhcp::switch(manage, name, "--enable")?;
            }
            record::set_interface(manage, name, false)?;
            is_changed = true;
        }
    }
    if let Some(before) = records.interfaces_before() {
        let unknown: Vec<&Interface> = there
            .iter()
            .filter(|it| !before.contains(&it.name.as_str()))
            .filter(|it| records.interfaces().all(|name| name != it.name))
            .collect();
        // Of several, nobody could tell which one it was.
        if let [interface] = unknown[..]
            && !is_used(manage, &interface.name)?
        {
            let removed = manage.call(&["hostonlyif", "remove", &interface.name]);
            removed.map_err(at_lab("remove a half-made host-only network"))?;
        }
        record::set_interfaces_before(manage, None)?;
        is_changed = true;
    }
    if is_changed {
        Records::read(manage)
    } else {
        Ok(records)
    }
}

/// Returns the lab's networks, each with this computer's address in it.
fn wanted(lab: &Lab) -> Result<Vec<Ipv4Net>, ProviderError> {
    let further = lab.machines.iter().flat_map(|it| &it.spec.networks);
    let mut wanted: Vec<Ipv4Net> = Vec::new();
    for network in std::iter::once(&lab.gateway).chain(further) {
        let IpNet::V4(network) = network else {
            return Err(ProviderError::Obstacle {
                message: format!("host-only network {network}: only IPv4 is made"),
                hints: vec!["give the machines addresses of 192.168.56.0/21".into()],
            });
        };
        if wanted.iter().any(|it| it.contains(&network.addr())) {
            continue;
        }
        let is_gateway = IpNet::V4(*network) == lab.gateway;
        let first = network.hosts().next().unwrap_or(network.addr());
        let address = if is_gateway { network.addr() } else { first };
        wanted.extend(Ipv4Net::new(address, network.prefix_len()));
    }
    for machine in &lab.machines {
        let further = machine.spec.networks.iter().map(IpNet::addr);
        for address in std::iter::once(machine.address).chain(further) {
            if wanted.iter().any(|it| IpAddr::V4(it.addr()) == address) {
                return Err(ProviderError::Obstacle {
                    message: format!(
                        "machine `{}` has address {address}, which is this computer's in that network",
                        machine.name
                    ),
                    hints: vec![
                        "give it another address: the first one of a network is this computer's"
                            .into(),
                    ],
                });
            }
        }
    }
    Ok(wanted)
}

fn interfaces(manage: &Manage, kind: &str) -> Result<Vec<Interface>, ProviderError> {
    let text = manage
        .call(&["list", kind])
        .map_err(at_lab("list networks"))?;
    Ok(parse_interfaces(&text))
}

fn parse_interfaces(text: &str) -> Vec<Interface> {
    let blocks = Block::parse_all(text, "Name");
    let interfaces = blocks.iter().map(|block| {
        let address = block.get("IPAddress").parse().ok();
        let mask = block.get("NetworkMask").parse().ok();
        Interface {
            name: block.get("Name").to_owned(),
            address: address
                .zip(mask)
                .and_then(|(address, mask)| Ipv4Net::with_netmask(address, mask).ok()),
        }
    });
    interfaces.collect()
}

fn with_network(interfaces: &[Interface], network: Ipv4Net) -> Option<&Interface> {
    interfaces.iter().find(|it| it.address == Some(network))
}

fn check_free(
    network: Ipv4Net,
    host_only: &[Interface],
    others: &[Interface],
) -> Result<(), ProviderError> {
    let overlaps = |it: &&Interface| {
        it.address.is_some_and(|address| {
            let real = !address.addr().is_unspecified();
            real && (address.contains(&network)
                || network.contains(&address)
                || address.trunc() == network.trunc())
        })
    };
    let Some(other) = host_only.iter().chain(others).find(overlaps) else {
        return Ok(());
    };
    let address = other.address.unwrap_or_default();
    Err(ProviderError::Obstacle {
        message: format!(
            "the lab's network {} overlaps with that of `{}`, which has {address}",
            network.trunc(),
            other.name
        ),
        hints: vec![
            format!(
                "give the machines addresses that {} doesn't have, such as 192.168.60.0/24",
                other.name
            ),
            format!(
                "if `{}` is a host-only network that nothing uses any more: `VBoxManage hostonlyif remove \"{0}\"`",
                other.name
            ),
        ],
    })
}

fn make(manage: &Manage, network: Ipv4Net) -> Result<String, ProviderError> {
    let action = || at_lab(format!("make a host-only network {}", network.trunc()));
    let before = interfaces(manage, "hostonlyifs")?;
    let names: Vec<&str> = before.iter().map(|it| it.name.as_str()).collect();
    record::set_interfaces_before(manage, Some(&names))?;
    let created = manage.call(&["hostonlyif", "create"]);
    let name = match &created {
        Ok(text) => text.split('\'').nth(1).unwrap_or_default().to_owned(),
        Err(_) => String::new(),
    };
    if !name.is_empty() {
        record::set_interface(manage, &name, true)?;
    }
    record::set_interfaces_before(manage, None)?;
    created.map_err(action())?;
    let (address, mask) = (network.addr().to_string(), network.netmask().to_string());
    let arguments = [
        "hostonlyif",
        "ipconfig",
        &name,
        "--ip",
        &address,
        "--netmask",
        &mask,
    ];
    manage.call(&arguments).map_err(action())?;
    Ok(name)
}

/// macOS has networks in place of interfaces, and no limits for their addresses.
fn mac_networks(manage: &Manage, wanted: &[Ipv4Net]) -> Result<Networks, ProviderError> {
    let there = mac_network_names(manage)?;
    let mut found = Vec::new();
    for network in wanted {
        let name = mac_network_name(*network);
        if !there.contains(&name) {
            let action = at_lab(format!("make a host-only network {}", network.trunc()));
            manage
                .call(&mac_network_arguments(*network))
                .map_err(action)?;
        }
        found.push((*network, Attachment::Network(name)));
    }
    Ok(Networks(found))
}

fn mac_network_names(manage: &Manage) -> Result<Vec<String>, ProviderError> {
    let text = manage
        .call(&["list", "hostonlynets"])
        .map_err(at_lab("list networks"))?;
    let names = Block::parse_all(&text, "Name");
    Ok(names.iter().map(|it| it.get("Name").to_owned()).collect())
}

fn mac_network_name(network: Ipv4Net) -> String {
    format!("{MAC_NETWORK}{}", network.network())
}

/// The range is that of its DHCP server, which can't be left out; this computer has its first address.
fn mac_network_arguments(network: Ipv4Net) -> Vec<String> {
    let address = network.addr().to_string();
    let words = [
        "hostonlynet",
        "add",
        "--name",
        &mac_network_name(network),
        "--netmask",
        &network.netmask().to_string(),
        "--lower-ip",
        &address,
        "--upper-ip",
        &address,
        "--enable",
    ];
    words.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::{check_free, mac_network_arguments, parse_interfaces};

    const LIST: &str = "Name:            vboxnet0\nGUID:            f0000151\nIPAddress:       192.168.56.1\nNetworkMask:     255.255.255.0\nVBoxNetworkName: HostInterfaceNetworking-vboxnet0\n\n\
        Name:            wg0\nIPAddress:       10.1.0.7\nNetworkMask:     255.255.0.0\n\nName:            eth1\nIPAddress:       0.0.0.0\nNetworkMask:     0.0.0.0\n";

    #[test]
    fn networks_that_overlap_are_named() {
        let interfaces = parse_interfaces(LIST);
        let check = |network: &str| check_free(network.parse().unwrap(), &interfaces, &[]);
        assert!(check("192.168.57.1/24").is_ok());
        let message = check("10.1.2.1/24").unwrap_err().to_string();
        insta::assert_snapshot!(message, @"the lab's network 10.1.2.0/24 overlaps with that of `wg0`, which has 10.1.0.7/16");
        assert!(check("192.168.56.2/24").is_err());
        assert!(check("192.168.56.1/21").is_err());
    }

    #[test]
    fn a_network_of_macos_has_this_computers_address_only() {
        let arguments = mac_network_arguments("192.168.56.1/24".parse().unwrap()).join(" ");
        insta::assert_snapshot!(arguments, @"hostonlynet add --name kinstall-192.168.56.0 --netmask 255.255.255.0 --lower-ip 192.168.56.1 --upper-ip 192.168.56.1 --enable");
    }
}
