//! Runs a program of this computer and passes on what it prints.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::build_error::BuildError;
use super::progress::{Progress, Report};

/// Lines of a failed program that the user gets to see.
const LAST_LINES: usize = 20;

/// A program at work for a part of the bundle.
pub(super) struct Process<'a> {
    pub(super) part: &'a str,
    pub(super) command: Command,
    /// Finds out from a failed program's lines what to do.
    pub(super) hint: &'a (dyn Fn(&[String]) -> Option<String> + Sync),
}

impl Process<'_> {
    /// Runs it to its end; both its outputs are reported line by line.
    pub(super) fn run(self, report: &Report<'_>) -> Result<(), BuildError> {
        self.run_with_output(report, &mut |_| Ok(()))
    }

    /// As [`Process::run`], but `read` gets what the program prints on its standard output.
    pub(super) fn run_with_output(
        mut self,
        report: &Report<'_>,
        read: &mut dyn FnMut(&mut dyn Read) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let program = program_name(&self.command);
        let mut child = self
            .command
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| BuildError::Start {
                program: program.clone(),
                source,
            })?;
        let last_lines = Mutex::new(VecDeque::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| {
                let Some(stderr) = stderr else { return };
                self.pass_on(stderr, report, &last_lines);
            });
            let Some(mut stdout) = stdout else {
                return Ok(());
            };
            let outcome = read(&mut stdout);
            // What is left unread would block the program.
            self.pass_on(stdout, report, &last_lines);
            outcome
        });
        let status = child.wait().map_err(|source| BuildError::Start {
            program: program.clone(),
            source,
        })?;
        if status.success() {
            return outcome;
        }
        let last_lines = last_lines.into_inner().unwrap_or_default();
        let last_lines = Vec::from(last_lines);
        Err(BuildError::Command {
            part: self.part.into(),
            program,
            ending: match status.code() {
                Some(code) => format!("ended with exit code {code}"),
                None => format!("was stopped ({status})"),
            },
            hint: (self.hint)(&last_lines),
            last_lines,
        })
    }

    fn pass_on(&self, output: impl Read, report: &Report<'_>, last: &Mutex<VecDeque<String>>) {
        // A program that prints something else than text still has to be read to its end.
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            report(Progress::Output {
                part: self.part,
                line,
            });
            // `go build -v` prints the name of every package: of no use once it failed.
            if line.contains(' ')
                && let Ok(mut last) = last.lock()
            {
                last.push_back(line.to_owned());
                if last.len() > LAST_LINES {
                    last.pop_front();
                }
            }
        }
    }
}

/// Returns the program with its first argument if that is a word: `go build`.
fn program_name(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default();
    match command.get_args().next().and_then(|first| first.to_str()) {
        Some(word) if word.chars().all(char::is_alphabetic) => format!("{program} {word}"),
        _ => program.to_owned(),
    }
}
