//! What stands at a path, and how its mode and owner differ from what is wanted.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::account::{Account, Table};
use super::draft::Access;
use super::error::FileContext;
use super::{Node, ResourceError};
use crate::resource::{Action, Change};

/// What kind of thing is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Symlink,
    /// A device, a socket, a pipe.
    Special,
}

impl Kind {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::File => "file",
            Kind::Directory => "directory",
            Kind::Symlink => "symbolic link",
            Kind::Special => "special file",
        }
    }
}

/// What `lstat` says about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    pub kind: Kind,
    pub mode: u32,
    pub owner: Account,
    pub group: Account,
}

impl FileState {
    /// Looks at a path itself, not at what a link leads to; `None` where nothing is.
    pub fn of(path: &str, node: &Node) -> Result<Option<Self>, ResourceError> {
        Self::read(fs::symlink_metadata(node.path(path)), path, node)
    }

    /// Looks at what a path leads to.
    pub fn behind(path: &str, node: &Node) -> Result<Option<Self>, ResourceError> {
        Self::read(fs::metadata(node.path(path)), path, node)
    }

    fn read(
        metadata: io::Result<fs::Metadata>,
        path: &str,
        node: &Node,
    ) -> Result<Option<Self>, ResourceError> {
        let metadata = match metadata {
            Ok(metadata) => metadata,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error).doing("look at", Path::new(path)),
        };
        let kind = match metadata.file_type() {
            it if it.is_file() => Kind::File,
            it if it.is_dir() => Kind::Directory,
            it if it.is_symlink() => Kind::Symlink,
            _ => Kind::Special,
        };
        Ok(Some(Self {
            kind,
            mode: metadata.mode() & 0o7777,
            owner: Table::User.account(metadata.uid(), node),
            group: Table::Group.account(metadata.gid(), node),
        }))
    }

    /// Returns how mode and owner differ; `None` as the wanted owner leaves it.
    pub fn access_changes(
        &self,
        mode: u32,
        owner: Option<&str>,
        group: Option<&str>,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.mode != mode {
            let octal = |mode| Some(format!("{mode:04o}"));
            changes.push(Change::new(Action::Update, "mode").values(octal(self.mode), octal(mode)));
        }
        for (subject, is, wanted) in [("owner", &self.owner, owner), ("group", &self.group, group)]
        {
            if let Some(wanted) = wanted
                && is.name != wanted
                && is.id.to_string() != wanted
            {
                changes.push(
                    Change::new(Action::Update, subject)
                        .values(Some(is.name.clone()), Some(wanted.to_owned())),
                );
            }
        }
        changes
    }
}

/// Looks the wanted owner up; where none is wanted, an existing path keeps its own.
pub fn access(
    path: &str,
    mode: u32,
    owner: Option<&str>,
    group: Option<&str>,
    node: &Node,
) -> Result<Access, ResourceError> {
    let existing = fs::symlink_metadata(node.path(path)).ok();
    let id = |table: Table, name: Option<&str>, existing: Option<u32>| match name {
        Some(name) => table.id(name, node).map(Some),
        None => Ok(existing),
    };
    Ok(Access {
        mode,
        user: id(Table::User, owner, existing.as_ref().map(MetadataExt::uid))?,
        group: id(Table::Group, group, existing.as_ref().map(MetadataExt::gid))?,
    })
}

/// Gives an existing path its mode and owner.
pub fn set_access(path: &Path, access: Access) -> Result<(), ResourceError> {
    // The owner first: changing it clears set-user-ID bits.
    chown(path, access.user, access.group).doing("change the owner of", path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(access.mode))
        .doing("change the mode of", path)
}
