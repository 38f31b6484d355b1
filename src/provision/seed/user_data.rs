//! What cloud-init sets up: keys, user, disk, time zone, package sources.
//!
//! Nothing is installed or upgraded: a first boot is to be quick, and may have no way out.

use serde_json::{Value, json};

use crate::provision::{Lab, Machine};

/// Returns the document without its first line.
pub fn of(lab: &Lab, machine: &Machine) -> Value {
    let own_name = format!("{} {}\n", machine.address, machine.name);
    let mut document = json!({
        "hostname": machine.name,
        // Some images write the file anew at each boot, and with it drop the lines of the cluster.
        "manage_etc_hosts": false,
        "users": [{
            "name": lab.user,
            "shell": "/bin/bash",
            "sudo": "ALL=(ALL) NOPASSWD:ALL",
            "lock_passwd": true,
            "ssh_authorized_keys": [lab.authorized_key],
        }],
        "disable_root": true,
        "ssh_pwauth": false,
        "ssh_deletekeys": true,
        // The schema allows no empty list.
        "ssh_genkeytypes": ["ed25519"],
        // cloud-init derives the public half.
        "ssh_keys": { "ed25519_private": machine.host_key.expose() },
        "growpart": { "mode": "auto", "devices": ["/"] },
        "resize_rootfs": true,
        "package_update": false,
        "package_upgrade": false,
        "write_files": [{ "path": "/etc/hosts", "append": true, "content": own_name }],
    });
    if let Some(zone) = &lab.defaults.time_zone {
        document["timezone"] = json!(zone);
    }
    if let Some(mirror) = &lab.defaults.package_mirror {
        document["apt"]["primary"] = json!([{ "arches": ["default"], "uri": mirror }]);
    }
    if let Some(proxy) = &lab.defaults.proxy {
        document["apt"]["proxy"] = json!(proxy);
    }
    document
}
