//! What kinstall made once and doesn't want any more.

use std::fs;

use super::error::FileContext;
use super::made::{self, State};
use super::program::Program;
use super::sysctl_files::{Setting, live_path};
use super::{Converge, Node, ResourceError, kernel_module, sysctl, unit};
use crate::resource::{Action, Block, Change, NoLongerWanted, Sysctl, Thing, Unit, UnitState};

/// Folders with files that are read once, at boot.
const READ_AT_BOOT: [&str; 2] = ["/etc/sysctl.d/", "/etc/modules-load.d/"];

/// Where packages have their units.
const PACKAGED_UNITS: [&str; 2] = ["/usr/lib/systemd/system/", "/usr/local/lib/systemd/system/"];

/// What is there now.
#[derive(Debug, Default)]
pub struct Observed {
    /// It is there as kinstall made it, and nothing else depends on it.
    goes: bool,
    /// What systemd says of the unit whose file it is.
    unit: Option<unit::Observed>,
    /// The file that a block is in.
    text: Option<String>,
    /// Of a kernel parameter: kinstall's value, and what other files say.
    value: Option<String>,
    other: Option<Setting>,
}

impl Converge for NoLongerWanted {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let mut observed = Observed {
            goes: made::state(&self.thing, node) == State::AsMade,
            ..Observed::default()
        };
        if !observed.goes {
            return Ok(observed);
        }
        match &self.thing {
            Thing::Directory(path) => observed.goes = self.leaves_empty(path, node)?,
            Thing::Block { path, name } => observed.text = block(path, name).probe(node)?,
            Thing::Sysctl(key) => {
                observed.value = sysctl::persisted(key, node);
                observed.other = sysctl::said_by_others(key, node);
            }
            Thing::File(_) | Thing::Symlink(_) | Thing::KernelModule(_) => {}
        }
        if let Some(unit) = self.unit(node) {
            observed.unit = Some(unit.probe(node)?);
        }
        Ok(observed)
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        if !observed.goes {
            return Vec::new();
        }
        let remove = |subject: &str| Change::new(Action::Remove, subject);
        let last = match &self.thing {
            Thing::File(path) if is_read_at_boot(path) => {
                remove("file (what it has set stays until the next boot)")
            }
            Thing::File(_) => remove("file"),
            Thing::Symlink(_) => remove("link"),
            Thing::Directory(_) => remove("directory"),
            Thing::Block { path, name } => {
                return block(path, name).diff(&observed.text);
            }
            Thing::Sysctl(_) => match &observed.other {
                Some(Setting { file, value }) => remove("value").values(
                    observed.value.clone(),
                    Some(format!("{value} by {file}, now and at boot")),
                ),
                None => remove("value at boot (the kernel keeps it until then)")
                    .values(observed.value.clone(), None),
            },
            Thing::KernelModule(_) => remove("loaded at boot"),
        };
        let unit = self.thing.unit().map(stopped);
        let unit = unit.zip(observed.unit.as_ref());
        let mut changes = unit.map_or_else(Vec::new, |(unit, observed)| unit.diff(observed));
        changes.push(last);
        changes
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        if let Some(unit) = self.unit(node) {
            let is_the_units = |change: &&Change| change.action != Action::Remove;
            let changes: Vec<Change> = changes.iter().filter(is_the_units).cloned().collect();
            unit.apply(&changes, node)?;
        }
        match &self.thing {
            Thing::File(path) | Thing::Symlink(path) => remove_file(path, node)?,
            Thing::Directory(path) => {
                let path = node.path(path);
                fs::remove_dir(&path).doing("remove the folder", &path)?;
            }
            Thing::Block { path, name } => block(path, name).apply(changes, node)?,
            Thing::Sysctl(key) => {
                let other = sysctl::said_by_others(key, node);
                sysctl::forget(key, node)?;
                if let Some(Setting { value, .. }) = other
                    && node.path(&live_path(key)).exists()
                {
                    let key = key.clone();
                    Sysctl { key, value }.set(node)?;
                }
            }
            Thing::KernelModule(name) => remove_file(&kernel_module::file(name), node)?,
        }
        if self.thing.is_read_by_systemd() && has_systemd(node) {
            Program::new(["systemctl", "daemon-reload"]).output(node)?;
        }
        made::forget(&self.thing, node)
    }
}

impl NoLongerWanted {
    /// The unit that has to stop before its file goes.
    fn unit(&self, node: &Node) -> Option<Unit> {
        let name = self.thing.unit().filter(|_| has_systemd(node));
        // A package brings one of that name: it goes on with the package's.
        let is_packaged = |name: &&str| {
            let mut folders = PACKAGED_UNITS.iter();
            folders.any(|folder| node.path(&format!("{folder}{name}")).exists())
        };
        name.filter(|name| !is_packaged(name)).map(stopped)
    }

    /// Returns whether a folder has nothing in it but what goes before it does.
    fn leaves_empty(&self, folder: &str, node: &Node) -> Result<bool, ResourceError> {
        let path = node.path(folder);
        for entry in fs::read_dir(&path).doing("read the folder", &path)? {
            let entry = entry.doing("read the folder", &path)?;
            let name = entry.file_name();
            let inside = format!("{folder}/{}", name.to_string_lossy());
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !self.inside.contains(&inside) || (is_folder && !self.leaves_empty(&inside, node)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn stopped(name: &str) -> Unit {
    Unit {
        name: name.to_owned(),
        enabled: Some(false),
        state: UnitState::Stopped,
    }
}

fn block(path: &str, name: &str) -> Block {
    Block {
        path: path.to_owned(),
        name: name.to_owned(),
        content: String::new(),
    }
}

fn remove_file(path: &str, node: &Node) -> Result<(), ResourceError> {
    let path = node.path(path);
    fs::remove_file(&path).doing("remove", &path)
}

fn is_read_at_boot(path: &str) -> bool {
    READ_AT_BOOT.iter().any(|folder| path.starts_with(folder))
}

fn has_systemd(node: &Node) -> bool {
    node.path("/run/systemd/system").exists()
}
