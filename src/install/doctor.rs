//! What stands in the way on this computer, and what mends it.

use std::path::{Path, PathBuf};

use ipnet::IpNet;

use super::project::Project;
use super::{lab, machine_images, memory, providers, stores};
use crate::bundle;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::inventory::{self, Vault};
use crate::model::Provider;
use crate::plan::surroundings;
use crate::provision::{computer, virtualbox};
use crate::report::Check;
use crate::report::inventory::summary;

/// What machines, images and the bundle's cache take at least, in GiB, before anything is in the cluster.
const LEAST_ROOM_GIB: u64 = 5;

/// What to look at.
pub struct Subjects<'a> {
    /// This provider only.
    pub provider: Option<Provider>,
    /// The inventory that was named; the usual one need not be there.
    pub inventory: Option<&'a Path>,
    /// What opens its encrypted values.
    pub vault: Vault,
    pub bundle: Option<&'a Path>,
}

/// Looks at everything; returns also whether machines can be made the way that was asked for and no check found a
/// problem.
pub fn examine(subjects: &Subjects<'_>) -> (Vec<Check>, bool) {
    let asked = subjects.provider;
    let providers: Vec<Check> = Provider::ALL
        .into_iter()
        .filter(|kind| asked.is_none_or(|asked| asked == *kind))
        .map(provider)
        .collect();
    let (project, inventory) = inventory(subjects.inventory, subjects.vault.clone());
    let mut checks = vec![inventory, bundle(subjects.bundle)];
    checks.push(room(project.as_ref()));
    if let Some(project) = &project {
        let machines = computer::memory();
        let state = memory::line(&project.cluster, machines);
        checks.push(Check::of(
            "memory",
            state,
            &memory::warnings(&project.cluster, machines),
        ));
        checks.extend(images(project));
        checks.extend(networks(project));
        checks.extend(watchers(project));
        checks.extend(keys(&project.directory.join("ssh")));
    }
    // The machines of `existing` are there or not, whatever this computer is like: it always counts as
    // usable, and says nothing about the others.
    let makes_machines = providers
        .iter()
        .any(|it| it.is_well() && it.subject != "provider existing");
    let is_usable = makes_machines || asked == Some(Provider::Existing);
    let is_well = is_usable && checks.iter().all(Check::is_well);
    ([providers, checks].concat(), is_well)
}

fn provider(kind: Provider) -> Check {
    let subject = format!("provider {}", kind.name());
    let problems = if kind.makes_machines() {
        providers::obstacles(kind)
    } else {
        Diagnostics::new()
    };
    Check::of(&subject, "usable", &problems)
}

/// Reads the inventory that was named; the usual one need not be there.
fn inventory(named: Option<&Path>, vault: Vault) -> (Option<Project>, Check) {
    let subject = "inventory";
    let usual = inventory::usual_path(Path::new(""));
    if named.is_none() && !usual.exists() {
        return (None, Check::of(subject, "none here; name it with -i", &[]));
    }
    match Project::load(named.unwrap_or(&usual), vault) {
        Ok(project) => {
            let hosts = project.cluster.hosts.len();
            let plural = if hosts == 1 { "" } else { "s" };
            let state = format!("{hosts} host{plural} of cluster {}", project.cluster.name);
            let mut warnings: Diagnostics = summary(&project.warnings)
                .into_iter()
                .map(Diagnostic::warning)
                .collect();
            if let Some(last) = warnings.pop() {
                warnings
                    .push(last.hint("`kinstall check` shows everything, with places and hints"));
            }
            (Some(project), Check::of(subject, state, &warnings))
        }
        Err(problems) => (None, Check::of(subject, "", &problems)),
    }
}

fn bundle(chosen: Option<&Path>) -> Check {
    match stores::open_bundle(chosen) {
        Ok(bundle) => Check::of("bundle", bundle.path().display().to_string(), &[]),
        Err(problems) => Check::of("bundle", "", &problems),
    }
}

/// Looks at the file systems that machines, images and the bundle are on.
fn room(project: Option<&Project>) -> Check {
    let mut folders: Vec<PathBuf> = bundle::cache_directory().into_iter().collect();
    if let Some(project) = project {
        let kind = project.provider().filter(|it| it.makes_machines());
        folders.extend(kind.map(|kind| project.state.machine_directory(kind)));
    } else {
        folders.push(PathBuf::from("/var/lib/kinstall"));
    }
    let mut problems = Diagnostics::new();
    let mut least = u64::MAX;
    for folder in &folders {
        // What isn't made yet will lie on the file system of the nearest folder that is there.
        let existing = folder.ancestors().find(|it| it.exists());
        let Some(free) = existing.and_then(|it| fs4::available_space(it).ok()) else {
            continue;
        };
        let free = free >> 30;
        least = least.min(free);
        if free < LEAST_ROOM_GIB {
            let message = format!("only {free} GiB are free for `{}`", folder.display());
            let hint = format!("make room there: a lab needs {LEAST_ROOM_GIB} GiB and more");
            problems.push(Diagnostic::error(Kind::Environment, message).hint(hint));
        }
    }
    let state = if least == u64::MAX {
        "not known".to_owned()
    } else {
        format!("{least} GiB free")
    };
    Check::of("disk", state, &problems)
}

/// Looks for the images that machines would start from.
fn images(project: &Project) -> Option<Check> {
    let cluster = &project.cluster;
    let problems = machine_images::problems(cluster, project.folder(), project.provider())?;
    let mut names: Vec<&str> = cluster
        .hosts
        .iter()
        .map(|it| it.machine.image.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    Some(Check::of("machine images", names.join(", "), &problems))
}

/// Asks whether VirtualBox will make the lab's networks, where it is to.
fn networks(project: &Project) -> Option<Check> {
    if project.provider() != Some(Provider::VirtualBox) {
        return None;
    }
    let cluster = &project.cluster;
    let further = cluster.hosts.iter().flat_map(|it| &it.machine.networks);
    let mut networks: Vec<IpNet> = std::iter::once(&cluster.network.node_cidr)
        .chain(further)
        .map(IpNet::trunc)
        .collect();
    networks.sort_unstable();
    networks.dedup();
    let refused = networks.iter().filter_map(|it| match it {
        IpNet::V4(network) => virtualbox::refusal(*network),
        IpNet::V6(_) => None,
    });
    let problems: Diagnostics = refused.flat_map(|error| lab::failed(&error)).collect();
    let state: Vec<_> = networks.iter().map(ToString::to_string).collect();
    Some(Check::of("networks", state.join(", "), &problems))
}

/// Containers share the kernel's limit for file watchers with everything on this computer.
fn watchers(project: &Project) -> Option<Check> {
    if project.provider() != Some(Provider::Container) {
        return None;
    }
    let text = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_instances").ok()?;
    let limit: u32 = text.trim().parse().ok()?;
    let needed = surroundings::needed_watchers(project.cluster.hosts.iter());
    let problem = (limit < needed).then(|| {
        let message =
            format!("the nodes need {needed} file watchers, this computer allows {limit}");
        let hint = format!(
            "`{}`, for good in /etc/sysctl.d",
            surroundings::MORE_WATCHERS
        );
        Diagnostic::error(Kind::Environment, message).hint(hint)
    });
    let problems: Diagnostics = problem.into_iter().collect();
    Some(Check::of(
        "file watchers",
        format!("{limit} allowed"),
        &problems,
    ))
}

/// Private keys must be their owner's alone; OpenSSH refuses others.
#[cfg(unix)]
fn keys(folder: &Path) -> Option<Check> {
    use std::os::unix::fs::PermissionsExt as _;
    let host_keys = std::fs::read_dir(folder.join("host-keys")).into_iter();
    let private: Vec<PathBuf> = host_keys
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .chain([folder.join("id_ed25519")])
        .filter(|path| path.extension().is_none_or(|it| it != "pub") && path.is_file())
        .collect();
    if private.is_empty() {
        return None;
    }
    let is_open = |path: &&PathBuf| {
        path.metadata()
            .is_ok_and(|it| it.permissions().mode() & 0o077 != 0)
    };
    let problems: Diagnostics = private
        .iter()
        .filter(is_open)
        .map(|path| {
            let path = path.display();
            let message = format!("others may read the private key `{path}`");
            Diagnostic::error(Kind::Environment, message).hint(format!("`chmod 600 '{path}'`"))
        })
        .collect();
    let state = format!("{} private keys", private.len());
    Some(Check::of("keys", state, &problems))
}

#[cfg(not(unix))]
fn keys(_folder: &Path) -> Option<Check> {
    None
}
