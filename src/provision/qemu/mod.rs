//! Machines of QEMU, with KVM where it really works.
//!
//! ```text
//! kinstall up ── make (disk over the image, seed) ── launch ── QEMU node1 ── user-mode network: the way out,
//!                                                     │                      forwarded ports
//! kinstall net, ssh ── dial ── bridge in the lab's ── card
//! status, halt, snapshot ── monitor (QMP) ── QEMU     network namespace
//! ```
//!
//! Nothing but the QEMUs runs while kinstall doesn't. A machine that is resumed or restored has the
//! clock of the moment in which it was saved; its hardware clock is right (`hwclock --hctosys`).

mod acceleration;
mod boot_sector;
mod command_line;
mod disks;
mod folder;
mod hardware;
mod make;
mod monitor;
mod network;
mod obstacles;
mod power;
mod process;
mod record;
mod snapshots;

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use self::acceleration::Acceleration;
use self::folder::{LabFolder, MachineFolder};
use self::process::Process;
use self::record::MachineRecord;
use super::shared_folders::SharedFolders;
use super::{
    Lab, MachineAction, MachineChange, MachineState, ObservedMachine, Power, Provider,
    ProviderError, Report, Snapshots, machine_image, parallel,
};
use crate::diagnostic::Diagnostics;
use crate::image::{Image, ImageStore};

const PROGRAM: &str = "qemu-system-x86_64";

/// Makes virtual machines with QEMU on this computer.
#[derive(Clone, Debug)]
pub struct QemuProvider {
    /// Folder for what is found out once: `/var/cache/kinstall`.
    pub cache: PathBuf,
    pub images: ImageStore,
}

impl Provider for QemuProvider {
    fn obstacles(&self) -> Diagnostics {
        obstacles::find()
    }

    fn observe(&self, lab: &Lab) -> Result<Vec<ObservedMachine>, ProviderError> {
        let folder = LabFolder::of(lab);
        let mut names: Vec<String> = lab.machines.iter().map(|it| it.name.clone()).collect();
        let left_over = folder.machines()?;
        names.extend(left_over.into_iter().filter(|it| lab.machine(it).is_none()));
        names
            .into_iter()
            .map(|name| observe(&folder.machine(lab, &name)))
            .collect()
    }

    fn check(&self, lab: &Lab, changes: &[MachineChange]) -> Result<(), ProviderError> {
        machine_image::check_all(&self.images, lab, changes, |_, _| Ok(()))
    }

    fn up(
        &self,
        lab: &Lab,
        changes: &[MachineChange],
        report: Report,
    ) -> Result<(), ProviderError> {
        let lab_folder = LabFolder::of(lab);
        lab_folder.create()?;
        let doomed = changes
            .iter()
            .filter(|it| it.action == MachineAction::Remove);
        let doomed: Vec<&str> = doomed.map(|it| it.host.as_str()).collect();
        self.remove(lab, &doomed, report)?;
        let created = changes
            .iter()
            .filter(|it| it.action == MachineAction::Create);
        let created: Vec<_> = created.filter_map(|it| lab.machine(&it.host)).collect();
        let mut images: BTreeMap<&str, Image> = BTreeMap::new();
        for machine in &created {
            if !images.contains_key(machine.spec.image.as_str()) {
                let image = make::image(&self.images, lab, machine, report)?;
                images.insert(&machine.spec.image, image);
            }
        }
        parallel::all(&created, |machine| {
            make::machine(lab, machine, &images[machine.spec.image.as_str()])?;
            report(&machine.name, "created");
            Ok(())
        })?;
        let to_run = changes
            .iter()
            .filter(|it| it.action != MachineAction::Remove);
        let names: Vec<&str> = to_run.map(|it| it.host.as_str()).collect();
        // A change may wake a machine, to shut it down.
        network::prepare(lab, &names)?;
        parallel::all(changes, |change| self.change(lab, change, report))?;
        self.start(lab, &names, report)
    }

    fn remove(&self, lab: &Lab, names: &[&str], report: Report) -> Result<(), ProviderError> {
        parallel::all(names, |name| {
            let folder = LabFolder::of(lab).machine(lab, name);
            process::end(&folder)?;
            folder.remove()?;
            report(name, "removed");
            Ok(())
        })
    }

    fn down(&self, lab: &Lab, report: Report) -> Result<(), ProviderError> {
        let folder = LabFolder::of(lab);
        let names = folder.machines()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.remove(lab, &names, report)?;
        folder.namespace().remove()?;
        folder.remove()?;
        machine_image::release(&self.images, lab)
    }

    fn power(
        &self,
        lab: &Lab,
        names: &[&str],
        power: Power,
        report: Report,
    ) -> Result<(), ProviderError> {
        let folder = LabFolder::of(lab);
        match power {
            Power::Start | Power::Resume => self.start(lab, names, report),
            Power::Halt => parallel::all(names, |name| {
                let folder = folder.machine(lab, name);
                power::halt(lab, &folder, self.acceleration(), report)
            }),
            Power::Suspend => {
                for name in names {
                    obstacles::check_shared_folders(&folder.machine(lab, name), "suspended")?;
                }
                parallel::all(names, |name| {
                    power::suspend(&folder.machine(lab, name), report)
                })
            }
        }
    }

    fn has_first_boot(&self) -> bool {
        true
    }

    fn shared_folders(&self) -> Option<SharedFolders> {
        Some(SharedFolders::NineP)
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        Some(self)
    }

    fn console_log(&self, lab: &Lab, name: &str) -> PathBuf {
        LabFolder::of(lab).machine(lab, name).console_log()
    }

    fn dial(&self, lab: &Lab, target: SocketAddr) -> io::Result<TcpStream> {
        LabFolder::of(lab).namespace().dial(target)
    }

    fn run_in_network(&self, lab: &Lab, command: &mut Command) -> io::Result<ExitStatus> {
        LabFolder::of(lab).namespace().run(command)
    }

    fn patience(&self) -> Duration {
        self.acceleration().patience()
    }
}

impl QemuProvider {
    fn acceleration(&self) -> Acceleration {
        Acceleration::detect(&self.cache)
    }

    /// Starts what doesn't run.
    fn start(&self, lab: &Lab, names: &[&str], report: Report) -> Result<(), ProviderError> {
        let lab_folder = LabFolder::of(lab);
        let mut sleeping = Vec::new();
        let mut memory_mib = 0;
        for name in names {
            let folder = lab_folder.machine(lab, name);
            let record = MachineRecord::require(&folder)?;
            match process::state(&folder)? {
                MachineState::Running => continue,
                MachineState::Paused => {}
                _ => memory_mib += record.hardware.memory_mib,
            }
            sleeping.push(folder);
        }
        obstacles::check_memory(memory_mib)?;
        network::prepare(lab, names)?;
        let acceleration = self.acceleration();
        parallel::all(&sleeping, |folder| {
            power::start(lab, folder, acceleration, report)
        })
    }

    fn change(
        &self,
        lab: &Lab,
        change: &MachineChange,
        report: Report,
    ) -> Result<(), ProviderError> {
        let MachineAction::Change { needs_halt, .. } = change.action else {
            return Ok(());
        };
        let Some(machine) = lab.machine(&change.host).filter(|_| change.is_possible()) else {
            return Ok(());
        };
        let folder = LabFolder::of(lab).machine(lab, &machine.name);
        let record = MachineRecord::require(&folder)?;
        if needs_halt {
            power::halt(lab, &folder, self.acceleration(), report)?;
        } else if let Process::Alive(mut monitor) = process::find(&folder)? {
            let failed = |error: io::Error| folder.failed("forward ports to")(error.to_string());
            let (before, after) = (&record.forwarded_ports, &machine.spec.forwarded_ports);
            for port in before.iter().filter(|port| !after.contains(port)) {
                // An interrupted change may have removed it; what the monitor says of it is no error.
                let rule = command_line::port_rule(*port);
                let rule = rule.split('-').next().unwrap_or_default();
                let _ = monitor.command(&format!("hostfwd_remove card0 {rule}"));
            }
            for port in after.iter().filter(|port| !before.contains(port)) {
                let rule = command_line::port_rule(*port);
                monitor
                    .command(&format!("hostfwd_add card0 {rule}"))
                    .map_err(failed)?;
            }
            let mut record = record;
            record.forwarded_ports.clone_from(after);
            record.write(&folder)?;
            report(&machine.name, "changed");
            return Ok(());
        }
        let mut record = record;
        record.egress = lab.egress;
        make::change(&folder, machine, record)?;
        report(&machine.name, "changed");
        Ok(())
    }
}

fn observe(folder: &MachineFolder) -> Result<ObservedMachine, ProviderError> {
    let (state, settings) = match MachineRecord::read(folder)? {
        Some(record) => (process::state(folder)?, Some(record.settings(folder)?)),
        None if folder.path().exists() => (MachineState::Unfinished, None),
        None => (MachineState::Absent, None),
    };
    Ok(ObservedMachine {
        name: folder.name.clone(),
        state,
        settings,
    })
}
