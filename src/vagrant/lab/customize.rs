//! `vb.customize [...]`: arguments of VBoxManage.

use std::rc::Rc;

use super::Placed;
use super::read::Reader;
use super::size_of_provider::Sizes;
use crate::diagnostic::Location;
use crate::vagrant::evaluate::value::Value;

impl Reader<'_> {
    /// Reads one call of VBoxManage.
    pub fn customize(&mut self, arguments: &[Value], place: &Location, sizes: &mut Sizes) {
        let Some(Value::List(items)) = arguments.first() else {
            self.left_out(place, "this call of VBoxManage is not followed");
            return;
        };
        let items = items.borrow();
        let command = items.first().and_then(Value::as_text).unwrap_or_default();
        match &*command {
            "modifyvm" => self.modify(&items, place, sizes),
            "createhd" | "createmedium" => {
                let size = options(&items).find(|(name, _)| &**name == "--size");
                match size {
                    Some((_, size)) => {
                        let disk = self.disk(size, place, "machine_extra_disks", 1);
                        sizes.extra_disks.extend(disk);
                    }
                    None => self.fill_in(place, "machine_extra_disks", "the disk has no size"),
                }
            }
            "storageattach" => {
                let medium = options(&items).find(|(name, _)| &**name == "--type");
                let is_disk =
                    medium.is_some_and(|(_, kind)| kind.as_text().as_deref() == Some("hdd"));
                if !is_disk || sizes.extra_disks.is_empty() {
                    self.left_out(place, "only disks that this file makes are attached");
                }
            }
            "storagectl" => self.left_out(place, "not needed: kinstall attaches disks itself"),
            _ => self.left_out(
                place,
                format!("`VBoxManage {command}`: kinstall has no setting for it"),
            ),
        }
    }

    fn modify(&mut self, items: &[Value], place: &Location, sizes: &mut Sizes) {
        for (name, value) in options(items) {
            let placed = || Placed {
                value: value.clone(),
                place: place.clone(),
            };
            match &*name {
                "--memory" => sizes.memory = Some(placed()),
                "--cpus" => sizes.cpus = Some(placed()),
                _ => self.left_out(place, format!("`{name}`: {}", explain(&name))),
            }
        }
    }
}

/// Pairs options with their values.
fn options(items: &[Value]) -> impl Iterator<Item = (Rc<str>, &Value)> {
    items.windows(2).filter_map(|pair| {
        let name = pair[0].as_text().filter(|it| it.starts_with("--"))?;
        let is_option = pair[1].as_text().is_some_and(|it| it.starts_with("--"));
        (!is_option).then_some((name, &pair[1]))
    })
}

fn explain(option: &str) -> &'static str {
    let option = option.trim_end_matches(|it: char| it.is_ascii_digit());
    match option {
        "--natdnshostresolver" | "--natdnsproxy" => {
            "not needed: kinstall sets up name resolution of its machines"
        }
        "--name" | "--groups" | "--description" => "not needed: kinstall names machines itself",
        "--nested-hw-virt" | "--nestedpaging" | "--hwvirtex" | "--paravirtprovider" => {
            "not needed: kinstall asks for what the processor can do"
        }
        "--nic" | "--nictype" | "--cableconnected" | "--nicpromisc" | "--hostonlyadapter"
        | "--macaddress" | "--natnet" | "--nat-network" => {
            "not needed: kinstall makes the networks from the addresses"
        }
        "--cpuexecutioncap" => "kinstall does not slow processors down",
        _ => "not needed: kinstall chooses the hardware",
    }
}
