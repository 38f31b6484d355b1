//! `kinstall hosts`: the hosts' names on this computer.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::exit::Exit;
use super::hosts_block::{DamagedMarks, HostsBlock};
use super::project::Project;
use super::{GlobalArguments, HostsArguments};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::Provider;
use crate::ui::printer::{Format, Printer};

/// The computer's hosts file.
#[cfg(not(windows))]
pub const FILE: &str = "/etc/hosts";
#[cfg(windows)]
pub const FILE: &str = r"C:\Windows\System32\drivers\etc\hosts";

/// Prints the block, or puts it into the hosts file, or takes it out of there.
pub fn run(
    global: &GlobalArguments,
    arguments: &HostsArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = Project::load(global, None)?;
    let block = block(&project);
    let file = &arguments.file.path;
    if arguments.remove {
        let what = if remove(&block, file)? {
            "The lab's names are out of"
        } else {
            "The lab has no names in"
        };
        printer.message(&format!("{what} {}.", file.display()));
        return Ok(Exit::Success);
    }
    if arguments.write {
        let old = read(file)?;
        let new = block
            .written_to(&old)
            .map_err(|error| damaged(file, &error))?;
        if new != old {
            write(file, &new)?;
        }
        printer.message(&format!("The lab's names are in {}.", file.display()));
    } else {
        match printer.format {
            Format::Text => printer.data(&block.render("\n")),
            Format::Json => printer.json(&serde_json::json!({ "hosts": block.lines })),
        }
    }
    if project.provider().is_some_and(Provider::has_own_network) {
        printer.message(
            "note: the addresses are those of the lab's own network; `kinstall net` and \
             `kinstall forward` lead there",
        );
    }
    Ok(Exit::Success)
}

/// Returns the lines of a lab, as `/etc/hosts` on its nodes has them.
pub fn block(project: &Project) -> HostsBlock {
    let cluster = &project.cluster;
    let line = |host: &crate::model::HostSpec| match &cluster.node_domain {
        Some(domain) => format!("{} {name}.{domain} {name}", host.address, name = host.name),
        None => format!("{} {}", host.address, host.name),
    };
    HostsBlock {
        cluster: cluster.name.clone(),
        lab: project.state.id.clone(),
        lines: cluster.hosts.iter().map(line).collect(),
    }
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

/// Replaces the file as a whole. Where it is a mount point, as in containers, it can only be overwritten.
fn write(file: &Path, text: &str) -> Result<(), Diagnostics> {
    let real = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let temporary = real.with_extension(format!("kinstall-{}", std::process::id()));
    let replaced = draft(&real, &temporary, text).and_then(|()| fs::rename(&temporary, &real));
    let result = replaced.or_else(|error| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        match error.kind() {
            io::ErrorKind::ResourceBusy => fs::write(&real, text),
            _ => Err(error),
        }
    });
    result.map_err(|error| failed("write", file, &error))
}

/// Writes what is to take the file's place, with its mode.
fn draft(real: &Path, temporary: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create(temporary)?;
    file.write_all(text.as_bytes())?;
    if let Ok(metadata) = real.metadata() {
        file.set_permissions(metadata.permissions())?;
    }
    file.sync_all()
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
