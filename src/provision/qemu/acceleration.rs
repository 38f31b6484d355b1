//! Whether KVM works here. `/dev/kvm` being there doesn't tell: guests may hang or abort on it, so the
//! firmware is started once and must say something.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::command_line::PROGRAM;

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
        if !Path::new("/dev/kvm").exists() {
            return Self::Emulation;
        }
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let file = cache.join("kvm");
        let known = fs::read_to_string(&file).unwrap_or_default();
        let works = match known.strip_prefix(&boot) {
            Some("works") => true,
            Some("fails") => false,
            _ => {
                let works = firmware_speaks();
                let word = if works { "works" } else { "fails" };
                // Without the file it is found out again.
                let _ = fs::create_dir_all(cache)
                    .and_then(|()| fs::write(&file, format!("{boot}{word}")));
                works
            }
        };
        if works { Self::Kvm } else { Self::Emulation }
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

fn firmware_speaks() -> bool {
    let mut command = Command::new(PROGRAM);
    command
        .args(["-accel", "kvm", "-cpu", "host", "-machine", "q35"])
        .args([
            "-m",
            "64",
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
        ])
        .args(["-chardev", "stdio,id=words,signal=off"])
        .args(["-device", "isa-debugcon,iobase=0x402,chardev=words"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    let Some(mut words) = child.stdout.take() else {
        return false;
    };
    // A guest that hangs says nothing, so the reading ends with the process.
    let reader = thread::spawn(move || {
        let mut first = [0];
        words.read_exact(&mut first).is_ok()
    });
    let deadline = Instant::now() + PROBE_TIMEOUT;
    while !reader.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    let speaks = reader.is_finished();
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    speaks && reader.join().unwrap_or(false)
}
