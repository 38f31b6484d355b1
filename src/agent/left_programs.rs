//! Programs of an agent that was killed alone, by the kernel for want of memory or by a run that broke its lock: they go
//! on, and whoever comes next must not work beside them.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::converge::Node;
use crate::converge::program::OF_AGENT;

/// Finds the programs that the agent with this process id started, and what these started.
pub fn find(agent: &str, node: &Node) -> Vec<Pid> {
    let mark = format!("{OF_AGENT}={agent}");
    let entries = node.path("/proc").read_dir().into_iter().flatten();
    entries
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            // One that ended meanwhile has none any more.
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|it| it == mark.as_bytes()).then_some(id)
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// Ends them.
pub fn kill(programs: &[Pid]) {
    for program in programs {
        // It may have ended by itself.
        let _ = kill_process(*program, Signal::KILL);
    }
}
