//! Layers of Debian packages: their files, nothing run.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::process::Command;

use super::build_error::BuildError;
use super::catalog::PackageLayer;
use super::layer::{Entry, Kind};
use super::process::Process;
use super::progress::Report;

/// What mmdebstrap puts there besides the packages' files, some of it copied from this computer.
const NOT_OF_PACKAGES: [&str; 7] = [
    "/dev",
    "/etc/apt",
    "/etc/dpkg",
    "/etc/fstab",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/run",
];

/// Downloads the packages and returns their files, sorted by path.
pub(super) fn entries(
    part: &str,
    packages: &PackageLayer,
    architecture: &str,
    report: &Report<'_>,
) -> Result<Vec<Entry>, BuildError> {
    let mmdebstrap = which::which("mmdebstrap").map_err(|_| BuildError::NoTool {
        tool: "mmdebstrap",
        part: part.into(),
        hint: "on Debian: `apt install mmdebstrap`; where there is none, take the bundle's folder \
               from a Linux computer and name it with --bundle"
            .into(),
    })?;
    let mut command = Command::new(mmdebstrap);
    command
        .args([
            "--variant=extract",
            "--format=tar",
            "--mode=auto",
            "--aptopt=Acquire::Languages \"none\"",
        ])
        .arg(format!("--architectures={architecture}"))
        .arg(format!("--include={}", packages.packages.join(",")))
        .args([&packages.debian_release, "-"])
        .env("SOURCE_DATE_EPOCH", "0");
    let process = Process {
        part,
        command,
        hint: &hint,
    };
    let mut entries = BTreeMap::new();
    process.run_with_output(report, &mut |output| {
        entries = read(output, packages).map_err(|source| BuildError::Archive {
            part: "mmdebstrap's archive".into(),
            source,
        })?;
        Ok(())
    })?;
    for (path, target) in &packages.links {
        entries.insert(path.clone(), Entry::link(path, target));
    }
    Ok(entries.into_values().collect())
}

/// Reads a tar stream, leaves out what no program reads, and forgets owners and times.
fn read(output: &mut dyn Read, packages: &PackageLayer) -> io::Result<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    for entry in tar::Archive::new(output).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let path = format!("/{}", path.trim_start_matches("./").trim_end_matches('/'));
        let left_out = NOT_OF_PACKAGES.iter().copied();
        let mut left_out = left_out.chain(packages.leave_out.iter().map(String::as_str));
        if path == "/" || left_out.any(|folder| is_below(&path, folder)) {
            continue;
        }
        let target = |entry: &tar::Entry<'_, _>| -> io::Result<String> {
            let target = entry.link_name()?.unwrap_or_default();
            Ok(target.to_string_lossy().into_owned())
        };
        let kind = match entry.header().entry_type() {
            tar::EntryType::Directory => Kind::Directory,
            tar::EntryType::Symlink => Kind::Link(target(&entry)?),
            // A second name becomes a second file, so that the entries don't depend on their order.
            tar::EntryType::Link => {
                let target = target(&entry)?;
                let first: Option<&Entry> =
                    entries.get(&format!("/{}", target.trim_start_matches("./")));
                let no_target = || io::Error::other(format!("{path} is a link to {target}"));
                first.ok_or_else(no_target)?.kind.clone()
            }
            tar::EntryType::Regular => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                Kind::File(content)
            }
            _ => continue,
        };
        let mode = entry.header().mode()? & 0o7777;
        entries.insert(path.clone(), Entry { path, mode, kind });
    }
    Ok(entries)
}

fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Tells from mmdebstrap's last lines what is likely wrong.
fn hint(lines: &[String]) -> Option<String> {
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    let hint = if has("NO_PUBKEY") || has("is not signed") || has("no keyring") {
        "this computer doesn't know the keys of that Debian release: `apt install \
         debian-archive-keyring`, from a newer Debian if it has it already"
    } else if has("Could not resolve") || has("Could not connect") || has("Connection failed") {
        "the Debian mirror can't be reached: check the network and apt's proxy settings"
    } else if ["newuidmap", "user namespace", "unshare", "chroot mode"]
        .map(has)
        .contains(&true)
    {
        "without root, mmdebstrap needs user namespaces: `apt install uidmap`, or run as root"
    } else if has("No space left on device") {
        "the disk is full: make room"
    } else {
        return None;
    };
    Some(hint.into())
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn only_whole_names_count_as_folders() {
        assert!(is_below("/var", "/var"));
        assert!(is_below("/var/lib", "/var"));
        assert!(!is_below("/variant", "/var"));
    }
}
