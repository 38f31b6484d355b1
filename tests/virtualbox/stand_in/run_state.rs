//! Whether a machine runs: what QEMU says, and where its files are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::machine::Machine;
use crate::monitor::Monitor;

/// The folder that all machines' files are in.
pub fn root() -> Result<PathBuf, Failure> {
    let root =
        std::env::var_os("KINSTALL_STAND_IN_STATE").ok_or("KINSTALL_STAND_IN_STATE is not set")?;
    Ok(PathBuf::from(root))
}

/// The files of one machine.
pub struct RunState {
    pub folder: PathBuf,
}

impl RunState {
    pub fn of(machine: &Machine) -> Result<Self, Failure> {
        Self::of_uuid(&machine.uuid)
    }

    pub fn of_uuid(uuid: &str) -> Result<Self, Failure> {
        let folder = root()?.join(uuid);
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    pub fn process_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.join("qmp")
    }

    /// Where the memory of a saved machine is.
    pub fn memory(&self) -> PathBuf {
        self.folder.join("memory")
    }

    pub fn monitor(&self) -> Result<Monitor, Failure> {
        Monitor::connect(&self.socket())
    }

    /// Returns the state in VirtualBox's words.
    pub fn word(&self) -> &'static str {
        if self.runs() {
            return match self
                .monitor()
                .and_then(|mut monitor| monitor.status())
                .as_deref()
            {
                Ok("paused" | "suspended") => "paused",
                Ok("inmigrate") => "restoring",
                Ok("postmigrate" | "finish-migrate") => "saving",
                _ => "running",
            };
        }
        // QEMU takes its file away when it ends by itself.
        match (self.memory().exists(), self.process_file().exists()) {
            (true, _) => "saved",
            (false, true) => "aborted",
            (false, false) => "poweroff",
        }
    }

    /// Says whether QEMU has this machine.
    pub fn runs(&self) -> bool {
        let process = fs::read_to_string(self.process_file()).unwrap_or_default();
        let Ok(number) = process.trim().parse::<u32>() else {
            return false;
        };
        let command = fs::read(Path::new("/proc").join(number.to_string()).join("cmdline"));
        let own = self.socket().display().to_string();
        command.is_ok_and(|line| String::from_utf8_lossy(&line).contains(&own))
    }
}
