//! Takes programs out of a bundle: `kubectl` for the user's own computer, all of them to look at.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::manifest::{Encoding, Release};
use super::open::{Bundle, StoredFile};
use crate::diagnostic::{Diagnostic, Kind};

/// Writes every program of a release as `FOLDER/COMPONENT/PROGRAM`, with the links that nodes have beside it.
pub fn unpack(bundle: &Bundle, release: &Release, folder: &Path) -> Result<(), Diagnostic> {
    for (name, program) in &release.programs {
        let path = folder.join(name);
        let stored = bundle.blob(program.blob.sha256)?;
        write(stored, &path).map_err(|error| failed(&path, &error))?;
    }
    for node_program in &release.node_programs {
        let path = folder.join(&node_program.program);
        for link in &node_program.links {
            let Some(name) = Path::new(link).file_name() else {
                continue;
            };
            let link = path.with_file_name(name);
            replace_link(&path, &link).map_err(|error| failed(&link, &error))?;
        }
    }
    Ok(())
}

/// Writes a temporary file first: a program that is running stays as it is.
fn write(stored: StoredFile, path: &Path) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    match stored.encoding {
        Encoding::Raw => io::copy(&mut { stored.file }, &mut file)?,
        Encoding::Zstd => io::copy(&mut zstd::Decoder::new(stored.file)?, &mut file)?,
    };
    make_executable(&temporary)?;
    fs::rename(temporary, path)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// The programs are for Linux: Windows can't run them, only keep them.
#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
fn make_executable(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn replace_link(target: &Path, link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Not a symbolic one, for which Windows wants an administrator.
    fs::hard_link(target, link)
}

fn failed(path: &Path, error: &io::Error) -> Diagnostic {
    let message = format!("failed to write `{}`: {error}", path.display());
    Diagnostic::error(Kind::Environment, message)
}
