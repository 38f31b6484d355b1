//! How to log in to a host: Ansible's connection variables, all ages of them.

use std::net::IpAddr;
use std::path::PathBuf;

use super::super::{Become, Connection, JumpHost, Method};
use super::home::expand_home;
use super::ssh_arguments::{self, SshArguments};
use super::{Reader, boolean};
use crate::inventory::Host;

/// Names of a setting, the one that wins first.
pub(super) const HOST: [&str; 2] = ["ansible_host", "ansible_ssh_host"];
const PORT: [&str; 2] = ["ansible_port", "ansible_ssh_port"];
const USER: [&str; 2] = ["ansible_user", "ansible_ssh_user"];
const KEY: [&str; 2] = ["ansible_ssh_private_key_file", "ansible_private_key_file"];
const PASSWORD: [&str; 3] = [
    "ansible_password",
    "ansible_ssh_password",
    "ansible_ssh_pass",
];
const BECOME_PASSWORD: [&str; 3] = [
    "ansible_become_password",
    "ansible_become_pass",
    "ansible_sudo_pass",
];

/// Reads the connection of a host; `bastion` is used where the host names no jump host itself.
pub(super) fn connection(
    reader: &mut Reader<'_>,
    inventory_host: &Host,
    address: Option<IpAddr>,
    bastion: Option<&JumpHost>,
) -> Connection {
    let method = method(reader);
    let arguments = arguments(reader);
    let named = reader.text(&HOST).map(|text| text.value);
    let fallback = address.filter(|_| named.is_none());
    let (user_of_host, host) = user_and_host(named.as_ref().unwrap_or(&inventory_host.name));
    let behind = |bastion: &JumpHost| vec![bastion.clone()];
    Connection {
        method,
        host: host.to_owned(),
        fallback,
        port: port(reader).or(arguments.port),
        user: reader
            .text(&USER)
            .map(|text| text.value)
            .or(arguments.user)
            .or(user_of_host.map(str::to_owned)),
        private_key: key(reader).or(arguments.private_key),
        password: reader.secret(&PASSWORD),
        escalation: escalation(reader),
        jump: arguments.jump.or_else(|| bastion.map(behind)),
        configuration: arguments.configuration,
    }
}

/// Reads the host of the group `bastion`.
pub(super) fn bastion(reader: &mut Reader<'_>, host: &Host) -> JumpHost {
    let address = reader.text(&HOST).or_else(|| reader.text(&["ip"]));
    let address = address.map_or_else(|| host.name.clone(), |text| text.value);
    let (user_of_host, address) = user_and_host(&address);
    JumpHost {
        user: reader
            .text(&USER)
            .map(|text| text.value)
            .or(user_of_host.map(str::to_owned)),
        host: address.to_owned(),
        port: port(reader),
        private_key: key(reader),
        password: reader.secret(&PASSWORD),
    }
}

/// Splits `user@host`, as ssh takes it.
fn user_and_host(text: &str) -> (Option<&str>, &str) {
    match text.trim().rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, text.trim()),
    }
}

fn port(reader: &mut Reader<'_>) -> Option<u16> {
    let port = reader.parsed::<std::num::NonZeroU16>(&PORT, "a port (1-65535)")?;
    Some(port.value.get())
}

fn key(reader: &mut Reader<'_>) -> Option<PathBuf> {
    reader.text(&KEY).map(|text| expand_home(&text.value))
}

fn method(reader: &mut Reader<'_>) -> Method {
    let Some(connection) = reader.text(&["ansible_connection"]) else {
        return Method::Ssh;
    };
    let plain = connection.value.trim_start_matches("ansible.builtin.");
    match (plain, &connection.location) {
        ("local", _) => return Method::Local,
        ("ssh" | "paramiko" | "paramiko_ssh" | "smart", _) | (_, None) => {}
        (_, Some(location)) => reader.error(
            location,
            format!("connection `{}` is not supported", connection.value),
            "must be ssh or local",
            "remove it; kinstall connects over SSH",
        ),
    }
    Method::Ssh
}

fn arguments(reader: &mut Reader<'_>) -> SshArguments {
    let mut result = SshArguments::default();
    for name in ["ansible_ssh_common_args", "ansible_ssh_extra_args"] {
        let Some(text) = reader.text(&[name]) else {
            continue;
        };
        let Some(location) = &text.location else {
            continue;
        };
        let arguments = match ssh_arguments::parse(&text.value) {
            Ok(arguments) => arguments,
            Err(reason) => {
                reader.error(
                    location,
                    format!("`{name}` can't be followed: {reason}"),
                    "OpenSSH options",
                    "jump hosts are written `-J [user@]host[:port]`",
                );
                continue;
            }
        };
        if !arguments.unsafe_options.is_empty() {
            reader.warning(
                location,
                format!(
                    "host keys are checked all the same: `{}`",
                    arguments.unsafe_options.join("`, `")
                ),
                "without effect",
                "kinstall keeps its own known_hosts for each lab; you can remove these options",
            );
        }
        if !arguments.ignored.is_empty() {
            reader.warning(
                location,
                format!("kinstall ignores `{}`", arguments.ignored.join("`, `")),
                "without effect",
                "kinstall speaks SSH itself; it follows jump hosts, key, user and port",
            );
        }
        result.jump = arguments.jump.or(result.jump);
        result.user = arguments.user.or(result.user);
        result.port = arguments.port.or(result.port);
        result.private_key = arguments.private_key.or(result.private_key);
        result.configuration = arguments.configuration.or(result.configuration);
    }
    result
}

fn escalation(reader: &mut Reader<'_>) -> Become {
    for (name, only) in [
        ("ansible_become_method", "sudo"),
        ("ansible_become_user", "root"),
    ] {
        if let Some(text) = reader.text(&[name])
            && let Some(location) = &text.location
            && text.value != only
        {
            reader.error(
                location,
                format!("`{name}` must be `{only}`, not `{}`", text.value),
                "not supported",
                "remove it",
            );
        }
    }
    let password = reader.secret(&BECOME_PASSWORD);
    let is_off = reader
        .value("ansible_become")
        .is_some_and(|value| boolean(&value) == Some(false));
    match password {
        _ if is_off => Become::No,
        Some(password) => Become::SudoWithPassword(password),
        None => Become::Sudo,
    }
}
