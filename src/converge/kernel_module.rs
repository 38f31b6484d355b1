//! Kernel modules.

use super::draft::{self, Access};
use super::program::Program;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, KernelModule};

/// Where the kernel has the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// Part of the kernel: nothing to load, now or at a boot.
    BuiltIn,
    Loaded,
    Missing,
}

/// What is known about the module.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    live: Live,
    /// The file that loads it at boot is there.
    persisted: bool,
}

impl Converge for KernelModule {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        Ok(Observed {
            live: self.live(node),
            persisted: node.read_or_empty(&file(&self.name)) == self.line(),
        })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let mut changes = Vec::new();
        if observed.live == Live::Missing {
            changes.push(Change::new(Action::Create, "loaded"));
        }
        // systemd-modules-load would fail at each boot over a module that is no file.
        if observed.live != Live::BuiltIn && !observed.persisted {
            changes.push(Change::new(Action::Create, "loaded at boot"));
        }
        changes
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        for change in changes {
            if change.subject == "loaded" {
                Program::new(["modprobe", "--", &self.name]).output(node)?;
            } else if self.live(node) != Live::BuiltIn {
                let access = Access {
                    mode: 0o644,
                    user: None,
                    group: None,
                };
                draft::write(
                    &node.path(&file(&self.name)),
                    self.line().as_bytes(),
                    access,
                )?;
            }
        }
        Ok(())
    }
}

/// Returns the file that loads a module at boot.
pub(super) fn file(module: &str) -> String {
    format!("/etc/modules-load.d/kinstall-{module}.conf")
}

impl KernelModule {
    fn line(&self) -> String {
        format!("{}\n", self.name)
    }

    fn live(&self, node: &Node) -> Live {
        let name = self.name.replace('-', "_");
        let is_loaded = node
            .read_or_empty("/proc/modules")
            .lines()
            .any(|line| line.split(' ').next() == Some(&name));
        if is_loaded {
            return Live::Loaded;
        }
        let release = node.read_or_empty("/proc/sys/kernel/osrelease");
        let list = format!("/lib/modules/{}/modules.builtin", release.trim());
        let is_listed = node.read_or_empty(&list).lines().any(|line| {
            let file = line.rsplit('/').next().unwrap_or_default();
            file.split('.').next().map(|stem| stem.replace('-', "_")) == Some(name.clone())
        });
        let is_shown = node.path(&format!("/sys/module/{name}")).exists();
        if is_listed || is_shown || self.works(&name, node) {
            Live::BuiltIn
        } else {
            Live::Missing
        }
    }

    /// Looks for what the module brings: a container sees no list of what its kernel has built in, and
    /// a built-in module without parameters has no folder in `/sys/module`.
    fn works(&self, name: &str, node: &Node) -> bool {
        let traces: &[&str] = match name {
            "br_netfilter" => &["/proc/sys/net/bridge/bridge-nf-call-iptables"],
            "nf_conntrack" => &["/proc/sys/net/netfilter/nf_conntrack_max"],
            "ip_vs" => &["/proc/net/ip_vs"],
            "ip_tables" | "iptable_nat" | "iptable_filter" => &["/proc/net/ip_tables_names"],
            _ => &[],
        };
        let has_file_system = node
            .read_or_empty("/proc/filesystems")
            .lines()
            .any(|line| line.split_whitespace().next_back() == Some(&self.name));
        has_file_system
            || traces.iter().any(|path| node.path(path).exists())
            || has_option(name, &kernel_configuration(node))
    }
}

/// Reads the configuration that the running kernel carries, if it does.
fn kernel_configuration(node: &Node) -> String {
    use std::io::Read;
    let mut text = String::new();
    if let Ok(file) = std::fs::File::open(node.path("/proc/config.gz")) {
        // A configuration that can't be read says nothing about the module.
        let _ = flate2::read::GzDecoder::new(file).read_to_string(&mut text);
    }
    text
}

/// Tells whether the option that builds the module is `y`.
fn has_option(name: &str, configuration: &str) -> bool {
    let option = match name {
        "overlay" => "OVERLAY_FS".to_owned(),
        "br_netfilter" => "BRIDGE_NETFILTER".to_owned(),
        "ip_tables" => "IP_NF_IPTABLES".to_owned(),
        "iptable_nat" => "IP_NF_NAT".to_owned(),
        "iptable_filter" => "IP_NF_FILTER".to_owned(),
        other => other.to_uppercase(),
    };
    let line = format!("CONFIG_{option}=y");
    configuration.lines().any(|it| it == line)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn changes(files: &[(&str, &str)], module: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let module = KernelModule {
            name: module.to_owned(),
        };
        let node = Node::at(root.path());
        module
            .diff(&module.probe(&node).unwrap())
            .into_iter()
            .map(|change| change.subject)
            .collect()
    }

    #[test]
    fn a_built_in_module_needs_nothing() {
        let none: [&str; 0] = [];
        let release = ("proc/sys/kernel/osrelease", "6.18.0\n");
        let list = (
            "lib/modules/6.18.0/modules.builtin",
            "kernel/net/bridge/br-netfilter.ko\nkernel/fs/overlayfs/overlay.ko\n",
        );
        assert_eq!(changes(&[release, list], "br_netfilter"), none);
        assert_eq!(changes(&[release, list], "overlay"), none);
        // A container: the list is not there.
        let systems = ("proc/filesystems", "nodev\tproc\nnodev\toverlay\n");
        assert_eq!(changes(&[systems], "overlay"), none);
        let bridge = ("proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
        assert_eq!(changes(&[bridge], "br_netfilter"), none);
        assert_eq!(changes(&[("sys/module/vxlan/x", "")], "vxlan"), none);
    }

    #[test]
    fn a_loaded_module_is_kept_for_the_next_boot() {
        let modules = ("proc/modules", "vxlan 155648 0 - Live 0x0\n");
        assert_eq!(changes(&[modules], "vxlan"), ["loaded at boot"]);
        let file = ("etc/modules-load.d/kinstall-vxlan.conf", "vxlan\n");
        let none: [&str; 0] = [];
        assert_eq!(changes(&[modules, file], "vxlan"), none);
        assert_eq!(changes(&[], "vxlan"), ["loaded", "loaded at boot"]);
    }

    #[test]
    fn the_kernels_own_configuration_counts() {
        assert!(has_option("overlay", "CONFIG_OVERLAY_FS=y\n"));
        assert!(!has_option("overlay", "CONFIG_OVERLAY_FS=m\n"));
        assert!(has_option("vxlan", "CONFIG_X=m\nCONFIG_VXLAN=y\n"));
    }
}
