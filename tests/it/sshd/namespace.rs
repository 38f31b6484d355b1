//! An sshd with users, passwords, sudoers and file systems of its own.
//!
//! All of it is mounted in a private mount namespace, so nothing of this computer changes; that takes
//! root, as the labs do.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::server::Sshd;

/// Password of all users there.
pub const PASSWORD: &str = "correct horse";

/// The same as sha512-crypt.
const SHADOW: &str = "$6$kinstall$y3lOa7UangXuM3pOTFoUvb3kn/r66crucFArBPHtOYyi4oY1A6pZ49jzBBx8FEH2IByXx79fuScnQdOOpQ0TH/";

/// Starts sshd where `asked` may use sudo with the password, `free` without it, `stranger` not at all;
/// `piped` is `asked` with sudo's `use_pty`.
///
/// `small` is a file system of 256 KiB, and nothing in `noexec` can be executed.
pub fn start(settings: &str) -> Sshd {
    launch(settings, "")
}

/// Starts the same as a node for the program itself: all is read-only but the server's folder, and
/// `/usr/local`, where agents go, has this much room (`16m`).
pub fn start_node(settings: &str, room: &str) -> Sshd {
    let seal = format!(
        "mount -t tmpfs -o size={room} tmpfs /usr/local; mount -t tmpfs tmpfs /run; mkdir /run/sshd; mount -t tmpfs tmpfs /var/lib\n\
         mount --bind . .; mount --bind /proc/sys /proc/sys\n\
         mount -o remount,bind,ro /proc/sys; mount -o remount,bind,ro /"
    );
    launch(settings, &seal)
}

fn launch(settings: &str, more_mounts: &str) -> Sshd {
    assert!(
        rustix::process::geteuid().is_root(),
        "run this test as root: it needs a mount namespace"
    );
    Sshd::launch(settings, |folder, sshd| {
        prepare(folder);
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-e", "-c"])
            .arg(format!("{MOUNT}\n{more_mounts}\nexec \"$@\""))
            .arg("sh")
            .arg(folder)
            .arg(sshd.get_program())
            .args(sshd.get_args());
        command
    })
}

const MOUNT: &str = r#"
cd "$1"; shift
for file in passwd shadow group sudoers pam.d/sudo pam.d/sshd; do
    mount --bind "etc/$file" "/etc/$file"
done
mkdir small noexec
mount -t tmpfs -o size=256k tmpfs small
mount -t tmpfs -o noexec tmpfs noexec
"#;

fn prepare(folder: &Path) {
    // The users there must reach what belongs to the one who runs the tests.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let home = folder.join("home").display().to_string();
    let etc = folder.join("etc");
    fs::create_dir_all(etc.join("pam.d")).unwrap();
    let users = ["asked", "piped", "free", "stranger"];
    let mut passwd =
        format!("root:x:0:0::{home}:/bin/sh\nsshd:x:105:65534::/run/sshd:/bin/false\n");
    let mut shadow = "root:*:19000::::::\nsshd:*:19000::::::\n".to_owned();
    for (id, user) in (64_001..).zip(users) {
        writeln!(passwd, "{user}:x:{id}:64000::{home}:/bin/sh").unwrap();
        writeln!(shadow, "{user}:{SHADOW}:19000::::::").unwrap();
    }
    let nologin = folder.join("nologin").display().to_string();
    for (name, mode, text) in [
        ("passwd", 0o644, passwd),
        ("shadow", 0o600, shadow),
        ("group", 0o644, "root:x:0:\nusers:x:64000:\n".to_owned()),
        (
            "sudoers",
            0o440,
            "Defaults timestamp_timeout=0, lecture=never, !syslog\nDefaults:piped use_pty\n\
             asked, piped ALL=(ALL) ALL\nfree ALL=(ALL) NOPASSWD: ALL\n"
                .to_owned(),
        ),
        (
            "pam.d/sudo",
            0o644,
            "auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n"
                .to_owned(),
        ),
        (
            "pam.d/sshd",
            0o644,
            format!(
                "auth required pam_unix.so\naccount required pam_nologin.so file={nologin}\n\
                 account required pam_unix.so\nsession required pam_permit.so\n"
            ),
        ),
    ] {
        let path = etc.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}
