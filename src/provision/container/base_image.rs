//! The root file system that all machines share, built once from distribution packages.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::package_source::PackageSource;
use crate::provision::ProviderError;
use crate::provision::last_words::last_lines;

const PACKAGES: &str = include_str!("image/packages");
const MASKED_UNITS: &str = include_str!("image/masked-units");
const MASKED_GENERATORS: &str = include_str!("image/masked-generators");

/// First process of a machine, as a path inside the image.
pub(super) const INIT: &str = "/usr/lib/kinstall/node-init";

/// Files that kinstall puts into the image: path, mode, text.
const FILES: &[(&str, u32, &str)] = &[
    (
        "usr/lib/kinstall/node-init",
        0o755,
        include_str!("image/node-init"),
    ),
    (
        "etc/systemd/system.conf.d/kinstall.conf",
        0o644,
        include_str!("image/system.conf"),
    ),
    (
        "etc/systemd/journald.conf.d/kinstall.conf",
        0o644,
        include_str!("image/journald.conf"),
    ),
    (
        "etc/ssh/sshd_config.d/10-kinstall.conf",
        0o644,
        include_str!("image/sshd.conf"),
    ),
    // PAM complains at every login without it.
    ("etc/default/locale", 0o644, ""),
    // systemd fills it in, from the value that each machine is started with.
    ("etc/machine-id", 0o444, ""),
];

/// A base image in the cache; its folder is named after all that goes into it.
#[derive(Clone, Debug)]
pub(super) struct BaseImage {
    images: PathBuf,
    name: String,
    source: PackageSource,
}

impl BaseImage {
    /// Names the image for a package source in a cache folder; builds nothing.
    pub(super) fn new(cache: &Path, source: PackageSource) -> Self {
        let mut hash = Sha256::new();
        let files = FILES.iter().flat_map(|(path, _, text)| [*path, *text]);
        for part in [
            &source.suite,
            std::env::consts::ARCH,
            PACKAGES,
            MASKED_UNITS,
            MASKED_GENERATORS,
        ]
        .into_iter()
        .chain(files)
        {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let start = digest
            .iter()
            .take(8)
            .fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
        let name = format!("{start:016x}");
        Self {
            images: cache.join("container"),
            name,
            source,
        }
    }

    /// Returns the root folder of the finished image.
    pub(super) fn root(&self) -> PathBuf {
        self.images.join(&self.name)
    }

    pub(super) fn exists(&self) -> bool {
        self.root().is_dir()
    }

    /// Builds the image with mmdebstrap; a build that died before is thrown away.
    pub(super) fn build(&self) -> Result<(), ProviderError> {
        fs::create_dir_all(&self.images).map_err(ProviderError::file("create", &self.images))?;
        let lock_path = self.images.join("lock");
        let _lock = File::create(&lock_path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(ProviderError::file("lock", &lock_path))?;
        if self.exists() {
            return Ok(());
        }
        let partial = self.images.join(format!("{}.partial", self.name));
        match fs::remove_dir_all(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ProviderError::file("remove", &partial)(error));
            }
            _ => {}
        }
        self.bootstrap(&partial)?;
        customize(&partial).map_err(ProviderError::file("set up the image in", &partial))?;
        fs::rename(&partial, self.root()).map_err(ProviderError::file("rename", &partial))
    }

    fn bootstrap(&self, root: &Path) -> Result<(), ProviderError> {
        let failed = |detail: String| ProviderError::Lab {
            action: format!(
                "build the base image from {} ({})",
                self.source.mirror, self.source.suite
            ),
            detail,
        };
        let output = Command::new("setpriv")
            .args(bootstrap_arguments(&self.source, root))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        let log = String::from_utf8_lossy(&output.stderr);
        Err(failed(last_lines(&log, 10)))
    }
}

/// mmdebstrap's command line, after `setpriv`: it ends with kinstall, and its mounts with it.
fn bootstrap_arguments(source: &PackageSource, root: &Path) -> Vec<OsString> {
    let packages = PACKAGES.lines().collect::<Vec<_>>().join(",");
    let mut arguments: Vec<OsString> = [
        "--pdeathsig=KILL",
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--aptopt=Acquire::Languages \"none\"",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
    ]
    .map(OsString::from)
    .into();
    arguments.push(format!("--include={packages}").into());
    arguments.extend([
        source.suite.clone().into(),
        root.into(),
        source.mirror.clone().into(),
    ]);
    arguments
}

fn customize(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root.join("etc/ssh"))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
            fs::remove_file(entry.path())?;
        }
    }
    for (path, mode, text) in FILES {
        let path = root.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
    }
    let units = root.join("etc/systemd/system");
    for unit in MASKED_UNITS.lines() {
        replace_symlink("/dev/null", &units.join(unit))?;
    }
    replace_symlink(
        "/usr/lib/systemd/system/multi-user.target",
        &units.join("default.target"),
    )?;
    let generators = root.join("etc/systemd/system-generators");
    fs::create_dir_all(&generators)?;
    for generator in MASKED_GENERATORS.lines() {
        replace_symlink("/dev/null", &generators.join(generator))?;
    }
    Ok(())
}

fn replace_symlink(target: &str, link: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => symlink(target, link),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{BaseImage, PackageSource, bootstrap_arguments};

    fn source(suite: &str, mirror: &str) -> PackageSource {
        PackageSource {
            suite: suite.into(),
            mirror: mirror.into(),
        }
    }

    #[test]
    fn the_name_depends_on_the_suite_and_not_on_the_mirror() {
        let name = |suite, mirror| BaseImage::new(Path::new("/c"), source(suite, mirror)).name;
        assert_eq!(
            name("trixie", "http://a.test"),
            name("trixie", "http://b.test")
        );
        assert_ne!(
            name("trixie", "http://a.test"),
            name("noble", "http://a.test")
        );
    }

    #[test]
    fn bootstrap_command_line() {
        let arguments = bootstrap_arguments(
            &source("trixie", "http://mirror.test/debian"),
            Path::new("/c/x"),
        );
        let lines: Vec<_> = arguments
            .iter()
            .map(|argument| argument.to_string_lossy())
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        --pdeathsig=KILL
        unshare
        --mount
        --pid
        --fork
        --kill-child
        --mount-proc
        mmdebstrap
        --mode=root
        --variant=minbase
        --aptopt=Acquire::Languages "none"
        --dpkgopt=path-exclude=/usr/share/doc/*
        --dpkgopt=path-include=/usr/share/doc/*/copyright
        --dpkgopt=path-exclude=/usr/share/info/*
        --dpkgopt=path-exclude=/usr/share/locale/*
        --dpkgopt=path-exclude=/usr/share/man/*
        --include=ca-certificates,conntrack,dbus,ebtables,ethtool,gzip,iproute2,ipset,iptables,iputils-ping,kmod,mount,netbase,nftables,openssh-server,procps,socat,sudo,systemd,systemd-sysv,tar,util-linux,xz-utils
        trixie
        /c/x
        http://mirror.test/debian
        "#);
    }
}
