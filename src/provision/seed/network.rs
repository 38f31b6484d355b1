//! The addresses of a machine, as netplan (and cloud-init in its place) takes them.

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use crate::provision::plan::made_with;
use crate::provision::{Lab, Mac, Machine};

/// The first card leads out and asks for its address; the others have theirs, and no gateway.
///
/// Cards get names that no kernel gives: those of the kernel depend on the order in which it finds
/// them, and not all that reads this document can do without a name.
pub fn of(lab: &Lab, machine: &Machine, macs: &[Mac]) -> Value {
    let mut cards = Map::new();
    let addresses: Vec<IpNet> = made_with(lab, machine).addresses;
    for (index, mac) in macs.iter().enumerate() {
        let name = name(index);
        let mut card = json!({
            "match": { "macaddress": mac.to_string() },
            "set-name": &name,
        });
        match index.checked_sub(1).map(|index| addresses[index]) {
            // Linked clones have the same machine id at their first boot, and so the same DHCP id.
            None => {
                card["dhcp4"] = json!(true);
                card["dhcp-identifier"] = json!("mac");
            }
            Some(address) => {
                card["dhcp4"] = json!(false);
                card["addresses"] = json!([address.to_string()]);
                // The boot waits for the way out, not for a network that may be down.
                card["optional"] = json!(true);
            }
        }
        cards.insert(name, card);
    }
    json!({ "version": 2, "ethernets": cards })
}

/// Returns what a card is called on the machine: `nat0`, `lab0`, then `lab1` and on.
pub fn name(card: usize) -> String {
    match card.checked_sub(1) {
        None => "nat0".to_owned(),
        Some(network) => format!("lab{network}"),
    }
}
