//! Boxes without cloud-init: everybody can log in to them, until this was done.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{run_as_root, unwritable};
use crate::diagnostic::{Diagnostic, Kind};
use crate::private_file;
use crate::provision::{FirstContact, INSECURE_KEYS, Lab, Machine, Macs, plan};
use crate::secret::Secret;
use crate::ssh::{Jumps, KnownHosts, Policy, Target, UserKeys, wait_for};

/// Gives a machine its name, address, host key and user, and takes everybody's key away.
///
/// The host key that is shown here isn't known and isn't kept: the way leads over loopback, and the
/// script replaces the key.
pub async fn make(
    target: &Target,
    contact: &FirstContact,
    folder: &Path,
    input: &Secret,
    patience: Duration,
) -> Result<(), Diagnostic> {
    let result = configure(target, contact, folder, input, patience).await;
    // Nothing secret is in it; the next attempt makes it again.
    let _ = fs::remove_dir_all(folder);
    result
}

async fn configure(
    target: &Target,
    contact: &FirstContact,
    folder: &Path,
    input: &Secret,
    patience: Duration,
) -> Result<(), Diagnostic> {
    for (name, key) in INSECURE_KEYS {
        let path = folder.join(name);
        private_file::write(&path, key.as_bytes())
            .map_err(|error| unwritable(&path, &error).remove(0))?;
    }
    let mut box_target = target.clone();
    box_target.connection.host = contact.address.ip().to_string();
    box_target.connection.port = Some(contact.address.port());
    box_target.connection.user = Some(contact.user.clone());
    box_target.known_hosts = KnownHosts::new(folder.join("known_hosts"), Policy::AcceptNew);
    box_target.user_keys = UserKeys {
        agent: None,
        folder: Some(folder.to_owned()),
    };
    box_target.dial = None;
    box_target.configuration = None;
    box_target.jumps = Jumps::default();
    let name = &target.name;
    let finished = async {
        let session = wait_for(&box_target, patience).await?;
        run_as_root(&session, input).await
    };
    let finished = finished.await.map_err(|error| error.diagnostic(name))?;
    if String::from_utf8_lossy(&finished.stdout).contains("kinstall-done") {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&finished.stderr);
    let message = format!("{name}: the box couldn't be set up: {}", said.trim());
    Err(Diagnostic::error(Kind::Environment, message))
}

/// Returns the script behind its variables.
pub fn input(lab: &Lab, machine: &Machine, login: &str) -> Secret {
    let macs = Macs::of(lab);
    let addresses = plan::made_with(lab, machine).addresses;
    let in_networks = macs.of_machine(&machine.name).iter().skip(1);
    let cards: Vec<String> = in_networks
        .zip(addresses)
        .map(|(mac, address)| format!("{mac} {address}"))
        .collect();
    let mut input = String::new();
    for (name, value) in [
        ("name", machine.name.as_str()),
        ("address", &machine.address.to_string()),
        ("user", &lab.user),
        ("authorized_key", &lab.authorized_key),
        ("host_key", machine.host_key.expose().trim_end()),
        (
            "time_zone",
            lab.defaults.time_zone.as_deref().unwrap_or_default(),
        ),
        ("proxy", lab.defaults.proxy.as_deref().unwrap_or_default()),
        (
            "mirror",
            lab.defaults.package_mirror.as_deref().unwrap_or_default(),
        ),
        ("login", login),
        ("cards", &cards.join("\n")),
    ] {
        let _ = writeln!(input, "{name}='{}'", value.replace('\'', r"'\''"));
    }
    input.push_str(include_str!("first_contact.sh"));
    Secret::new(input)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn the_scripts_are_shell() {
        for script in ["first_contact.sh", "mounts.sh", "readiness.sh"] {
            let path = format!(
                "{}/src/install/first_boot/{script}",
                env!("CARGO_MANIFEST_DIR")
            );
            let check = Command::new("sh").args(["-n", &path]).output().unwrap();
            assert!(check.status.success(), "{check:?}");
        }
    }
}
