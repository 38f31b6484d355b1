//! First boot: what cloud-init's NoCloud data source reads from a small disk labelled `cidata`.
//!
//! <https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html>
//!
//! The documents are JSON, which is YAML as well. Further disks of a machine stay as they are, without
//! a file system: they are there for what wants whole disks.

#[cfg(test)]
pub(super) mod fixture;
mod iso;
mod network;
mod user_data;

use std::path::Path;

use serde_json::{Value, json};

use super::{Lab, Machine, Macs, ProviderError};
use crate::private_file;
use crate::resource::Sha256;
use crate::secret::Secret;

/// What one machine finds at its first boot.
#[derive(Clone, Debug)]
pub struct Seed {
    meta_data: String,
    /// Holds the machine's private host key.
    user_data: Secret,
    network_config: String,
}

impl Seed {
    /// Writes the documents for a machine of the lab.
    pub fn of(lab: &Lab, machine: &Machine, macs: &Macs) -> Self {
        let user_data = user_data::of(lab, machine);
        let meta_data = json!({
            "instance-id": instance_id(lab, machine),
            "local-hostname": machine.name,
        });
        Self {
            meta_data: text(&meta_data),
            user_data: Secret::new(format!("#cloud-config\n{}", text(&user_data))),
            network_config: text(&network::of(lab, machine, macs.of_machine(&machine.name))),
        }
    }

    /// Returns which machine it is.
    pub fn meta_data(&self) -> &str {
        &self.meta_data
    }

    /// Returns what is set up.
    pub fn user_data(&self) -> &Secret {
        &self.user_data
    }

    /// Returns the addresses, as netplan takes them.
    pub fn network_config(&self) -> &str {
        &self.network_config
    }

    /// Returns the disk: an ISO 9660 image. It holds the private host key.
    pub fn image(&self) -> Vec<u8> {
        iso::image(
            "cidata",
            &[
                ("meta-data", self.meta_data.as_bytes()),
                ("network-config", self.network_config.as_bytes()),
                ("user-data", self.user_data.expose().as_bytes()),
            ],
        )
    }

    /// Writes the disk to a file that only its owner may read.
    pub fn write(&self, path: &Path) -> Result<(), ProviderError> {
        private_file::write(path, &self.image()).map_err(ProviderError::file("write", path))
    }
}

/// A machine that is made again has another host key, and so is another instance.
fn instance_id(lab: &Lab, machine: &Machine) -> String {
    let seed = format!("{}/{}/{}", lab.id, machine.name, machine.host_key.expose());
    let seed = Secret::new(seed);
    let hash = Sha256::of(seed.expose().as_bytes()).to_string();
    format!("kinstall-{}", &hash[..16])
}

fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Seed, fixture};
    use crate::provision::Macs;

    fn seed() -> Seed {
        let lab = fixture::lab();
        Seed::of(&lab, &lab.machines[0], &Macs::of(&lab))
    }

    #[test]
    fn the_documents() {
        let seed = seed();
        let all = [
            seed.meta_data(),
            seed.user_data().expose(),
            seed.network_config(),
        ];
        insta::assert_snapshot!(all.join("---\n"));
    }

    #[test]
    fn a_bare_machine() {
        let lab = fixture::lab();
        let seed = Seed::of(&lab, &lab.machines[1], &Macs::of(&lab));
        let all = [
            seed.meta_data(),
            seed.user_data().expose(),
            seed.network_config(),
        ];
        insta::assert_snapshot!(all.join("---\n"));
    }

    #[test]
    fn a_machine_that_is_made_again_is_another_instance() {
        let mut lab = fixture::lab();
        lab.machines[0].host_key = crate::secret::Secret::new("another");
        let again = Seed::of(&lab, &lab.machines[0], &Macs::of(&lab));
        assert_ne!(again.meta_data(), seed().meta_data());
    }

    #[test]
    fn only_its_owner_may_read_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node1/seed.iso");
        seed().write(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{:?}", seed()).contains("PRIVATE"));
    }
}
