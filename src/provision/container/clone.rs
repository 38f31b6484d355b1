//! One machine's files: a copy-on-write layer over the base image that holds who the machine is.

use std::ffi::CString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount};

use super::account::{Accounts, USER_ID};
use super::lab_directory::{MachineDirectory, remove_all};
use crate::provision::{Lab, Machine, ProviderError};

/// Folders of `/var/lib` that must not lie on an overlay, because containerd and etcd can't.
pub(super) const DATA: [&str; 4] = ["containerd", "etcd", "kinstall", "kubelet"];

/// Makes a machine's files unless they are complete; returns whether it made them.
pub(super) fn create(
    directory: &MachineDirectory,
    image: &Path,
    lab: &Lab,
    machine: &Machine,
) -> Result<bool, ProviderError> {
    if directory.is_complete() {
        return Ok(false);
    }
    remove_all(directory.path())
        .and_then(|()| write(directory, image, lab, machine))
        .map_err(ProviderError::file(
            "write machine files in",
            directory.path(),
        ))?;
    Ok(true)
}

/// Mounts the machine's root; the mount is seen in the calling process's mount namespace.
pub(super) fn mount_root(directory: &MachineDirectory, image: &Path) -> io::Result<()> {
    let mut options = Vec::new();
    for (key, path) in [
        ("lowerdir=", image.to_owned()),
        (",upperdir=", directory.upper()),
        (",workdir=", directory.work()),
    ] {
        options.extend_from_slice(key.as_bytes());
        for byte in path.as_os_str().as_bytes() {
            if matches!(byte, b':' | b',' | b'\\') {
                options.push(b'\\');
            }
            options.push(*byte);
        }
    }
    let options = CString::new(options)?;
    mount(
        "overlay",
        directory.root(),
        "overlay",
        MountFlags::empty(),
        options.as_c_str(),
    )?;
    Ok(())
}

fn write(
    directory: &MachineDirectory,
    image: &Path,
    lab: &Lab,
    machine: &Machine,
) -> io::Result<()> {
    for path in [directory.work(), directory.root()]
        .into_iter()
        .chain(DATA.map(|name| directory.data(name)))
    {
        fs::create_dir_all(path)?;
    }
    let upper = Upper(directory.upper());
    upper.directory("", 0o755)?;
    for path in [
        "etc",
        "etc/ssh",
        "etc/sudoers.d",
        "usr",
        "usr/lib",
        "usr/lib/modules",
        "home",
    ] {
        upper.directory(path, 0o755)?;
    }
    // modprobe and kubeadm look for the folder of the kernel that runs; the bind mount needs it too.
    upper.directory(&format!("usr/lib/modules/{}", kernel_release()), 0o755)?;
    upper.file("etc/hostname", 0o644, &format!("{}\n", machine.name))?;
    upper.file("etc/hosts", 0o644, &hosts(machine))?;
    upper.file(
        "etc/resolv.conf",
        0o644,
        &format!("nameserver {}\n", lab.gateway.addr()),
    )?;
    upper.file("etc/machine-id", 0o444, &machine_id()?)?;
    upper.file(
        "etc/ssh/ssh_host_ed25519_key",
        0o600,
        machine.host_key.expose(),
    )?;
    upper.authorized_key("root", lab)?;
    let read = |name: &str| fs::read_to_string(image.join("etc").join(name));
    let mut accounts = Accounts {
        passwd: read("passwd")?,
        group: read("group")?,
        shadow: read("shadow")?,
    };
    if accounts.add(&lab.user) {
        upper.file("etc/passwd", 0o644, &accounts.passwd)?;
        upper.file("etc/group", 0o644, &accounts.group)?;
        upper.file("etc/shadow", 0o600, &accounts.shadow)?;
        upper.file(
            "etc/sudoers.d/kinstall",
            0o440,
            &format!("{} ALL=(ALL:ALL) NOPASSWD: ALL\n", lab.user),
        )?;
        let home = format!("home/{}", lab.user);
        upper.authorized_key(&home, lab)?;
        for path in [
            home.clone(),
            format!("{home}/.ssh"),
            format!("{home}/.ssh/authorized_keys"),
        ] {
            chown(upper.0.join(path), Some(USER_ID), Some(USER_ID))?;
        }
    }
    fs::write(directory.marker(), "")
}

/// The writable layer; a folder in it gives its mode to the machine's folder.
struct Upper(PathBuf);

impl Upper {
    fn directory(&self, path: &str, mode: u32) -> io::Result<()> {
        let path = self.0.join(path);
        fs::create_dir(&path)?;
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn file(&self, path: &str, mode: u32, text: &str) -> io::Result<()> {
        let path = self.0.join(path);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(Permissions::from_mode(mode))
    }

    fn authorized_key(&self, home: &str, lab: &Lab) -> io::Result<()> {
        self.directory(home, 0o700)?;
        self.directory(&format!("{home}/.ssh"), 0o700)?;
        let line = format!("{}\n", lab.authorized_key.trim_end());
        self.file(&format!("{home}/.ssh/authorized_keys"), 0o600, &line)
    }
}

fn hosts(machine: &Machine) -> String {
    format!(
        "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{} {}\n",
        machine.address, machine.name
    )
}

fn machine_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/uuid")?.replace('-', ""))
}

/// Returns the release of the kernel that runs, which is also every machine's.
pub(super) fn kernel_release() -> String {
    rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned()
}
