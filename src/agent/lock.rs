//! One run at a time changes a node.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::left_programs;
use crate::converge::error::FileContext;
use crate::converge::{Node, ResourceError};

const PATH: &str = "/run/kinstall.lock";
const INTERVAL: Duration = Duration::from_millis(200);
/// How long programs of an agent that was killed may go on: no step may take longer. Only the agent would have ended one
/// that waits for ever.
const LONGEST: Duration = Duration::from_mins(30);

/// Who wants the lock.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Name of the run.
    pub run: &'a str,
    /// Who runs it, and where.
    pub controller: &'a str,
    /// Whose run it is: an earlier one of the same project ends by itself.
    pub project: &'a str,
    /// Ends the agent that has the lock.
    pub breaks: bool,
}

/// Who has the lock.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder {
    /// `run R by C since T, for 3 min`.
    pub words: String,
    /// Name of the run, where it is another project's.
    pub other: Option<String>,
}

/// The node's lock; gone with the process, however that ends. The text in it stays where that ends by force.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock. While another run has it, `waiting` is told once who that is.
    pub fn take(
        node: &Node,
        claim: Claim<'_>,
        waiting: impl FnOnce(Holder),
    ) -> Result<Self, ResourceError> {
        let path = node.path(PATH);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).doing("create the folder", folder)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .doing("open", &path)?;
        let mut waiting = Some(waiting);
        let mut breaks = claim.breaks;
        let mut read = String::new();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    let text = node.read_or_empty(PATH);
                    // Who has just taken the lock may not have written this yet: it is believed when it stays.
                    if !text.is_empty() && text == read {
                        if std::mem::take(&mut breaks) {
                            end(&text);
                        } else if let Some(waiting) = waiting.take() {
                            waiting(holder(&text, claim.project));
                        }
                    }
                    read = text;
                    node.cancel().sleep(INTERVAL)?;
                }
                Err(TryLockError::Error(error)) => return Err(error).doing("lock", &path),
            }
        }
        let text = node.read_or_empty(PATH);
        let end = Instant::now() + LONGEST;
        while let Some(agent) = field(&text, "process ") {
            let programs = left_programs::find(agent, node);
            if programs.is_empty() {
                break;
            }
            if claim.breaks || Instant::now() > end {
                left_programs::kill(&programs);
            } else if let Some(waiting) = waiting.take() {
                waiting(holder(&text, claim.project));
            }
            node.cancel().sleep(INTERVAL)?;
        }
        let now = jiff::Timestamp::now();
        let text = format!(
            "run {} by {} since {now:.0}\nproject {}\nprocess {}\n",
            claim.run,
            claim.controller,
            claim.project,
            std::process::id()
        );
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .doing("write", &path)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nothing is left of this agent's work: nobody needs to look for it. What fails here costs a look.
        let _ = self.file.set_len(0);
    }
}

/// Reads who has the lock. A file of an earlier kinstall names no project.
fn holder(text: &str, own: &str) -> Holder {
    let words = text.lines().next().unwrap_or_default().trim();
    let run = words.split_whitespace().nth(1).unwrap_or_default();
    let is_own = field(text, "project ") == Some(own);
    let began = words.rsplit(' ').next().and_then(|it| it.parse().ok());
    let age = began.map(|began: jiff::Timestamp| jiff::Timestamp::now().duration_since(began));
    let age = age.map_or_else(String::new, |age| match age.as_secs() {
        seconds @ ..120 => format!(", for {} s", seconds.max(0)),
        seconds => format!(", for {} min", seconds / 60),
    });
    Holder {
        words: format!("{words}{age}"),
        other: (!is_own).then(|| run.to_owned()),
    }
}

/// Ends the agent that has the lock, whatever it does.
fn end(text: &str) {
    let process = field(text, "process ").and_then(|it| it.parse().ok());
    let Some(process) = process.and_then(Pid::from_raw) else {
        return;
    };
    let number = process.as_raw_nonzero();
    let line = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
    let is_agent = line.split(|byte| *byte == 0).nth(1) == Some(b"agent");
    // It may have ended by now, and its number be another's.
    if is_agent {
        let _ = kill_process(process, Signal::KILL);
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim())
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;
    use crate::converge::program::OF_AGENT;

    /// A node whose agent was killed, and the program that goes on.
    fn node_with_a_left_program(number: u32) -> (tempfile::TempDir, Node, Child, String) {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/proc", root.path().join("proc")).unwrap();
        let node = Node::at(root.path());
        // No process has this id, Linux ends at 4194304; and no other test, here or beside this one.
        let agent = (4_194_305 + 2 * std::process::id() + number).to_string();
        let text = format!("run R by C since T\nproject lab\nprocess {agent}\n");
        fs::create_dir(root.path().join("run")).unwrap();
        fs::write(node.path(PATH), text).unwrap();
        let mut script = Command::new("sh");
        script.args(["-c", "sleep 60 & wait"]).env(OF_AGENT, &agent);
        let program = script.spawn().unwrap();
        while left_programs::find(&agent, &node).len() < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        (root, node, program, agent)
    }

    fn claim(breaks: bool) -> Claim<'static> {
        Claim {
            run: "R2",
            controller: "C2",
            project: "lab",
            breaks,
        }
    }

    #[test]
    fn programs_of_an_agent_that_was_killed_alone_are_waited_for() {
        let (_root, node, mut program, agent) = node_with_a_left_program(0);
        let mut told = None;
        let lock = Lock::take(&node, claim(false), |holder| {
            told = Some(holder.words);
            // In place of its end after some minutes.
            left_programs::kill(&left_programs::find(&agent, &node));
            program.wait().unwrap();
        });
        assert_eq!(told.as_deref(), Some("run R by C since T"));
        assert!(node.read_or_empty(PATH).contains("run R2"));
        drop(lock.unwrap());
        assert_eq!(node.read_or_empty(PATH), "");
    }

    #[test]
    fn who_breaks_the_lock_ends_them_with_all_that_they_started() {
        let (_root, node, mut program, agent) = node_with_a_left_program(1);
        // Reaped here, as the node's first process would.
        let reaper = std::thread::spawn(move || program.wait().unwrap());
        let lock = Lock::take(&node, claim(true), |_| panic!("nobody is waited for"));
        assert!(lock.is_ok());
        assert!(!reaper.join().unwrap().success());
        assert!(left_programs::find(&agent, &node).is_empty());
    }

    #[test]
    fn the_holder_is_named_with_its_age_and_told_from_an_earlier_run_of_the_same_project() {
        let began = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(3);
        let words = format!("run 20261127T025000Z-7 by me@laptop (pid 7) since {began:.0}");
        let text = format!("{words}\nproject a@laptop\nprocess 12\n");
        let found = holder(&text, "b@desk");
        assert_eq!(found.words, format!("{words}, for 3 min"));
        assert_eq!(found.other.as_deref(), Some("20261127T025000Z-7"));
        assert_eq!(holder(&text, "a@laptop").other, None);
        // As kinstall 0.1.0 wrote it, and a file that another process has just emptied.
        assert!(holder(&words, "a@laptop").other.is_some());
        assert_eq!(holder("", "a").words, "");
    }
}
