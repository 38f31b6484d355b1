//! Whether KVM works here. `/dev/kvm` being there doesn't tell: guests may hang or abort on it, so the
//! firmware is started once and must say something.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::PROGRAM;

/// What runs the machines' processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acceleration {
    Kvm,
    /// Everything is computed: an order of magnitude slower.
    Emulation,
}

/// The firmware speaks within a tenth of a second where KVM works.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

impl Acceleration {
    /// Finds out, once for each start of this computer.
    pub(super) fn detect(cache: &Path) -> Self {
        // A probe that takes long isn't repeated by the same kinstall.
        static FOUND: OnceLock<Acceleration> = OnceLock::new();
        *FOUND.get_or_init(|| {
            if !Path::new("/dev/kvm").exists() {
                return Self::Emulation;
            }
            let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
            let works = remembered(&cache.join("kvm"), &boot, || {
                speaks(firmware(), PROBE_TIMEOUT)
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

/// Takes what a file says, else what a probe finds; one that doesn't tell, by `None`, is not written down.
fn remembered(file: &Path, boot: &str, probe: impl FnOnce() -> Option<bool>) -> bool {
    let known = fs::read_to_string(file).unwrap_or_default();
    match known.strip_prefix(boot) {
        Some("works") => return true,
        Some("fails") => return false,
        _ => {}
    }
    let works = probe();
    if let (Some(works), Some(folder)) = (works, file.parent()) {
        let word = if works { "works" } else { "fails" };
        // Without the file it is found out again.
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write(file, format!("{boot}{word}")));
    }
    works == Some(true)
}

/// The firmware on KVM, which writes what it says to its output.
fn firmware() -> Command {
    // A kinstall that is killed takes it along.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", PROGRAM])
        .args(["-accel", "kvm", "-cpu", "host", "-machine", "q35"])
        .args(["-m", "64", "-nodefaults", "-no-user-config"])
        .args(["-display", "none"])
        .args(["-chardev", "stdio,id=words,signal=off"])
        .args(["-device", "isa-debugcon,iobase=0x402,chardev=words"]);
    command
}

/// Tells whether a program says something before it ends; `None` where it takes too long.
fn speaks(mut command: Command, patience: Duration) -> Option<bool> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let mut words = child.stdout.take()?;
    // A guest that hangs says nothing, so the reading ends with the process.
    let reader = thread::spawn(move || {
        let mut first = [0];
        words.read_exact(&mut first).is_ok()
    });
    let deadline = Instant::now() + patience;
    while !reader.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    let is_finished = reader.is_finished();
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    let speaks = reader.join().unwrap_or(false);
    is_finished.then_some(speaks)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{remembered, speaks};

    #[test]
    fn an_answer_is_remembered_until_the_next_start_of_the_computer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache/kvm");
        let ask = |boot, answer| remembered(&file, boot, || answer);
        let answers = [
            // It takes too long: that may be otherwise next time.
            ask("1\n", None),
            ask("1\n", Some(true)),
            ask("1\n", Some(false)),
            ask("2\n", Some(false)),
            ask("2\n", Some(true)),
        ];
        assert_eq!(answers, [false, true, true, false, false]);
    }

    #[test]
    fn what_a_probe_tells() {
        let shell = |script: &str, patience| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            speaks(command, patience)
        };
        let long = Duration::from_mins(1);
        assert_eq!(shell("echo a; exec sleep 100", long), Some(true));
        assert_eq!(shell("exit 1", long), Some(false));
        assert_eq!(shell("exec sleep 100", Duration::from_millis(50)), None);
    }
}
