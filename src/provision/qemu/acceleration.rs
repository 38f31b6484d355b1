//! Whether KVM works here. `/dev/kvm` being there doesn't tell: guests may hang or abort on it, so a boot sector is
//! started once and must say something.

use std::fs;
use std::io::{self, Read, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::{PROGRAM, boot_sector};

/// What runs the machines' processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acceleration {
    Kvm,
    /// Everything is computed: an order of magnitude slower.
    Emulation,
}

/// The boot sector speaks within a second where KVM works; guests that hang say nothing ever.
const PROBE_TIMEOUT: Duration = Duration::from_secs(15);

impl Acceleration {
    /// Finds out, once for each start of this computer.
    pub(super) fn detect(cache: &Path) -> Self {
        static FOUND: OnceLock<Acceleration> = OnceLock::new();
        *FOUND.get_or_init(|| {
            if !Path::new("/dev/kvm").exists() {
                return Self::Emulation;
            }
            let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
            let works = remembered(&cache.join("acceleration"), &boot, || {
                boot_sector_on_kvm(cache)
                    .and_then(|command| says(command, boot_sector::LETTER, PROBE_TIMEOUT))
                    .unwrap_or(false)
            });
            if works { Self::Kvm } else { Self::Emulation }
        })
    }

    pub(super) fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Self::Emulation => ["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }

    /// Returns how long a machine may take from its start to the first login.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::Kvm => Duration::from_mins(3),
            Self::Emulation => Duration::from_mins(10),
        }
    }
}

/// Takes what a file says, else what a probe finds.
fn remembered(file: &Path, boot: &str, probe: impl FnOnce() -> bool) -> bool {
    let known = fs::read_to_string(file).unwrap_or_default();
    match known.strip_prefix(boot) {
        Some("works") => return true,
        Some("fails") => return false,
        _ => {}
    }
    let works = probe();
    let word = if works { "works" } else { "fails" };
    if let Some(folder) = file.parent() {
        // Without the file it is found out again.
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write(file, format!("{boot}{word}")));
    }
    works
}

/// The boot sector on KVM, which writes what it says to its output.
fn boot_sector_on_kvm(cache: &Path) -> io::Result<Command> {
    // A diskette, which is read from a file alone: other disks need more than a sector.
    let diskette = cache.join("boot-sector");
    fs::create_dir_all(cache)?;
    fs::write(&diskette, boot_sector::bytes())?;
    // A kinstall that is killed takes it along.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", PROGRAM])
        .args(["-accel", "kvm", "-cpu", "host", "-machine", "q35"])
        .args(["-m", "64", "-nodefaults", "-no-user-config"])
        .args(["-display", "none"])
        .args(["-chardev", "stdio,id=words,signal=off"])
        .arg("-device")
        .arg(format!(
            "isa-debugcon,iobase={},chardev=words",
            boot_sector::PORT
        ))
        .arg("-blockdev")
        .arg(format!(
            "driver=file,node-name=diskette,read-only=on,filename={}",
            diskette.display()
        ))
        .args(["-device", "isa-fdc,id=diskettes"])
        .args(["-device", "floppy,drive=diskette,bus=diskettes.0"]);
    Ok(command)
}

/// Tells whether the first letter that a program says is this one. Its errors count as said: KVM stops a machine that
/// it can't go on with, and QEMU says so and waits.
fn says(mut command: Command, letter: u8, patience: Duration) -> io::Result<bool> {
    let (mut words, output) = pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let mut child = command.spawn()?;
    // It holds the other end as well.
    drop(command);
    // A guest that hangs says nothing, so the reading ends with the process.
    let reader = thread::spawn(move || {
        let mut first = [0];
        words
            .read_exact(&mut first)
            .is_ok_and(|()| first[0] == letter)
    });
    let deadline = Instant::now() + patience;
    while !reader.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    Ok(reader.join().unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{remembered, says};

    #[test]
    fn an_answer_is_remembered_until_the_next_start_of_the_computer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache/kvm");
        let ask = |boot, answer| remembered(&file, boot, || answer);
        let answers = [
            ask("1\n", true),
            ask("1\n", false),
            ask("2\n", false),
            ask("2\n", true),
        ];
        assert_eq!(answers, [true, true, false, false]);
    }

    #[test]
    fn what_a_probe_tells() {
        let shell = |script: &str, patience| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            says(command, b'a', patience).unwrap()
        };
        let long = Duration::from_mins(1);
        assert!(shell("echo a; exec sleep 100", long));
        assert!(!shell("exit 1", long));
        // As QEMU says it.
        let stopped = "echo 'KVM internal error' >&2; exec sleep 100";
        assert!(!shell(stopped, long));
        assert!(!shell("exec sleep 100", Duration::from_millis(50)));
    }
}
