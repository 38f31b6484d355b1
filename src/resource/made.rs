//! What kinstall made on a node, and what becomes of it when no step has it any more.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an administrator's units are.
const UNITS: &str = "/etc/systemd/system/";
/// What a file of a unit that is stopped before it goes ends with. Stopping a mount, a slice or a target would end what
/// others started.
const UNIT_TYPES: [&str; 4] = ["path", "service", "socket", "timer"];

/// Something that a step makes on a node, by what it is and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    File(String),
    Symlink(String),
    Directory(String),
    Block {
        path: String,
        name: String,
    },
    /// The line that gives a kernel parameter its value at boot.
    Sysctl(String),
    /// The file that loads a kernel module at boot.
    KernelModule(String),
}

/// Something that is still on a node, and that was not there before kinstall made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub thing: Thing,
    /// It isn't any more as kinstall made it.
    pub is_changed: bool,
}

/// What kinstall made once and doesn't want any more: it goes, unless it was changed since. A unit is stopped and switched
/// off before its file goes; a folder goes only if nothing else is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoLongerWanted {
    pub thing: Thing,
    /// Of a folder: paths below it that go before it does.
    pub inside: Vec<String>,
}

impl Thing {
    /// Returns the path, of what has one for itself.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::File(path) | Self::Symlink(path) | Self::Directory(path) => Some(path),
            Self::Block { .. } | Self::Sysctl(_) | Self::KernelModule(_) => None,
        }
    }

    /// Returns the name of the unit whose file it is. A template's has none: only its instances run.
    pub fn unit(&self) -> Option<&str> {
        let Self::File(path) = self else {
            return None;
        };
        let name = path.strip_prefix(UNITS)?;
        let (stem, kind) = name.rsplit_once('.')?;
        let is_unit = UNIT_TYPES.contains(&kind) && !name.contains('/') && !stem.ends_with('@');
        is_unit.then_some(name)
    }

    /// Returns whether systemd reads it.
    pub fn is_read_by_systemd(&self) -> bool {
        self.path().is_some_and(|path| path.starts_with(UNITS))
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Symlink(path) | Self::Directory(path) => {
                formatter.write_str(path)
            }
            Self::Block { path, name } => write!(formatter, "block {name} in {path}"),
            Self::Sysctl(key) => write!(formatter, "kernel parameter {key}"),
            Self::KernelModule(name) => write!(formatter, "kernel module {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Thing;

    #[test]
    fn only_a_units_own_file_is_a_unit() {
        for (path, unit) in [
            ("/etc/systemd/system/a.service", Some("a.service")),
            ("/etc/systemd/system/a.b.timer", Some("a.b.timer")),
            ("/etc/systemd/system/a@.service", None),
            ("/etc/systemd/system/a@b.service", Some("a@b.service")),
            ("/etc/systemd/system/a.service.d/b.conf", None),
            ("/etc/systemd/system/x.d/a.service", None),
            ("/etc/systemd/system/README", None),
            ("/usr/lib/systemd/system/a.service", None),
        ] {
            assert_eq!(Thing::File(path.to_owned()).unit(), unit, "{path}");
        }
        let link = Thing::Symlink("/etc/systemd/system/a.service".to_owned());
        assert_eq!(link.unit(), None);
    }
}
