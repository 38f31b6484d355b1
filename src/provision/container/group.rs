//! The lab's own control groups: made, joined, limited, emptied and removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::cgroup::Layout;
use super::lab_directory::MachineRecord;
use crate::provision::ProviderError;

/// Group of the supervisor itself, beside the machines' groups; no machine can have this name.
const SUPERVISOR: &str = "_supervisor";

/// How long killed processes may take to go.
const KILL_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the groups of a machine that has ended may take to be empty.
const EMPTY_TIMEOUT: Duration = Duration::from_secs(5);

/// One folder for the lab in each hierarchy, with a folder for each machine below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabGroups {
    pub(super) is_unified: bool,
    folders: Vec<PathBuf>,
    /// Version 2 groups, outermost first, that let the groups below have their controllers.
    handing_on: Vec<PathBuf>,
}

impl LabGroups {
    /// Chooses the folders: never one that holds anything but the lab, for all that is in them is killed.
    pub(super) fn plan(layout: &Layout, lab: &str) -> Self {
        let name = format!("kinstall-{lab}");
        match layout {
            // The service that systemd was asked for hands its controllers on to us.
            Layout::Unified(hierarchy) if is_service_of(&name, &hierarchy.own) => Self {
                is_unified: true,
                folders: vec![hierarchy.own.clone()],
                handing_on: vec![hierarchy.own.clone()],
            },
            // A group with processes can't hand controllers on, except the root.
            Layout::Unified(hierarchy) => {
                let folder = hierarchy.mount.join(&name);
                Self {
                    is_unified: true,
                    folders: vec![folder.clone()],
                    handing_on: vec![hierarchy.mount.clone(), folder],
                }
            }
            Layout::Legacy(hierarchies) => {
                let folders = hierarchies
                    .iter()
                    .map(|hierarchy| hierarchy.own.join(&name))
                    .collect();
                Self {
                    is_unified: false,
                    folders,
                    handing_on: Vec::new(),
                }
            }
        }
    }

    /// Makes the lab's groups and moves the calling process into the supervisor's.
    pub(super) fn create(&self) -> Result<(), ProviderError> {
        for folder in &self.folders {
            fs::create_dir_all(folder).map_err(ProviderError::file("create", folder))?;
            if !self.is_unified && folder.join("cpuset.cpus").exists() {
                inherit_cpuset(folder).map_err(ProviderError::file("set up", folder))?;
            }
        }
        for file in self.member_files(SUPERVISOR)? {
            fs::write(&file, "0").map_err(ProviderError::file("join", &file))?;
        }
        for folder in &self.handing_on {
            hand_on_controllers(folder)
                .map_err(ProviderError::file("hand on controllers of", folder))?;
        }
        Ok(())
    }

    /// Makes the groups of a member of the lab that doesn't run; returns the files that a process joins them by.
    ///
    /// Groups that its last run left are removed: nothing can join a version 2 group that has some.
    pub(super) fn member_files(&self, name: &str) -> Result<Vec<PathBuf>, ProviderError> {
        let mut files = Vec::new();
        for folder in &self.folders {
            thaw(&folder.join(name));
        }
        for folder in &self.folders {
            let member = folder.join(name);
            let deadline = Instant::now() + EMPTY_TIMEOUT;
            while let Err(error) = remove_tree(&member) {
                if Instant::now() > deadline {
                    return Err(ProviderError::file("remove", &member)(error));
                }
                thread::sleep(Duration::from_millis(10));
            }
            fs::create_dir(&member).map_err(ProviderError::file("create", &member))?;
            files.push(member.join("cgroup.procs"));
        }
        Ok(files)
    }

    /// Limits a machine's memory and processor time where a controller for it is there.
    pub(super) fn limit(&self, machine: &MachineRecord) -> Result<(), ProviderError> {
        const PERIOD: u32 = 100_000;
        let memory = (machine.memory_mib << 20).to_string();
        let quota = machine.cpus.saturating_mul(PERIOD);
        for folder in &self.folders {
            for (file, value) in [
                ("memory.limit_in_bytes", memory.clone()),
                ("cpu.cfs_quota_us", quota.to_string()),
                ("memory.max", memory.clone()),
                ("cpu.max", format!("{quota} {PERIOD}")),
            ] {
                let path = folder.join(&machine.name).join(file);
                if path.exists() {
                    fs::write(&path, value).map_err(ProviderError::file("write", &path))?;
                }
            }
        }
        Ok(())
    }

    /// Kills every process in the groups and removes the groups.
    pub(super) fn remove(&self) -> Result<(), ProviderError> {
        let deadline = Instant::now() + KILL_TIMEOUT;
        loop {
            let mut left = 0;
            for folder in &self.folders {
                thaw(folder);
                for pid in processes(folder) {
                    left += 1;
                    // It may have ended since it was listed.
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            let removed = self
                .folders
                .iter()
                .try_for_each(|folder| remove_tree(folder));
            match removed {
                Ok(()) if left == 0 => return Ok(()),
                _ if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
                Ok(()) => return Ok(()),
                Err(source) => {
                    return Err(ProviderError::Lab {
                        action: "remove the lab's control groups".into(),
                        detail: format!("{source}; {left} processes are left in them"),
                    });
                }
            }
        }
    }
}

fn is_service_of(name: &str, group: &Path) -> bool {
    let file_name = group.file_name().and_then(|file_name| file_name.to_str());
    file_name
        .and_then(|file_name| {
            file_name
                .strip_prefix(name)?
                .strip_prefix('-')?
                .strip_suffix(".service")
        })
        .is_some_and(|time| time.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A version 1 cpuset is empty at first, and nothing can join it.
fn inherit_cpuset(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().unwrap_or(folder);
    for file in ["cpuset.cpus", "cpuset.mems"] {
        fs::write(folder.join(file), fs::read(parent.join(file))?)?;
    }
    fs::write(folder.join("cgroup.clone_children"), "1")
}

/// Lets the groups below have every controller that the group itself has.
fn hand_on_controllers(folder: &Path) -> io::Result<()> {
    let available = fs::read_to_string(folder.join("cgroup.controllers"))?;
    let handed_on = fs::read_to_string(folder.join("cgroup.subtree_control"))?;
    for controller in available.split_whitespace() {
        if !handed_on.split_whitespace().any(|name| name == controller) {
            fs::write(
                folder.join("cgroup.subtree_control"),
                format!("+{controller}"),
            )?;
        }
    }
    Ok(())
}

fn processes(folder: &Path) -> Vec<Pid> {
    let own = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let mut found: Vec<Pid> = own
        .lines()
        .filter_map(|line| line.parse().ok().and_then(Pid::from_raw))
        .collect();
    found.extend(
        subfolders(folder)
            .iter()
            .flat_map(|folder| processes(folder)),
    );
    found
}

/// What is frozen can't even be killed in version 1, and a container runtime that was killed leaves containers frozen
/// that it was changing.
fn thaw(folder: &Path) {
    let state = folder.join("freezer.state");
    if state.exists() {
        let _ = fs::write(state, "THAWED");
        for folder in subfolders(folder) {
            thaw(&folder);
        }
    }
}

fn remove_tree(folder: &Path) -> io::Result<()> {
    subfolders(folder)
        .iter()
        .try_for_each(|folder| remove_tree(folder))?;
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::cgroup::{Hierarchy, Layout};
    use super::LabGroups;

    fn hierarchy(mount: &str, own: &str) -> Hierarchy {
        let mount = PathBuf::from(mount);
        Hierarchy {
            own: mount.join(own),
            mount,
            is_writable: true,
        }
    }

    fn unified(own: &str) -> Vec<PathBuf> {
        LabGroups::plan(&Layout::Unified(hierarchy("/groups", own)), "course").folders
    }

    #[test]
    fn only_the_labs_own_service_is_taken_as_it_is() {
        let service = "machine.slice/kinstall-course-1700000000000.service";
        assert_eq!(unified(service), [PathBuf::from("/groups").join(service)]);
        for foreign in [
            "user.slice/session-1.scope",
            "machine.slice/kinstall-course-two-1700000000000.service",
            "machine.slice/kinstall-other-1.service",
        ] {
            assert_eq!(unified(foreign), [PathBuf::from("/groups/kinstall-course")]);
        }
    }

    #[test]
    fn version_1_groups_lie_below_the_callers_own() {
        let layout = Layout::Legacy(vec![hierarchy("/memory", "agent/1"), hierarchy("/cpu", "")]);
        let groups = LabGroups::plan(&layout, "course");
        let expected =
            ["/memory/agent/1/kinstall-course", "/cpu/kinstall-course"].map(PathBuf::from);
        assert_eq!(groups.folders, expected);
    }
}
