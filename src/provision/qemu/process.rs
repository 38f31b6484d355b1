//! A machine's QEMU: started, found, ended. Whether it runs is what its monitor says.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tracing::debug;

use super::PROGRAM;
use super::folder::{MachineFolder, remove_file};
use super::monitor::{Monitor, RunState};
use super::record::MachineRecord;
use crate::provision::{MachineState, ProviderError, last_words};

/// Name of the snapshot that keeps a suspended machine's memory.
const SUSPENDED: &str = "kinstall-suspended";

/// How long QEMU may take until its monitor answers, or until it is gone.
const TRANSITION_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a machine may take to shut down.
const HALT_TIMEOUT: Duration = Duration::from_mins(2);

/// What is there of a machine's QEMU.
pub(super) enum Process {
    Alive(Monitor),
    /// It ended in order, or never ran.
    Off,
    /// It left its file behind: it was killed, or the computer went off.
    Dead,
}

/// Looks for a machine's QEMU.
pub(super) fn find(folder: &MachineFolder) -> Result<Process, ProviderError> {
    let failed = folder.failed("ask");
    let deadline = Instant::now() + TRANSITION_TIMEOUT;
    loop {
        let monitor = Monitor::connect(folder.path()).map_err(|error| failed(error.to_string()))?;
        if let Some(monitor) = monitor {
            return Ok(Process::Alive(monitor));
        }
        // It is just starting or ending.
        let Some(pid) = pid(folder) else {
            return Ok(if folder.file("qemu.pid").exists() {
                Process::Dead
            } else {
                Process::Off
            });
        };
        if Instant::now() > deadline {
            let pid = pid.as_raw_nonzero();
            return Err(failed(format!("its QEMU (process {pid}) doesn't answer")));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Returns what a complete machine is doing.
pub(super) fn state(folder: &MachineFolder) -> Result<MachineState, ProviderError> {
    Ok(match find(folder)? {
        Process::Alive(mut monitor) => match monitor.state() {
            Ok(RunState::Running) => MachineState::Running,
            Ok(RunState::Paused) => MachineState::Paused,
            Err(error) => return Err(folder.failed("ask")(error.to_string())),
        },
        _ if folder.suspended().exists() => MachineState::Suspended,
        Process::Off => MachineState::Stopped,
        Process::Dead => MachineState::Aborted,
    })
}

/// Starts QEMU, which must not run.
pub(super) fn launch(
    folder: &MachineFolder,
    arguments: &[String],
) -> Result<Monitor, ProviderError> {
    let failed = folder.failed("start");
    remove_file(&folder.file("qemu.pid"))?;
    let start = Instant::now();
    let output = Command::new(PROGRAM)
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("{PROGRAM}: {error}")))?;
    debug!(
        arguments = arguments.join(" "),
        milliseconds = start.elapsed().as_millis(),
        status = %output.status,
        "{PROGRAM}"
    );
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(failed(last_words::last_lines(&words, 5)));
    }
    match find(folder)? {
        Process::Alive(monitor) => Ok(monitor),
        _ => Err(failed(gone(folder))),
    }
}

/// Lets a paused QEMU, just started, go on where the machine was suspended.
pub(super) fn wake(
    folder: &MachineFolder,
    record: &MachineRecord,
    monitor: &mut Monitor,
) -> Result<(), ProviderError> {
    let disks = record.hardware.disks();
    let failed = |error: std::io::Error| folder.failed("resume")(error.to_string());
    monitor.load(SUSPENDED, disks).map_err(failed)?;
    // From here on its disk changes: the saved memory must never be taken for the newest.
    remove_file(&folder.suspended())?;
    monitor.go_on().map_err(failed)?;
    monitor.delete(SUSPENDED, disks).map_err(failed)
}

/// Keeps the machine's memory in its disk and ends QEMU.
pub(super) fn suspend(
    folder: &MachineFolder,
    record: &MachineRecord,
    mut monitor: Monitor,
) -> Result<(), ProviderError> {
    let failed = |error: std::io::Error| folder.failed("suspend")(error.to_string());
    let disks = record.hardware.disks();
    monitor.stop().map_err(failed)?;
    // What an interrupted waking left.
    let _ = monitor.delete(SUSPENDED, disks);
    if let Err(error) = monitor.save(SUSPENDED, disks) {
        // It goes on as if nothing had happened; the first error is the one to report.
        let _ = monitor.go_on();
        return Err(failed(error));
    }
    let marker = folder.suspended();
    fs::write(&marker, "").map_err(ProviderError::file("write", &marker))?;
    monitor.quit().map_err(failed)?;
    drop(monitor);
    wait_for_end(folder, TRANSITION_TIMEOUT)
        .then_some(())
        .ok_or_else(|| folder.failed("suspend")("its QEMU doesn't end".into()))
}

/// Shuts the machine down, and switches it off where that takes too long.
pub(super) fn halt(folder: &MachineFolder) -> Result<(), ProviderError> {
    let failed = |error: std::io::Error| folder.failed("halt")(error.to_string());
    let Process::Alive(mut monitor) = find(folder)? else {
        return Ok(());
    };
    if monitor.state().map_err(failed)? == RunState::Paused {
        monitor.go_on().map_err(failed)?;
    }
    monitor.power_down().map_err(failed)?;
    drop(monitor);
    if wait_for_end(folder, HALT_TIMEOUT) {
        return Ok(());
    }
    end(folder)
}

/// Switches the machine off.
pub(super) fn end(folder: &MachineFolder) -> Result<(), ProviderError> {
    // A QEMU that hangs is killed below.
    if let Ok(Process::Alive(mut monitor)) = find(folder)
        && monitor.quit().is_ok()
    {
        drop(monitor);
        if wait_for_end(folder, TRANSITION_TIMEOUT) {
            return Ok(());
        }
    }
    let deadline = Instant::now() + TRANSITION_TIMEOUT;
    // While it starts, it is more than one process.
    while let Some(pid) = pid(folder) {
        if Instant::now() > deadline {
            return Err(folder.failed("switch off")("its QEMU doesn't end".into()));
        }
        // It may have ended in this moment.
        let _ = kill_process(pid, Signal::KILL);
        thread::sleep(Duration::from_millis(20));
    }
    remove_file(&folder.file("qemu.pid"))
}

/// Returns the text for a QEMU that ended by itself.
pub(super) fn gone(folder: &MachineFolder) -> String {
    let words = last_words(folder);
    format!("its QEMU ended; its console said last:\n{words}")
}

/// Returns the end of what the machine wrote to its console.
pub(super) fn last_words(folder: &MachineFolder) -> String {
    last_words::end_of(&folder.console_log(), 10)
}

fn wait_for_end(folder: &MachineFolder, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    while pid(folder).is_some() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Returns the process of the machine; one that is just starting hasn't written its file yet.
fn pid(folder: &MachineFolder) -> Option<Pid> {
    let text = fs::read_to_string(folder.file("qemu.pid")).unwrap_or_default();
    // An old file may name a process that is somebody else's now.
    let written = text.trim().parse().ok();
    let number = written
        .filter(|number| is_machine(*number, &folder.title))
        .or_else(|| {
            let processes = fs::read_dir("/proc").ok()?.flatten();
            let mut numbers = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
            numbers.find(|number| is_machine(*number, &folder.title))
        });
    Pid::from_raw(number?)
}

fn is_machine(process: i32, title: &str) -> bool {
    let command_line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let arguments: Vec<&[u8]> = command_line.split(|byte| *byte == 0).collect();
    arguments
        .windows(2)
        .any(|pair| pair == [b"-name", title.as_bytes()])
}
