//! What cloud-init sets up: keys, user, disk, time zone, package sources, shared folders.
//!
//! Nothing is installed or upgraded: a first boot is to be quick, and may have no way out.

use serde_json::{Value, json};

use super::{SharedFolders, folder_name};
use crate::model::SharedFolder;
use crate::provision::{Lab, Machine};

/// Returns the document without its first line.
pub fn of(lab: &Lab, machine: &Machine, folders: SharedFolders) -> Value {
    let shared = &machine.spec.shared_folders;
    let own_name = format!("{} {}\n", machine.address, machine.name);
    let mut files = vec![added("/etc/hosts", &own_name)];
    if !shared.is_empty() {
        let mounts: String = mounts(shared, folders).collect();
        files.push(added("/etc/fstab", &mounts));
    }
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
        "write_files": files,
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
    if !shared.is_empty() {
        document["runcmd"] = shared.iter().flat_map(mount).collect();
    }
    document
}

fn added(path: &str, lines: &str) -> Value {
    json!({ "path": path, "append": true, "content": lines })
}

/// Lines of `/etc/fstab`: cloud-init's own `mounts` knows only devices.
fn mounts(shared: &[SharedFolder], folders: SharedFolders) -> impl Iterator<Item = String> {
    shared.iter().enumerate().map(move |(index, folder)| {
        let (name, guest) = (folder_name(index), escaped(&folder.guest));
        let (kind, options) = match folders {
            SharedFolders::Vboxsf => ("vboxsf", "nofail"),
            SharedFolders::NineP => ("9p", "nofail,trans=virtio,version=9p2000.L,msize=262144"),
        };
        format!("{name} {guest} {kind} {options} 0 0\n")
    })
}

/// Mounts at the first boot, before which systemd read the table. A folder that can't be mounted is
/// no reason for the machine to fail.
fn mount(folder: &SharedFolder) -> [Value; 2] {
    [
        json!(["mkdir", "-p", folder.guest]),
        json!(["sh", "-c", "mount \"$1\" || true", "sh", folder.guest]),
    ]
}

/// Blanks and backslashes as `/etc/fstab` wants them.
fn escaped(path: &str) -> String {
    path.replace('\\', "\\134")
        .replace(' ', "\\040")
        .replace('\t', "\\011")
}
