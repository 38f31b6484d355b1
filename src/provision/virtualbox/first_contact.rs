//! The way into a box before it has its address: a port of this computer, for as long as that takes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::super::{FirstContact, Lab, Machine, ProviderError};
use super::error::at_machine;
use super::found;
use super::manage::Manage;
use super::record::Records;
use super::uuid::Uuid;

/// Name of the NAT's rule.
const RULE: &str = "kinstall-first-contact";

/// Opens the way into a running machine; `None` where cloud-init sets it up.
pub fn open(
    manage: &Manage,
    lab: &Lab,
    machine: &Machine,
) -> Result<Option<FirstContact>, ProviderError> {
    let uuid = Uuid::of_machine(&lab.id, &machine.name);
    let record = Records::read(manage)?.machine(uuid);
    let Some(user) = record.and_then(|it| it.box_user) else {
        return Ok(None);
    };
    // The port of an interrupted run may be another program's by now.
    close(manage, lab, machine)?;
    let failed = || at_machine("make a way into", &machine.name);
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    let address: SocketAddr = free.map_err(|error| ProviderError::Machine {
        action: "find a free port for",
        machine: machine.name.clone(),
        detail: error.to_string(),
    })?;
    let rule = format!("{RULE},tcp,{},{},,22", address.ip(), address.port());
    manage
        .change(uuid, &["controlvm", &uuid.to_string(), "natpf1", &rule])
        .map_err(failed())?;
    Ok(Some(FirstContact { address, user }))
}

/// Closes it again, where it is open.
pub fn close(manage: &Manage, lab: &Lab, machine: &Machine) -> Result<(), ProviderError> {
    let uuid = Uuid::of_machine(&lab.id, &machine.name);
    let failed = || at_machine("close the way into", &machine.name);
    let info = found::machine(manage, uuid)
        .map_err(failed())?
        .unwrap_or_default();
    let is_rule = |(_, rule): (&str, &str)| rule.split(',').next() == Some(RULE);
    if !info.starting_with("Forwarding(").any(is_rule) {
        return Ok(());
    }
    let arguments = ["controlvm", &uuid.to_string(), "natpf1", "delete", RULE];
    manage.change(uuid, &arguments).map(drop).map_err(failed())
}
