//! The machines and forwards that a supervisor runs, each on a thread of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, Signal, kill_process};

use super::super::group::LabGroups;
use super::super::lab_directory::{LabDirectory, LabRecord, MachineRecord};
use super::super::{clone, nspawn};
use crate::provision::forward::{self, Targets};
use crate::provision::{Forward, ProviderError};

/// How long machines may take to power off before they are killed with the supervisor.
const STOP_TIMEOUT: Duration = Duration::from_secs(45);

/// What a supervisor runs.
pub(super) struct Machines {
    shared: Arc<Shared>,
    /// Where each port leads now.
    forwards: Mutex<BTreeMap<SocketAddr, Arc<Targets>>>,
}

/// What the threads of the machines see.
struct Shared {
    directory: LabDirectory,
    groups: LabGroups,
    /// nspawn's process of each machine that runs.
    running: Mutex<BTreeMap<String, Pid>>,
}

impl Machines {
    pub(super) fn new(directory: LabDirectory, groups: LabGroups) -> Self {
        let shared = Shared {
            directory,
            groups,
            running: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
            forwards: Mutex::default(),
        }
    }

    /// Names the machines that run.
    pub(super) fn running(&self) -> Vec<String> {
        lock(&self.shared.running).keys().cloned().collect()
    }

    /// Starts machines and all forwards of the record that don't run; names the machines it started.
    pub(super) fn start(
        &self,
        record: LabRecord,
        names: &[String],
    ) -> Result<Vec<String>, ProviderError> {
        for forward in &record.forwards {
            self.start_forward(forward)?;
        }
        let running = self.running();
        let record = Arc::new(record);
        let starting: Vec<_> = record
            .machines
            .iter()
            .filter(|machine| names.contains(&machine.name) && !running.contains(&machine.name))
            .map(|machine| {
                (
                    machine.name.clone(),
                    self.start_one(Arc::clone(&record), machine.clone()),
                )
            })
            .collect();
        let mut started = Vec::new();
        for (name, outcome) in starting {
            outcome
                .recv()
                .unwrap_or_else(|_| Err(machine_error(&name, "its thread died")))?;
            started.push(name);
        }
        Ok(started)
    }

    /// Powers all machines off; names those that had to be left to be killed.
    pub(super) fn stop(&self) -> Vec<String> {
        self.halt(&self.running())
    }

    /// Powers machines off; names those that had to be left to be killed.
    pub(super) fn halt(&self, names: &[String]) -> Vec<String> {
        let still_running = || -> Vec<String> {
            let running = self.running().into_iter();
            running.filter(|name| names.contains(name)).collect()
        };
        for (name, pid) in lock(&self.shared.running).iter() {
            if names.contains(name) {
                // nspawn passes it on as `--kill-signal`.
                let _ = kill_process(*pid, Signal::TERM);
            }
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        while !still_running().is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        for name in names {
            // The machine may be removed now, and made again.
            let _ = unmount(
                self.shared.directory.machine(name).root(),
                UnmountFlags::DETACH,
            );
        }
        still_running()
    }

    fn start_forward(&self, forward: &Forward) -> Result<(), ProviderError> {
        let mut forwards = lock(&self.forwards);
        if let Some(targets) = forwards.get(&forward.listen) {
            targets.set(forward);
            return Ok(());
        }
        let listener = TcpListener::bind(forward.listen).map_err(|error| ProviderError::Lab {
            action: format!("listen on {}", forward.listen),
            detail: error.to_string(),
        })?;
        let targets = Arc::new(Targets::of(forward));
        forwards.insert(forward.listen, Arc::clone(&targets));
        let namespace = self.shared.directory.namespace();
        let dial = move || targets.dial(|target| namespace.dial(target));
        thread::spawn(move || forward::serve(&listener, dial));
        Ok(())
    }

    /// Starts a machine's thread; the receiver gets the outcome of the first start.
    fn start_one(
        &self,
        record: Arc<LabRecord>,
        machine: MachineRecord,
    ) -> mpsc::Receiver<Result<(), ProviderError>> {
        let (sender, receiver) = mpsc::channel();
        let shared = Arc::clone(&self.shared);
        thread::spawn(move || {
            let first = shared
                .mount(&record, &machine)
                .and_then(|()| shared.spawn(&record, &machine));
            match first {
                Ok(child) => {
                    // The receiver waits for this one message.
                    let _ = sender.send(Ok(()));
                    shared.watch(&record, &machine, child);
                }
                Err(error) => drop(sender.send(Err(error))),
            }
        });
        receiver
    }
}

impl Shared {
    fn mount(&self, record: &LabRecord, machine: &MachineRecord) -> Result<(), ProviderError> {
        let directory = self.directory.machine(&machine.name);
        // It is mounted still when the machine was powered off from inside.
        if directory.root().join("usr").exists() {
            return Ok(());
        }
        clone::mount_root(&directory, &record.image)
            .map_err(ProviderError::file("mount", &directory.root()))
    }

    /// Starts nspawn. The calling thread moves into the lab's network, so it must be the machine's own.
    fn spawn(&self, record: &LabRecord, machine: &MachineRecord) -> Result<Child, ProviderError> {
        let failed = |error: io::Error| machine_error(&machine.name, &error.to_string());
        let directory = self.directory.machine(&machine.name);
        let groups = self.groups.member_files(&machine.name)?;
        self.groups.limit(machine)?;
        let console = File::create(directory.console_log()).map_err(failed)?;
        self.directory.namespace().enter().map_err(failed)?;
        let child = nspawn::command(record, machine, &directory, &groups, self.groups.is_unified)
            .stdin(Stdio::null())
            .stdout(console.try_clone().map_err(failed)?)
            .stderr(console)
            .spawn()
            .map_err(failed)?;
        if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            lock(&self.running).insert(machine.name.clone(), pid);
        }
        Ok(child)
    }

    /// Waits for nspawn, and starts it again each time that the machine was rebooted.
    fn watch(&self, record: &LabRecord, machine: &MachineRecord, mut child: Child) {
        loop {
            let has_rebooted = child
                .wait()
                .is_ok_and(|status| status.code() == Some(nspawn::REBOOTED));
            lock(&self.running).remove(&machine.name);
            if !has_rebooted {
                return;
            }
            match self.spawn(record, machine) {
                Ok(next) => child = next,
                Err(error) => {
                    self.note(machine, &error);
                    return;
                }
            }
        }
    }

    /// Puts an error where the machine's own last words are looked for.
    fn note(&self, machine: &MachineRecord, error: &ProviderError) {
        let path = self.directory.machine(&machine.name).console_log();
        if let Ok(mut log) = File::options().append(true).create(true).open(path) {
            // There is nobody else to tell.
            let _ = writeln!(log, "{error}");
        }
    }
}

fn machine_error(machine: &str, detail: &str) -> ProviderError {
    ProviderError::Machine {
        action: "start",
        machine: machine.into(),
        detail: detail.into(),
    }
}

/// A thread that panicked leaves a map that is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
