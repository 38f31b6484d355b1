//! Which control group hierarchies this computer has, read from `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The computer's control groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One hierarchy for all (version 2), as on most computers.
    Unified(Hierarchy),
    /// Controllers in hierarchies of their own (version 1), maybe with an empty version 2 one beside.
    Legacy(Vec<Hierarchy>),
}

/// One mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    pub(super) mount: PathBuf,
    /// Folder of this process's own group.
    pub(super) own: PathBuf,
    pub(super) is_writable: bool,
}

/// Why the control groups can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum CgroupError {
    #[error("failed to read `{path}`")]
    Read {
        path: &'static str,
        source: io::Error,
    },
    #[error("no control groups are mounted")]
    None,
    #[error("the control group hierarchies lack {0}")]
    Missing(String),
}

/// Version 1 hierarchies that systemd and the kubelet can't do without.
const NEEDED: [&str; 6] = ["cpu", "cpuacct", "cpuset", "memory", "pids", "name=systemd"];

impl Layout {
    /// Looks at the calling process's computer.
    pub(super) fn detect() -> Result<Self, CgroupError> {
        let read =
            |path| fs::read_to_string(path).map_err(|source| CgroupError::Read { path, source });
        Self::from_texts(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)
    }

    pub(super) fn hierarchies(&self) -> &[Hierarchy] {
        match self {
            Self::Unified(hierarchy) => std::slice::from_ref(hierarchy),
            Self::Legacy(hierarchies) => hierarchies,
        }
    }

    fn from_texts(mountinfo: &str, own_groups: &str) -> Result<Self, CgroupError> {
        let mounts: Vec<Mount> = mountinfo.lines().filter_map(Mount::parse).collect();
        let mut unified = None;
        let mut legacy = Vec::new();
        let mut found = BTreeSet::new();
        // Lines of /proc/self/cgroup: `4:cpu,cpuacct:/group`, `1:name=systemd:/group`, `0::/group`.
        for line in own_groups.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else {
                continue;
            };
            let controllers: BTreeSet<&str> = controllers
                .split(',')
                .filter(|name| !name.is_empty())
                .collect();
            let Some(mount) = mounts.iter().rev().find(|mount| mount.holds(&controllers)) else {
                continue;
            };
            let Some(hierarchy) = mount.hierarchy(group) else {
                continue;
            };
            if controllers.is_empty() {
                unified = Some(hierarchy);
            } else {
                found.extend(controllers);
                legacy.push(hierarchy);
            }
        }
        if !found.contains("memory") && !found.contains("cpu") {
            return unified.map(Self::Unified).ok_or(CgroupError::None);
        }
        let missing: Vec<&str> = NEEDED
            .into_iter()
            .filter(|name| !found.contains(name))
            .collect();
        if !missing.is_empty() {
            return Err(CgroupError::Missing(missing.join(", ")));
        }
        legacy.extend(unified);
        Ok(Self::Legacy(legacy))
    }
}

/// A control group line of mountinfo.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    is_version_2: bool,
    options: BTreeSet<&'a str>,
    is_writable: bool,
}

impl<'a> Mount<'a> {
    /// `36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu`
    fn parse(line: &'a str) -> Option<Self> {
        let (place, file_system) = line.split_once(" - ")?;
        let place: Vec<&str> = place.split(' ').collect();
        let file_system: Vec<&str> = file_system.split(' ').collect();
        let kind = *file_system.first()?;
        let is_read_only = |options: &str| options.split(',').any(|option| option == "ro");
        (kind == "cgroup" || kind == "cgroup2").then_some(())?;
        Some(Self {
            root: place.get(3)?,
            point: place.get(4)?,
            is_version_2: kind == "cgroup2",
            options: file_system.get(2)?.split(',').collect(),
            is_writable: !is_read_only(place.get(5)?) && !is_read_only(file_system.get(2)?),
        })
    }

    fn holds(&self, controllers: &BTreeSet<&str>) -> bool {
        self.is_version_2 == controllers.is_empty() && controllers.is_subset(&self.options)
    }

    /// Returns nothing when the group lies outside of what is mounted.
    fn hierarchy(&self, group: &str) -> Option<Hierarchy> {
        let below = Path::new(group).strip_prefix(self.root).ok()?;
        let mount = PathBuf::from(self.point);
        // Joining an empty path would leave a slash at the end.
        let own = if below.as_os_str().is_empty() {
            mount.clone()
        } else {
            mount.join(below)
        };
        Some(Hierarchy {
            mount,
            own,
            is_writable: self.is_writable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids ro,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
    const HYBRID_OWN: &str =
        "9:name=systemd:/\n8:pids:/\n4:memory:/agent/1\n3:cpuset:/\n1:cpu,cpuacct:/\n0::/\n";

    fn detect(mountinfo: &str, own: &str) -> String {
        match Layout::from_texts(mountinfo, own) {
            Ok(layout) => {
                let kind = if matches!(layout, Layout::Unified(_)) {
                    "unified"
                } else {
                    "legacy"
                };
                let lines = layout.hierarchies().iter().map(|hierarchy| {
                    let access = if hierarchy.is_writable { "rw" } else { "ro" };
                    format!("\n{} {access}", hierarchy.own.display())
                });
                std::iter::once(kind.to_owned()).chain(lines).collect()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn hybrid_counts_as_legacy_with_every_hierarchy() {
        insta::assert_snapshot!(detect(HYBRID, HYBRID_OWN), @r"
        legacy
        /sys/fs/cgroup/systemd rw
        /sys/fs/cgroup/pids ro
        /sys/fs/cgroup/memory/agent/1 rw
        /sys/fs/cgroup/cpuset rw
        /sys/fs/cgroup/cpu,cpuacct rw
        /sys/fs/cgroup/unified rw
        ");
    }

    #[test]
    fn one_version_2_hierarchy_is_unified() {
        let mountinfo = "29 22 0:25 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        insta::assert_snapshot!(detect(mountinfo, "0::/machine.slice/kinstall.service\n"), @r"
        unified
        /sys/fs/cgroup/machine.slice/kinstall.service rw
        ");
    }

    #[test]
    fn a_group_is_looked_up_below_the_mounted_root() {
        let mountinfo = "29 22 0:25 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(
            detect(mountinfo, "0::/box/shell\n"),
            "unified\n/sys/fs/cgroup/shell rw"
        );
        assert_eq!(
            detect(mountinfo, "0::/elsewhere\n"),
            "no control groups are mounted"
        );
    }

    #[test]
    fn legacy_without_the_systemd_hierarchy_says_so() {
        let mountinfo = HYBRID.replace("name=systemd", "net_cls");
        assert_eq!(
            detect(&mountinfo, HYBRID_OWN),
            "the control group hierarchies lack name=systemd"
        );
    }
}
