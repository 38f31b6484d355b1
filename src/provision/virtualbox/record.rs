//! What kinstall writes down in VirtualBox's global extra data, under `kinstall/`.
//!
//! A machine's record is written when its making is done, so one without is unfinished. All records are
//! read by one call.

use serde::{Deserialize, Serialize};

use super::super::{MadeWith, ProviderError};
use super::error::at_lab;
use super::info;
use super::manage::Manage;
use super::uuid::Uuid;

const MACHINE: &str = "kinstall/machine/";
const INTERFACE: &str = "kinstall/hostonly/";
const DHCP_OFF: &str = "made by kinstall; DHCP switched off";
const PENDING: &str = "kinstall/hostonly-before";
const SOURCE: &str = "kinstall/image-source";

/// A finished machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineRecord {
    pub host: String,
    pub made_with: MadeWith,
    /// Hash of the image that it stands on.
    pub master: String,
    /// The user that everybody can log in as until the first contact; `None` where cloud-init sets it up.
    #[serde(default)]
    pub box_user: Option<String>,
    /// Where the guest mounts its shared folders; VirtualBox doesn't tell.
    pub mount_points: Vec<String>,
}

/// All that is written down.
#[derive(Clone, Debug, Default)]
pub struct Records(Vec<(String, String)>);

impl Records {
    pub fn read(manage: &Manage) -> Result<Self, ProviderError> {
        let text = manage
            .call(&["getextradata", "global", "enumerate"])
            .map_err(at_lab("read VirtualBox's extra data"))?;
        Ok(Self(info::extra_data(&text)))
    }

    /// Returns a machine's record; one that isn't understood is none.
    pub fn machine(&self, uuid: Uuid) -> Option<MachineRecord> {
        serde_json::from_str(self.get(&format!("{MACHINE}{uuid}"))?).ok()
    }

    /// Returns whether a machine has a record, be it one that isn't understood.
    pub fn has_machine(&self, uuid: Uuid) -> bool {
        self.get(&format!("{MACHINE}{uuid}")).is_some()
    }

    /// Returns the machines of a lab that have a record.
    pub fn machines_of(&self, lab: &str) -> Vec<Uuid> {
        let uuids = self
            .0
            .iter()
            .filter_map(|(key, _)| key.strip_prefix(MACHINE)?.parse().ok());
        uuids.filter(|it: &Uuid| it.is_in_lab(lab)).collect()
    }

    /// Returns the host-only interfaces that kinstall made.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter_map(|(key, _)| key.strip_prefix(INTERFACE))
    }

    /// Returns whether kinstall switched off the DHCP server that VirtualBox had for an interface.
    pub fn had_dhcp(&self, interface: &str) -> bool {
        self.get(&format!("{INTERFACE}{interface}")) == Some(DHCP_OFF)
    }

    /// Returns the interfaces that were there when the making of another began; `None` where no making was
    /// interrupted.
    pub fn interfaces_before(&self) -> Option<Vec<&str>> {
        Some(self.get(PENDING)?.split('|').collect())
    }

    /// Returns the file of an image that VirtualBox may still have in its list of disks.
    pub fn source(&self) -> Option<&str> {
        self.get(SOURCE)
    }

    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(it, _)| it == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// Writes a machine's record, or removes it.
pub fn set_machine(
    manage: &Manage,
    uuid: Uuid,
    record: Option<&MachineRecord>,
) -> Result<(), ProviderError> {
    let value = record.map(|it| serde_json::to_string(it).unwrap_or_default());
    set(manage, &format!("{MACHINE}{uuid}"), value.as_deref())
}

/// Writes down that kinstall made an interface, or forgets it.
pub fn set_interface(manage: &Manage, name: &str, is_ours: bool) -> Result<(), ProviderError> {
    let value = is_ours.then_some("made by kinstall");
    set(manage, &format!("{INTERFACE}{name}"), value)
}

/// Writes down that the DHCP server of an interface that kinstall made is switched off.
pub fn set_dhcp_off(manage: &Manage, name: &str) -> Result<(), ProviderError> {
    set(manage, &format!("{INTERFACE}{name}"), Some(DHCP_OFF))
}

/// Writes down which interfaces there are, before another is made.
pub fn set_interfaces_before(manage: &Manage, names: Option<&[&str]>) -> Result<(), ProviderError> {
    // A value that is empty would remove the key.
    let value = names.map(|names| format!("|{}", names.join("|")));
    set(manage, PENDING, value.as_deref())
}

/// Writes down which file VirtualBox is about to enter in its list of disks, or forgets it.
pub fn set_source(manage: &Manage, disk: Option<&str>) -> Result<(), ProviderError> {
    set(manage, SOURCE, disk)
}

fn set(manage: &Manage, key: &str, value: Option<&str>) -> Result<(), ProviderError> {
    let mut arguments = vec!["setextradata", "global", key];
    arguments.extend(value);
    let action = "write VirtualBox's extra data";
    manage.call(&arguments).map(drop).map_err(at_lab(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_release_0_1_0_is_read() {
        let text = include_str!("../../../tests/fixtures/0.1.0/virtualbox-machine.json");
        let record: MachineRecord = serde_json::from_str(text).unwrap();
        assert_eq!(record.box_user.as_deref(), Some("vagrant"));
    }
}
