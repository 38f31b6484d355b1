//! A lab for tests.

use crate::model::{MachineDefaults, MachineSpec, SharedFolder};
use crate::provision::{Lab, Machine};
use crate::secret::Secret;

/// Two machines: one with everything, one with nothing special.
pub fn lab() -> Lab {
    let bare = MachineSpec {
        cpus: 2,
        memory_mib: 2048,
        disk_gib: 20,
        image: "debian-12".to_owned(),
        extra_disks_gib: Vec::new(),
        networks: Vec::new(),
        forwarded_ports: Vec::new(),
        shared_folders: Vec::new(),
    };
    let full = MachineSpec {
        networks: vec!["192.168.57.11/24".parse().unwrap()],
        shared_folders: vec![SharedFolder {
            host: "/home/me/data".into(),
            guest: "/srv/my data".to_owned(),
        }],
        ..bare.clone()
    };
    let machine = |name: &str, address: &str, spec| Machine {
        name: name.to_owned(),
        address: address.parse().unwrap(),
        spec,
        host_key: Secret::new(format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\nkey of {name}\n-----END OPENSSH PRIVATE KEY-----\n"
        )),
    };
    Lab {
        id: "course-1a2b".to_owned(),
        cluster: "course".to_owned(),
        directory: "/tmp/labs/course-1a2b".into(),
        gateway: "192.168.56.1/24".parse().unwrap(),
        user: "kinstall".to_owned(),
        authorized_key: "ssh-ed25519 AAAA kinstall".to_owned(),
        machines: vec![
            machine("node1", "192.168.56.11", full),
            machine("node2", "192.168.56.12", bare),
        ],
        inventory_folder: std::path::PathBuf::new(),
        egress: true,
        defaults: MachineDefaults {
            time_zone: Some("Europe/Berlin".to_owned()),
            proxy: Some("http://192.168.56.1:3142".to_owned()),
            package_mirror: Some("http://mirror.example/debian".to_owned()),
        },
        forwards: Vec::new(),
    }
}
