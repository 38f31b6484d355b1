//! Settings that have no place in the inventory: what replaces each of them.

/// Explains a setting of `config`, by its path: `vm.box_version`.
pub(super) fn configuration(path: &str) -> String {
    let text = match path {
        "vm.box_version" => {
            "kinstall pins the image of every box name; write another `machine_image` for another one"
        }
        "hostmanager.aliases" | "hostsupdater.aliases" | "goodhosts.aliases" => {
            "kinstall has no further names of machines"
        }
        "vm.box_check_update"
        | "vm.box_download_checksum"
        | "vm.box_download_checksum_type"
        | "vm.box_download_insecure"
        | "vm.box_architecture" => "not needed: images are pinned and checked",
        "vm.box_url" => {
            "the box's name is taken; a URL that leads to an image could be `machine_image`"
        }
        "vm.boot_timeout" | "vm.graceful_halt_timeout" => {
            "not needed: kinstall waits until a machine answers, and says why it doesn't"
        }
        "vm.guest"
        | "vm.communicator"
        | "vm.base_mac"
        | "vm.base_address"
        | "vm.allow_hosts_modification"
        | "vm.allow_fstab_modification"
        | "vm.allowed_synced_folder_types"
        | "vm.usable_port_range"
        | "vm.ignore_box_vagrantfile"
        | "vm.cloud_init" => "not needed: kinstall sets machines up by cloud-init",
        "vm.post_up_message" => "not needed: `kinstall up` ends with what to do next",
        "ssh.insert_key"
        | "ssh.private_key_path"
        | "ssh.username"
        | "ssh.password"
        | "ssh.verify_host_key"
        | "ssh.keys_only" => {
            "not needed: kinstall makes the user, the keys and the host keys itself"
        }
        _ => match path.split('.').next().unwrap_or_default() {
            "hostmanager" | "hostsupdater" | "goodhosts" | "landrush" | "dns" => {
                "not needed: nodes know each other by name; `kinstall hosts --write` puts the names into this computer's hosts file"
            }
            "vbguest" => "not needed: kinstall uses no guest additions",
            "disksize" => "only the size of the first disk is known",
            "vagrant" => "not needed: kinstall has no plugins",
            "cache" => "not needed: everything comes out of the bundle",
            "trigger" => "not run: kinstall has no triggers",
            "ssh" => "not needed: `kinstall ssh-config` prints the settings of OpenSSH",
            "winrm" => "kinstall has no Windows machines",
            "proxy" | "apt_proxy" | "yum_proxy" => {
                "`machine_proxy` sets a proxy for HTTP and HTTPS"
            }
            "timezone" => "`machine_time_zone` takes the name of a time zone",
            "nfs" | "bindfs" | "sshfs" | "gatling" => "kinstall shares folders in its own way",
            _ => "kinstall has no such setting",
        },
    };
    format!("{path}: {text}")
}

/// Explains a setting of a provider: `gui`.
pub(super) fn provider(name: &str) -> String {
    let text = match name {
        "name" | "hostname" | "title" | "description" | "default_prefix" => {
            "not needed: kinstall names machines itself"
        }
        "gui" => "not needed: machines have no window; `kinstall console NODE` shows their console",
        "linked_clone" | "linked_clone_snapshot" | "clone_directory" => {
            "not needed: machines are linked clones always"
        }
        "check_guest_additions"
        | "functional_vboxsf"
        | "update_guest_tools"
        | "check_guest_tools" => "not needed: kinstall uses no guest additions",
        "destroy_unused_network_interfaces" => "not needed: `kinstall down` removes what it made",
        "maxmemory" => "kinstall gives a machine all its memory",
        _ => "not needed: kinstall chooses the hardware",
    };
    format!("{name}: {text}")
}
