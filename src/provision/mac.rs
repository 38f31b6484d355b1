//! MAC addresses of network cards: the same ones every time, so that they can be told apart by them.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest, Sha256};

use super::Lab;

/// The part of the address space that VirtualBox gives its cards; QEMU doesn't mind.
const VENDOR: [u8; 3] = [0x08, 0x00, 0x27];

/// Address of a network card. Shown with colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

/// The addresses of all network cards of a lab.
#[derive(Clone, Debug)]
pub struct Macs {
    machines: Vec<(String, Vec<Mac>)>,
}

impl Macs {
    /// Derives the addresses from the lab's id and the machines' names; no two are equal.
    ///
    /// Each machine has a card that leads out (NAT), one in the lab network, and one for each further
    /// network.
    pub fn of(lab: &Lab) -> Self {
        let mut taken = BTreeSet::new();
        let machines = lab.machines.iter().map(|machine| {
            let cards = 2 + machine.spec.networks.len();
            let macs = (0..cards).map(|card| free(&lab.id, &machine.name, card, &mut taken));
            (machine.name.clone(), macs.collect())
        });
        Self {
            machines: machines.collect(),
        }
    }

    /// Returns a machine's addresses in the order of its cards; none for one that the lab doesn't have.
    pub fn of_machine(&self, name: &str) -> &[Mac] {
        let found = self.machines.iter().find(|(machine, _)| machine == name);
        found.map_or(&[], |(_, macs)| macs)
    }
}

impl Mac {
    /// Returns the address without colons, as `VBoxManage` takes and shows it.
    pub fn digits(self) -> String {
        self.0.map(|byte| format!("{byte:02X}")).concat()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.map(|byte| format!("{byte:02x}")).join(":"))
    }
}

/// Derives an address; another one for as long as it is taken.
fn free(lab: &str, machine: &str, card: usize, taken: &mut BTreeSet<Mac>) -> Mac {
    let mut attempt = 0;
    loop {
        let mac = derive(&format!("{lab}/{machine}/{card}/{attempt}"));
        if taken.insert(mac) {
            return mac;
        }
        attempt += 1;
    }
}

fn derive(seed: &str) -> Mac {
    let hash = Sha256::digest(seed);
    let [a, b, c] = VENDOR;
    Mac([a, b, c, hash[0], hash[1], hash[2]])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Macs, derive, free};
    use crate::provision::seed::fixture;

    #[test]
    fn addresses_stay_the_same() {
        let lab = fixture::lab();
        let macs = Macs::of(&lab);
        let shown: Vec<String> = macs
            .of_machine("node1")
            .iter()
            .map(ToString::to_string)
            .collect();
        insta::assert_snapshot!(shown.join(" "), @"08:00:27:66:c5:bb 08:00:27:e8:b7:bc 08:00:27:f0:57:7b");
        assert_eq!(macs.of_machine("node1")[0].digits().len(), 12);
        assert!(macs.of_machine("node9").is_empty());
    }

    #[test]
    fn a_taken_address_is_left_alone() {
        let mut taken = BTreeSet::from([derive("lab/node1/0/0")]);
        let mac = free("lab", "node1", 0, &mut taken);
        assert_eq!(mac, derive("lab/node1/0/1"));
    }
}
