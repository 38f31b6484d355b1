//! Privacy by access lists: a folder is closed when it is made, and what is in it inherits that.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Leaves the options as they are: a file takes the access list of its folder.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Makes a private folder and the missing ones above it; one that is there keeps its access list.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let named = path.ancestors().filter(|it| !it.as_os_str().is_empty());
    if let Some(topmost) = named.take_while(|it| !it.exists()).last() {
        match fs::create_dir(topmost) {
            Ok(()) => close(topmost)?,
            // Another kinstall made it, and closes it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    fs::create_dir_all(path)
}

/// Nothing to do: NTFS keeps names in its own journal.
pub fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Takes a folder away from everybody but the user, with all that will be in it.
fn close(folder: &Path) -> io::Result<()> {
    let variable = |name: &str| std::env::var(name).map_err(io::Error::other);
    let user = variable("USERNAME")?;
    let account = match std::env::var("USERDOMAIN") {
        Ok(domain) => format!("{domain}\\{user}"),
        Err(_) => user,
    };
    // By its full path: a program of that name in the user's search path is not meant.
    let program = PathBuf::from(variable("SystemRoot")?).join("System32\\icacls.exe");
    let status = Command::new(program)
        .arg(folder)
        .args([
            "/inheritance:r",
            "/grant:r",
            &format!("{account}:(OI)(CI)F"),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        return Ok(());
    }
    let folder = folder.display();
    Err(io::Error::other(format!(
        "icacls failed to take access to `{folder}` from other users ({status})"
    )))
}
