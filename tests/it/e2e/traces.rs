//! What a lab leaves on this computer: nothing, after `down`.

use std::collections::BTreeSet;
use std::fs;

/// Everything of a container lab that can be seen from outside.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Traces {
    mounts: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    processes: BTreeSet<String>,
    folders: BTreeSet<String>,
    control_groups: BTreeSet<String>,
}

impl Traces {
    /// Returns what wasn't there before, but for what names another lab of this computer.
    pub fn since(self, before: &Self, own_lab: &str) -> Self {
        let mut others = self.folders.clone();
        others.remove(own_lab);
        let new = |now: &BTreeSet<String>, before: &BTreeSet<String>| -> BTreeSet<String> {
            let names_other = |trace: &&String| others.iter().any(|lab| trace.contains(lab));
            let new = now.difference(before);
            new.filter(|trace| !names_other(trace)).cloned().collect()
        };
        Self {
            mounts: new(&self.mounts, &before.mounts),
            namespaces: new(&self.namespaces, &before.namespaces),
            processes: new(&self.processes, &before.processes),
            folders: new(&self.folders, &before.folders),
            control_groups: new(&self.control_groups, &before.control_groups),
        }
    }

    /// Looks at this computer now.
    pub fn now() -> Self {
        Self {
            mounts: lines("/proc/self/mountinfo", "kinstall"),
            namespaces: entries("/run/netns"),
            processes: processes(),
            folders: &entries("/var/lib/kinstall/labs") | &entries(&user_labs()),
            control_groups: ["memory", "systemd", "unified"]
                .iter()
                .flat_map(|hierarchy| entries(&format!("/sys/fs/cgroup/{hierarchy}")))
                .filter(|name| name.contains("kinstall"))
                .collect(),
        }
    }
}

/// Where a user's labs of virtual machines are.
fn user_labs() -> String {
    let home = std::env::home_dir().unwrap_or_default();
    let data = std::env::var_os("XDG_DATA_HOME").map(Into::into);
    let data: std::path::PathBuf = data.unwrap_or_else(|| home.join(".local/share"));
    data.join("kinstall/labs").display().to_string()
}

fn lines(path: &str, needle: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter(|line| line.contains(needle))
        .map(ToOwned::to_owned)
        .collect()
}

fn entries(path: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn processes() -> BTreeSet<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .filter(|line| {
            let programs = ["systemd-nspawn", "lab-supervisor", "qemu-system"];
            programs.iter().any(|program| line.contains(program))
        })
        .collect()
}
