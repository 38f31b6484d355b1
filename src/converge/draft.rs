//! A file that takes its place only when it is complete.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::error::FileContext;
use super::{ResourceError, disk};

/// A temporary file beside its target; removed again unless it is published.
#[derive(Debug)]
pub struct Draft {
    file: fs::File,
    temporary: PathBuf,
    target: PathBuf,
}

/// Who may do what with a file; `None` leaves the owner to the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub mode: u32,
    pub user: Option<u32>,
    pub group: Option<u32>,
}

impl Draft {
    /// Begins a file of `size` bytes that nobody else can read yet; folders on the way are made.
    pub fn new(target: &Path, size: u64) -> Result<Self, ResourceError> {
        let folder = target.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).doing("create the folder", folder)?;
        disk::require(folder, size)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let temporary = folder.join(format!(".{name}.kinstall"));
        // A run that was killed may have left one; the agent's lock says that nobody writes it now.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).doing("remove", &temporary);
            }
            _ => {}
        }
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .doing("create", &temporary)?;
        Ok(Self {
            file,
            temporary,
            target: target.to_owned(),
        })
    }

    /// Returns where the content is until it is published.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Appends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ResourceError> {
        self.file.write_all(bytes).doing("write", &self.target)
    }

    /// Appends everything that `reader` gives.
    pub fn copy(&mut self, reader: &mut impl Read) -> Result<u64, ResourceError> {
        io::copy(reader, &mut self.file).doing("write", &self.target)
    }

    /// Appends a whole file.
    pub fn copy_file(&mut self, source: &Path) -> Result<(), ResourceError> {
        let mut source_file = fs::File::open(source).doing("open", source)?;
        io::copy(&mut source_file, &mut self.file)
            .doing("write", &self.target)
            .map(drop)
    }

    /// Gives the content its access rights, brings it to the disk, and puts it in its place.
    pub fn publish(self, access: Access) -> Result<(), ResourceError> {
        self.set_access(access)?;
        self.file.sync_all().doing("write", &self.target)?;
        match fs::rename(&self.temporary, &self.target) {
            // The target is a mount point itself (as /etc/hosts is in containers).
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                let content = fs::read(&self.temporary).doing("read", &self.temporary)?;
                fs::write(&self.target, content).doing("write", &self.target)
            }
            result => result.doing("replace", &self.target),
        }
    }

    /// Gives the content its access rights while it is still beside its place.
    pub fn set_access(&self, access: Access) -> Result<(), ResourceError> {
        if access.user.is_some() || access.group.is_some() {
            chown(&self.temporary, access.user, access.group)
                .doing("change the owner of", &self.target)?;
        }
        self.file
            .set_permissions(Permissions::from_mode(access.mode))
            .doing("change the mode of", &self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After publishing it is gone already; otherwise there is nothing more that could be done.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes a whole file at once.
pub fn write(target: &Path, content: &[u8], access: Access) -> Result<(), ResourceError> {
    let mut draft = Draft::new(target, content.len() as u64)?;
    draft.write(content)?;
    draft.publish(access)
}

/// Replaces the content of a file that belongs to somebody else; its mode and owner stay.
pub fn rewrite(target: &Path, content: &[u8]) -> Result<(), ResourceError> {
    use std::os::unix::fs::MetadataExt;
    // Through a link, as an editor would.
    let target = &target.canonicalize().unwrap_or_else(|_| target.to_owned());
    let access = match fs::metadata(target) {
        Ok(old) => Access {
            mode: old.mode() & 0o7777,
            user: Some(old.uid()),
            group: Some(old.gid()),
        },
        Err(_) => Access {
            mode: 0o644,
            user: None,
            group: None,
        },
    };
    write(target, content, access)
}

#[cfg(test)]
mod tests {
    use super::{Access, Draft, write};

    const ACCESS: Access = Access {
        mode: 0o640,
        user: None,
        group: None,
    };

    #[test]
    fn an_unpublished_draft_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut draft = Draft::new(&folder.path().join("file"), 4).unwrap();
        draft.write(b"half").unwrap();
        drop(draft);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_full_disk_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Draft::new(&folder.path().join("file"), u64::MAX).is_err());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_draft_of_a_killed_run_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".file.kinstall"), "old").unwrap();
        write(&folder.path().join("file"), b"new", ACCESS).unwrap();
        assert_eq!(std::fs::read(folder.path().join("file")).unwrap(), b"new");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
