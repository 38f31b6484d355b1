//! The lab's names in this computer's hosts file.

use std::fs;
use std::io;
use std::path::Path;

use super::hosts_block::{DamagedMarks, HostsBlock};
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::whole_file;

/// The computer's hosts file.
#[cfg(not(windows))]
pub const PATH: &str = "/etc/hosts";
#[cfg(windows)]
pub const PATH: &str = r"C:\Windows\System32\drivers\etc\hosts";

/// Returns the lines of a lab, as `/etc/hosts` on its nodes has them.
pub fn block(project: &Project) -> HostsBlock {
    let cluster = &project.cluster;
    // What no `up` has asked for yet has no line.
    let line = |host: &crate::model::HostSpec| {
        let address = host.access_address?;
        Some(match &cluster.node_domain {
            Some(domain) => format!("{address} {name}.{domain} {name}", name = host.name),
            None => format!("{address} {}", host.name),
        })
    };
    HostsBlock {
        cluster: cluster.name.clone(),
        lab: project.state.id.clone(),
        lines: cluster.hosts.iter().filter_map(line).collect(),
    }
}

/// Puts a lab's block into a hosts file, in place of what it has there.
pub fn put(block: &HostsBlock, file: &Path) -> Result<(), Diagnostics> {
    let old = read(file)?;
    let new = block
        .written_to(&old)
        .map_err(|error| damaged(file, &error))?;
    if new == old {
        return Ok(());
    }
    write(file, &new)
}

/// Takes a lab's block out of a hosts file; returns whether there was one.
pub fn remove(block: &HostsBlock, file: &Path) -> Result<bool, Diagnostics> {
    let old = read(file)?;
    let new = block
        .removed_from(&old)
        .map_err(|error| damaged(file, &error))?;
    new.map_or(Ok(false), |new| write(file, &new).map(|()| true))
}

fn read(file: &Path) -> Result<String, Diagnostics> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => result.map_err(|error| failed("read", file, &error)),
    }
}

fn write(file: &Path, text: &str) -> Result<(), Diagnostics> {
    whole_file::rewrite(file, text.as_bytes()).map_err(|error| failed("write", file, &error))
}

fn failed(action: &str, file: &Path, error: &io::Error) -> Diagnostics {
    let message = format!("failed to {action} `{}`: {error}", file.display());
    let diagnostic = Diagnostic::error(Kind::Environment, message);
    vec![match error.kind() {
        io::ErrorKind::PermissionDenied => diagnostic
            .hint("only the administrator may: `sudo kinstall hosts --write` (or --remove)")
            .hint("or put there yourself what `kinstall hosts` prints"),
        _ => diagnostic,
    }]
}

fn damaged(file: &Path, error: &DamagedMarks) -> Diagnostics {
    let message = format!("`{}`: {error}", file.display());
    vec![
        Diagnostic::error(Kind::Environment, message)
            .hint("remove the lab's lines and both marks by hand; nothing was changed"),
    ]
}
