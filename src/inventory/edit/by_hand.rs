//! What the user writes where kinstall can't.

use super::NewHost;
use crate::diagnostic::Diagnostic;
use crate::inventory::Inventory;

/// Says what to add for a host, as in an INI inventory.
pub(super) fn added(host: &NewHost, groups: &[&str]) -> String {
    let sections: Vec<String> = groups.iter().map(|group| format!("[{group}]")).collect();
    format!(
        "add the host by hand, to {}, and run `kinstall up`: {}",
        sections.join(" and "),
        line(host)
    )
}

/// Says what to write in the place of another host.
pub(super) fn replaced(old: &str, new: &NewHost) -> String {
    format!(
        "write the new host by hand in the place of {old}, and run `kinstall up`: {}",
        line(new)
    )
}

/// Says where hosts are named, for them to be deleted.
pub(super) fn removed(inventory: &Inventory, names: &[&str], why: &str) -> Diagnostic {
    let groups = inventory.groups.values().flat_map(|group| &group.hosts);
    let mentions = groups.filter(|host| names.contains(&host.name.as_str()));
    let mut places: Vec<String> = mentions
        .map(|host| {
            let (path, line) = (host.location.path().display(), host.location.line());
            format!("{} at {path}:{line}", host.name)
        })
        .collect();
    places.dedup();
    let message = format!("the inventory can't be edited: {why}");
    Diagnostic::warning(message).hint(format!(
        "delete by hand, as soon as the cluster doesn't have it any more: {}",
        places.join(", ")
    ))
}

/// Variables by name only: a value may be a password.
fn line(host: &NewHost) -> String {
    let variables = host.variables.iter().map(|(key, value)| {
        let is_shown = matches!(key.as_str(), "ip" | "ansible_host" | "access_ip");
        format!(" {key}={}", if is_shown { value } else { "…" })
    });
    format!("{}{}", host.name, variables.collect::<String>())
}
