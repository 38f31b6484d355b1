//! Runs kinstall, and looks at the clock and at the memory of its processes meanwhile.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;

/// The kernel keeps the peak, so looking seldom misses little: what comes just before the end.
const LOOK: Duration = Duration::from_millis(20);
/// Finding the agents means reading all of `/proc`; they live as long as the run.
const SEARCH: Duration = Duration::from_secs(1);

/// What one run of a program took.
pub struct Measured {
    pub seconds: f64,
    /// Peak resident memory in bytes.
    pub memory: u64,
    /// The largest peak among the agents on this computer's nodes; 0 if the run was too short to find them.
    pub agent_memory: u64,
    /// Lines of stdout with the second in which each came.
    pub events: Vec<(f64, Value)>,
}

/// Runs a program that writes JSON lines, or nothing, to stdout; it must succeed, else its stderr is the error.
pub fn run(command: &mut Command) -> Result<Measured> {
    let started = Instant::now();
    let mut errors = tempfile::tempfile()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors.try_clone()?)
        .spawn()?;
    let pid = child.id();
    let stdout = child.stdout.take().ok_or("no stdout")?;
    let ended = AtomicBool::new(false);
    let (events, status, seconds, (memory, agent_memory)) = thread::scope(|scope| {
        let memory = scope.spawn(|| watch_memory(pid, &ended));
        let mut events = Vec::new();
        for line in BufReader::new(stdout)
            .lines()
            .map_while(std::result::Result::ok)
        {
            if let Ok(event) = serde_json::from_str(&line) {
                events.push((started.elapsed().as_secs_f64(), event));
            }
        }
        let status = child.wait();
        let seconds = started.elapsed().as_secs_f64();
        ended.store(true, Ordering::Relaxed);
        (events, status, seconds, memory.join().unwrap_or_default())
    });
    let status = status?;
    if !status.success() {
        errors.rewind()?;
        let errors = io::read_to_string(errors)?;
        return Err(format!("{errors}\n{command:?} ended with {status}").into());
    }
    Ok(Measured {
        seconds,
        memory,
        agent_memory,
        events,
    })
}

/// Returns the peaks of the program and of the agents in bytes.
fn watch_memory(pid: u32, ended: &AtomicBool) -> (u64, u64) {
    let (mut program, mut agent) = (0, 0);
    let (mut agents, mut searched) = (Vec::new(), Instant::now());
    while !ended.load(Ordering::Relaxed) {
        program = program.max(peak(pid));
        if searched.elapsed() > SEARCH {
            agents = find_agents();
            searched = Instant::now();
        }
        agent = agents.iter().map(|pid| peak(*pid)).fold(agent, u64::max);
        thread::sleep(LOOK);
    }
    (program, agent)
}

fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or_default() * 1024
}

/// Processes of nodes on this computer are its own as well.
fn find_agents() -> Vec<u32> {
    let is_agent = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(b"/usr/local/libexec/kinstall/") && line.ends_with(b"\0agent\0")
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_agent)
        .collect()
}
