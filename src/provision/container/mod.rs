//! Machines as system containers: systemd-nspawn with real systemd and sshd, on a bridge of their own.
//!
//! ```text
//! kinstall up ── base_image ── clone ──┐                    ┌ nspawn node1 ┐
//!                                      ├─ lab-supervisor ───┼ nspawn node2 ├─ bridge in the lab's
//! kinstall net, ssh, forward ── dial ──┘   (one per lab)    └ forwards     ┘  network namespace
//! ```
//!
//! The supervisor is the first process of a PID namespace, so whatever ends it ends every process of
//! the lab with it, and its mounts live in a mount namespace that goes the same way.

mod account;
mod base_image;
mod cgroup;
mod clone;
mod egress;
mod group;
mod lab_directory;
mod nspawn;
mod obstacles;
mod package_source;
pub mod supervisor;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use self::base_image::BaseImage;
use self::lab_directory::{LabDirectory, LabRecord};
use self::package_source::PackageSource;
use super::{
    Lab, Machine, MachineAction, MachineChange, MachineSettings, MachineState, ObservedMachine,
    Power, Provider, ProviderError, Report, last_words, plan,
};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// How long a machine may take until its sshd listens.
const START_TIMEOUT: Duration = Duration::from_mins(2);

/// Makes system containers on this computer.
#[derive(Clone, Debug)]
pub struct ContainerProvider {
    /// Folder for base images, on a real file system: `/var/cache/kinstall`.
    pub cache: PathBuf,
    /// The kinstall program: it is started again as the lab's supervisor.
    pub program: PathBuf,
    /// Debian mirror for the base image; by default the one that this computer's apt uses.
    pub mirror: Option<String>,
}

impl Provider for ContainerProvider {
    fn obstacles(&self) -> Diagnostics {
        let image = self.base_image();
        let mut found = obstacles::find(image.as_ref().is_ok_and(BaseImage::exists));
        if let Err(error) = image {
            found.push(Diagnostic::from_error(Kind::Environment, &error));
        }
        found
    }

    fn observe(&self, lab: &Lab) -> Result<Vec<ObservedMachine>, ProviderError> {
        let directory = LabDirectory::of(lab);
        let running = supervisor::client::running_machines(&directory)?;
        let names = lab.machines.iter().map(|machine| machine.name.clone());
        // Before the first start there is none.
        let record = directory.read_record().ok();
        Ok(names
            .chain(directory.left_over(lab)?)
            .map(|name| ObservedMachine {
                state: if running.contains(&name) {
                    MachineState::Running
                } else if directory.machine(&name).is_complete() {
                    MachineState::Stopped
                } else if directory.machine(&name).path().exists() {
                    MachineState::Unfinished
                } else {
                    MachineState::Absent
                },
                settings: record
                    .as_ref()
                    .zip(lab.machine(&name))
                    .and_then(|(record, machine)| settings(lab, machine, record)),
                name,
            })
            .collect())
    }

    fn up(
        &self,
        lab: &Lab,
        changes: &[MachineChange],
        report: Report,
    ) -> Result<(), ProviderError> {
        let directory = LabDirectory::of(lab);
        let image = self.base_image()?;
        if !image.exists() {
            report("", "building the base image");
            image.build()?;
        }
        directory.create()?;
        let removed: Vec<&str> = changes
            .iter()
            .filter(|change| change.action == MachineAction::Remove)
            .map(|change| change.host.as_str())
            .collect();
        if !removed.is_empty() {
            self.remove(lab, &removed, report)?;
        }
        for machine in &lab.machines {
            if clone::create(
                &directory.machine(&machine.name),
                &image.root(),
                lab,
                machine,
            )? {
                report(&machine.name, "created");
            }
        }
        let restarted = changes.iter().filter(|change| {
            matches!(
                change.action,
                MachineAction::Change {
                    needs_halt: true,
                    ..
                }
            )
        });
        let restarted: Vec<&str> = restarted.map(|it| it.host.as_str()).collect();
        if !restarted.is_empty() {
            // What they have besides their files, they get when they start.
            supervisor::client::halt(&directory, &restarted)?;
        }
        directory.write_record(&LabRecord::new(lab, image.root()))?;
        let names: Vec<&str> = lab.machines.iter().map(|it| it.name.as_str()).collect();
        self.start(lab, &names, report)
    }

    fn remove(&self, lab: &Lab, names: &[&str], report: Report) -> Result<(), ProviderError> {
        let directory = LabDirectory::of(lab);
        supervisor::client::halt(&directory, names)?;
        for name in names {
            directory.machine(name).remove()?;
            report(name, "removed");
        }
        Ok(())
    }

    fn power(
        &self,
        lab: &Lab,
        names: &[&str],
        power: Power,
        report: Report,
    ) -> Result<(), ProviderError> {
        let directory = LabDirectory::of(lab);
        match power {
            Power::Start => self.start(lab, names, report),
            Power::Halt => {
                supervisor::client::halt(&directory, names)?;
                for name in names {
                    report(name, "halted");
                }
                Ok(())
            }
            Power::Suspend | Power::Resume => Err(ProviderError::Obstacle {
                message: "system containers can't be suspended".into(),
                hints: vec!["`kinstall halt` powers them off; they start in seconds".into()],
            }),
        }
    }

    fn console_log(&self, lab: &Lab, name: &str) -> PathBuf {
        LabDirectory::of(lab).machine(name).console_log()
    }

    fn patience(&self) -> Duration {
        Duration::from_mins(1)
    }

    fn notices(&self, lab: &Lab) -> Vec<String> {
        egress::notices(&LabDirectory::of(lab))
    }

    fn down(&self, lab: &Lab, report: Report) -> Result<(), ProviderError> {
        let directory = LabDirectory::of(lab);
        supervisor::client::kill(&directory)?;
        egress::close(&directory)?;
        directory.namespace().remove()?;
        directory.remove()?;
        for machine in &lab.machines {
            report(&machine.name, "removed");
        }
        Ok(())
    }

    fn dial(&self, lab: &Lab, target: SocketAddr) -> io::Result<TcpStream> {
        LabDirectory::of(lab).namespace().dial(target)
    }

    fn run_in_network(&self, lab: &Lab, command: &mut Command) -> io::Result<ExitStatus> {
        LabDirectory::of(lab).namespace().run(command)
    }
}

/// Returns what a machine was last started with. Containers have no disks of their own, so nothing of those
/// differs.
fn settings(lab: &Lab, machine: &Machine, record: &LabRecord) -> Option<MachineSettings> {
    let started = record.machines.iter().find(|it| it.name == machine.name)?;
    let mut made_with = plan::made_with(lab, machine);
    let prefix = record.gateway.prefix_len();
    let own = IpNet::new(started.address, prefix).unwrap_or_else(|_| started.address.into());
    if let Some(first) = made_with.addresses.first_mut() {
        *first = own;
    }
    Some(MachineSettings {
        cpus: started.cpus,
        memory_mib: started.memory_mib,
        disk_mib: machine.spec.disk_gib << 10,
        extra_disks_gib: machine.spec.extra_disks_gib.clone(),
        forwarded_ports: machine.spec.forwarded_ports.clone(),
        shared_folders: machine.spec.shared_folders.clone(),
        made_with,
        takes_address: true,
        egress: Some(record.egress),
        changes_egress: true,
    })
}

impl ContainerProvider {
    fn start(&self, lab: &Lab, names: &[&str], report: Report) -> Result<(), ProviderError> {
        let directory = LabDirectory::of(lab);
        for name in supervisor::client::start(&directory, &self.program, &lab.id, names)? {
            report(&name, "started");
        }
        let record = directory.read_record()?;
        egress::settle(&directory, &record, |change| {
            report("", change);
        })?;
        wait_for_sshd(&directory, lab, names, report)
    }

    fn base_image(&self) -> Result<BaseImage, ProviderError> {
        let source = PackageSource::find(self.mirror.as_deref()).ok_or_else(|| ProviderError::Lab {
            action: "find a package mirror for the base image".into(),
            detail: "apt's sources have no archive of this computer's distribution; name a Debian mirror".into(),
        })?;
        Ok(BaseImage::new(&self.cache, source))
    }
}

/// Waits until every machine's sshd listens; a machine that ends before is an error with its last words.
fn wait_for_sshd(
    directory: &LabDirectory,
    lab: &Lab,
    names: &[&str],
    report: Report,
) -> Result<(), ProviderError> {
    let namespace = directory.namespace();
    let deadline = Instant::now() + START_TIMEOUT;
    let mut waiting: Vec<&Machine> = lab
        .machines
        .iter()
        .filter(|machine| names.contains(&machine.name.as_str()))
        .collect();
    loop {
        waiting.retain(|machine| {
            let target = SocketAddr::new(machine.address, 22);
            let answers = namespace
                .dial_within(target, Duration::from_millis(200))
                .is_ok();
            if answers {
                report(&machine.name, "answers");
            }
            !answers
        });
        if waiting.is_empty() {
            return Ok(());
        }
        let running = supervisor::client::running_machines(directory)?;
        let is_late = Instant::now() > deadline;
        // A machine that reboots is away for a moment, but nobody reboots one that was just started.
        if let Some(machine) = waiting
            .iter()
            .find(|machine| is_late || !running.contains(&machine.name))
        {
            let log = directory.machine(&machine.name).console_log();
            let what = if is_late {
                "its sshd doesn't listen"
            } else {
                "it ended"
            };
            let last_words = last_words::end_of(&log, 10);
            return Err(ProviderError::Machine {
                action: "start",
                machine: machine.name.clone(),
                detail: format!("{what}; its console said last:\n{last_words}"),
            });
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Folder of the modules of the kernel that runs; absent where all is built in.
fn host_modules() -> PathBuf {
    PathBuf::from("/lib/modules").join(clone::kernel_release())
}
