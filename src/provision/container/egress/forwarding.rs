//! This computer forwards what comes in by the lab's card, and the answers that come in by those that lead out.
//!
//! It is set for those cards alone and only where it isn't set. A file below `/run/kinstall/forwarding` says which labs
//! use a card that kinstall set it for; the last of them sets it back. Those cards forward for labs only: a neighbour
//! in the network must not get to what this computer reaches.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::programs::{feed, nft};
use super::rules::{self, Names};
use crate::provision::ProviderError;

/// Folder of what all labs of this computer share; it goes with a restart, as all does that is made here.
pub(super) const SHARED: &str = "/run/kinstall";

/// Sets forwarding for the lab's card and those that lead out; called with the lock of all labs held.
pub(super) fn acquire(
    lab: &str,
    image: &Path,
    uplinks: &[String],
    report: impl Fn(&str),
) -> Result<(), ProviderError> {
    // It goes with the card.
    set(&Names::of(lab).interface, true)?;
    for uplink in uplinks {
        let users = users().join(uplink);
        let is_ours = users.exists();
        if !is_ours && is_set(uplink) {
            continue;
        }
        let user = users.join(lab);
        fs::create_dir_all(&users)
            .and_then(|()| fs::write(&user, ""))
            .map_err(ProviderError::file("write", &user))?;
        if !is_set(uplink) {
            set(uplink, true)?;
            report(&format!(
                "forwards packets of {uplink} from now on (net.ipv4.conf.{uplink}.forwarding), until `kinstall down`"
            ));
        }
    }
    guard(image)
}

/// Sets back what no lab uses any more; called with the lock of all labs held.
pub(super) fn release(lab: &str, image: &Path) -> Result<(), ProviderError> {
    let all = users();
    if !all.exists() {
        return Ok(());
    }
    for uplink in names(&all) {
        let users = all.join(&uplink);
        let _ = fs::remove_file(users.join(lab));
        if !names(&users).is_empty() {
            continue;
        }
        if !is_for_all() && is_set(&uplink) {
            set(&uplink, false)?;
        }
        fs::remove_dir(&users).map_err(ProviderError::file("remove", &users))?;
    }
    guard(image)
}

/// Keeps what comes in by the cards that were set from going anywhere but to labs.
fn guard(image: &Path) -> Result<(), ProviderError> {
    let uplinks = if is_for_all() {
        Vec::new()
    } else {
        names(&users())
    };
    feed(nft(image).args(["-f", "-"]), &rules::guard(&uplinks)).map(drop)
}

/// Whether this computer forwards by all cards: something else has switched that on, and needs it.
fn is_for_all() -> bool {
    fs::read_to_string("/proc/sys/net/ipv4/ip_forward").is_ok_and(|value| value.trim() == "1")
}

fn users() -> PathBuf {
    Path::new(SHARED).join("forwarding")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn setting(interface: &str) -> PathBuf {
    PathBuf::from(format!("/proc/sys/net/ipv4/conf/{interface}/forwarding"))
}

fn is_set(interface: &str) -> bool {
    fs::read_to_string(setting(interface)).is_ok_and(|value| value.trim() == "1")
}

fn set(interface: &str, is_on: bool) -> Result<(), ProviderError> {
    let path = setting(interface);
    let written: io::Result<()> = fs::write(&path, if is_on { "1" } else { "0" });
    written.map_err(ProviderError::file("write", &path))
}
