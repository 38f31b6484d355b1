//! A lab of its own for a benchmark, from the inventory of the course.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kinstall::provision;
use serde_json::Value;
use tempfile::TempDir;

use crate::Result;

/// A copy of `inventory/lab`; the machines that were made for it are gone when this goes.
pub struct Lab {
    folder: TempDir,
    makes_machines: bool,
}

impl Lab {
    /// Copies the inventory; makes no machines yet.
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        copy(&repository().join("inventory/lab"), folder.path())?;
        // Nodes need nothing from outside of the lab, and this computer's firewall stays as it is.
        let closed = folder.path().join("group_vars/all/closed.yml");
        fs::write(closed, "kinstall_egress: false\n")?;
        Ok(Self {
            folder,
            makes_machines: true,
        })
    }

    /// Copies the inventory for machines that another lab made.
    pub fn of_existing_machines() -> Result<Self> {
        let mut lab = Self::new()?;
        lab.makes_machines = false;
        Ok(lab)
    }

    /// Returns the inventory's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what the provider needs to know to reach the machines.
    pub fn machines(&self) -> Result<provision::Lab> {
        let state = fs::read(self.folder().join(".kinstall/lab.json"))?;
        let state: Value = serde_json::from_slice(&state)?;
        let id = state["id"].as_str().unwrap_or_default().to_owned();
        Ok(provision::Lab {
            inventory_folder: PathBuf::new(),
            directory: Path::new("/var/lib/kinstall/labs").join(&id),
            id,
            cluster: String::new(),
            gateway: "192.168.56.1/24".parse()?,
            user: String::new(),
            authorized_key: String::new(),
            machines: Vec::new(),
            egress: false,
            defaults: kinstall::model::MachineDefaults::default(),
            forwards: Vec::new(),
        })
    }

    /// Prepares a command of kinstall.
    pub fn kinstall(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.folder());
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.makes_machines {
            return;
        }
        let down = self
            .kinstall(&["down", "--yes"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !down.is_ok_and(|status| status.success()) {
            eprintln!("the lab of {} is still there", self.folder().display());
            self.folder.disable_cleanup(true);
        }
    }
}

/// Returns the program to measure: `benchmarks/run` says which.
pub fn program() -> PathBuf {
    std::env::var_os("KINSTALL_PROGRAM").map_or_else(|| "kinstall".into(), PathBuf::from)
}

/// Returns the folder of kinstall's sources.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true if entry.file_name() == ".kinstall" => {}
            true => copy(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}
