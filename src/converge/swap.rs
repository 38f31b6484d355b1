//! Swap, which a kubelet doesn't want.

use std::fs;
use std::path::Path;

use super::draft;
use super::program::{Program, exists};
use super::{Converge, Node, ResourceError, unit};
use crate::resource::{Action, Change, Swap};

const FSTAB: &str = "/etc/fstab";
/// An own file of this name replaces the distribution's and makes no device.
const ZRAM: &str = "/etc/systemd/zram-generator.conf";
const ZRAM_GENERATOR: &str = "/usr/lib/systemd/system-generators/zram-generator";
const ZRAM_TEXT: &str = "# kinstall: no swap\n";

/// Where swap comes from.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Devices and files in use.
    active: Vec<String>,
    /// Lines of fstab.
    configured: Vec<String>,
    /// systemd units with a file of their own.
    units: Vec<String>,
    /// zram-generator would make a device at boot.
    zram: bool,
}

impl Converge for Swap {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        // A container sees its machine's swap, which isn't its own to switch off.
        let active = if node.path("/run/systemd/container").exists() {
            Vec::new()
        } else {
            active(&node.read_or_empty("/proc/swaps"))
        };
        Ok(Observed {
            active,
            configured: node
                .read_or_empty(FSTAB)
                .lines()
                .filter(|line| is_swap(line))
                .map(str::to_owned)
                .collect(),
            units: units(node)?,
            zram: node.path(ZRAM_GENERATOR).exists() && node.read_or_empty(ZRAM) != ZRAM_TEXT,
        })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let remove = |what: &str, name: &String| {
            Change::new(Action::Remove, what).values(Some(name.clone()), None)
        };
        let mut changes: Vec<Change> = Vec::new();
        changes.extend(observed.active.iter().map(|name| remove("swap", name)));
        changes.extend(
            observed
                .configured
                .iter()
                .map(|line| remove("fstab line", line)),
        );
        changes.extend(observed.units.iter().map(|name| remove("unit", name)));
        if observed.zram {
            changes.push(Change::new(Action::Remove, "zram device at boot"));
        }
        changes
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        for change in changes {
            let name = change.from.as_deref().unwrap_or_default();
            match change.subject.as_str() {
                "swap" => {
                    // Its pages must find room in memory, which takes its time.
                    let program = Program::new(["swapoff", "--", name]).timeout(600);
                    program.output(node)?;
                }
                "fstab line" => {}
                "unit" => {
                    Program::new(["systemctl", "mask", "--", name]).output(node)?;
                }
                _ => draft::rewrite(&node.path(ZRAM), ZRAM_TEXT.as_bytes())?,
            }
        }
        if changes.iter().any(|change| change.subject == "fstab line") {
            let fstab = without_swap(&node.read_or_empty(FSTAB));
            draft::rewrite(&node.path(FSTAB), fstab.as_bytes())?;
        }
        Ok(())
    }
}

/// Reads `/proc/swaps`.
fn active(table: &str) -> Vec<String> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .map(|name| name.replace("\\040", " "))
        .collect()
}

fn is_swap(line: &str) -> bool {
    let mut fields = line.split_whitespace();
    !line.trim_start().starts_with('#') && fields.nth(2) == Some("swap")
}

/// The lines stay, commented out: they hold what the user may want back.
fn without_swap(fstab: &str) -> String {
    let mut result = String::new();
    for line in fstab.lines() {
        if is_swap(line) {
            result.push_str("# kinstall: ");
        }
        result.push_str(line);
        result.push('\n');
    }
    result
}

/// Finds swap units that aren't generated from fstab and aren't masked.
fn units(node: &Node) -> Result<Vec<String>, ResourceError> {
    // Most machines have none, and systemd reads the files of all units for its answer: a fifth of a second.
    let mut folders = unit::OWN_FOLDERS.iter().chain(&unit::PACKAGED_FOLDERS);
    if !folders.any(|folder| has_unit(node, folder))
        || !exists("systemctl", node)
        || !node.path("/run/systemd/system").exists()
    {
        return Ok(Vec::new());
    }
    let listed = Program::new([
        "systemctl",
        "list-unit-files",
        "--type=swap",
        "--plain",
        "--no-legend",
        "--no-pager",
    ])
    // systemd 257 answers "none" with exit code 1, so only what it lists counts.
    .capture(node)?;
    Ok(unit_files(&listed.stdout))
}

fn has_unit(node: &Node, folder: &str) -> bool {
    fs::read_dir(node.path(folder))
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| Path::new(&entry.file_name()).extension() == Some("swap".as_ref()))
}

fn unit_files(listed: &str) -> Vec<String> {
    listed
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let name = fields.next()?;
            let state = fields.next()?;
            (!matches!(
                state,
                "masked" | "masked-runtime" | "generated" | "transient"
            ))
            .then(|| name.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        let swaps = "Filename\tType\tSize\tUsed\tPriority\n\
            /dev/zram0  partition\t1\t0\t100\n/swap\\040file file 2 0 -2\n";
        assert_eq!(active(swaps), ["/dev/zram0", "/swap file"]);
        let listed = "a.swap enabled enabled\nb.swap masked enabled\ndev-zram0.swap generated -\n";
        assert_eq!(unit_files(listed), ["a.swap"]);
    }

    #[test]
    fn a_unit_of_swap_is_seen_by_its_file() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let folder = unit::PACKAGED_FOLDERS[1];
        fs::create_dir_all(node.path(folder)).unwrap();
        fs::write(node.path(&format!("{folder}/swap.target")), "").unwrap();
        assert!(!has_unit(&node, folder) && !has_unit(&node, unit::OWN_FOLDERS[0]));
        fs::write(node.path(&format!("{folder}/dev-zram0.swap")), "").unwrap();
        assert!(has_unit(&node, folder));
    }

    #[test]
    fn fstab_lines_are_commented_out_once() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        fs::create_dir(node.path("/etc")).unwrap();
        let fstab =
            "# /dev/x none swap sw 0 0\n/dev/sda1 / ext4 rw 0 1\n/dev/sda2 none swap sw 0 0\n";
        fs::write(node.path(FSTAB), fstab).unwrap();
        let changes = Swap.diff(&Swap.probe(&node).unwrap());
        assert_eq!(changes.len(), 1);
        Swap.apply(&changes, &mut node).unwrap();
        assert_eq!(
            node.read_or_empty(FSTAB),
            "# /dev/x none swap sw 0 0\n/dev/sda1 / ext4 rw 0 1\n\
            # kinstall: /dev/sda2 none swap sw 0 0\n"
        );
        assert!(Swap.diff(&Swap.probe(&node).unwrap()).is_empty());
    }
}
