//! What a program writes, line by line, without missing or waiting for anything.
//!
//! One thread both watches the program and reads. Once the program has ended, all that it wrote is in the
//! pipes: it is read to the last byte, and what a process that it left running may still write is not
//! waited for.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Longer lines are cut into pieces.
const LONGEST_LINE: usize = 16 << 10;
/// No pipe holds more, unless a program of root's made it larger.
const LARGEST_PIPE: usize = 1 << 20;

/// A program that has closed its outputs is about to end, mostly.
const CLOSED: Duration = Duration::from_millis(5);

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Stdout,
    Stderr,
    /// Both outputs go through one pipe, so that their lines keep their order.
    Both,
}

/// The program's ends of its outputs' pipes.
#[derive(Debug, Default)]
pub struct Pipes(Vec<Pipe>);

#[derive(Debug)]
struct Pipe {
    source: Source,
    file: File,
    /// The begin of a line whose end hasn't come.
    rest: Vec<u8>,
    is_open: bool,
}

impl Pipes {
    /// Adds a pipe; from now on reading it doesn't wait.
    pub fn add(&mut self, source: Source, pipe: impl Into<OwnedFd>) -> io::Result<()> {
        let pipe = pipe.into();
        rustix::io::ioctl_fionbio(&pipe, true)?;
        self.0.push(Pipe {
            source,
            file: File::from(pipe),
            rest: Vec::new(),
            is_open: true,
        });
        Ok(())
    }

    /// Waits until there is something to read, or the program closed its outputs, or time is up.
    pub fn wait(&self, longest: Duration) -> io::Result<()> {
        let open = self.0.iter().filter(|pipe| pipe.is_open);
        let mut ready: Vec<PollFd<'_>> = open
            .map(|pipe| PollFd::new(&pipe.file, PollFlags::IN))
            .collect();
        if ready.is_empty() {
            std::thread::sleep(longest.min(CLOSED));
            return Ok(());
        }
        let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
        match poll(&mut ready, Some(&longest)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the lines that are there.
    pub fn read(&mut self, mut take: impl FnMut(Source, String)) {
        for pipe in &mut self.0 {
            pipe.read(&mut take);
        }
    }

    /// Takes the lines that are left when the program has ended, whole or not.
    pub fn finish(&mut self, mut take: impl FnMut(Source, String)) {
        for pipe in &mut self.0 {
            pipe.read(&mut take);
            if !pipe.rest.is_empty() {
                take(pipe.source, visible(&pipe.rest));
                pipe.rest.clear();
            }
        }
    }
}

impl Pipe {
    /// Reads what is there, but no more than a pipe can hold at a time: a program that never stops
    /// writing is to be watched as well.
    fn read(&mut self, take: &mut impl FnMut(Source, String)) {
        let mut buffer = [0; 16 << 10];
        let mut total = 0;
        while self.is_open && total < LARGEST_PIPE {
            match self.file.read(&mut buffer) {
                Ok(0) => self.is_open = false,
                Ok(count) => {
                    total += count;
                    self.rest.extend_from_slice(&buffer[..count]);
                    self.take_lines(take);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // As good as its end.
                Err(_) => self.is_open = false,
            }
        }
    }

    fn take_lines(&mut self, take: &mut impl FnMut(Source, String)) {
        loop {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            let (line, next) = match end {
                Some(end) if end <= LONGEST_LINE => (end, end + 1),
                _ if self.rest.len() > LONGEST_LINE => (LONGEST_LINE, LONGEST_LINE),
                _ => return,
            };
            take(self.source, visible(&self.rest[..line]));
            self.rest.drain(..next);
        }
    }
}

/// What a terminal would show: progress bars return to the line's begin and write over it.
fn visible(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    text.rsplit('\r').next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines_of(written: &[u8]) -> Vec<String> {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut pipes = Pipes::default();
        pipes.add(Source::Both, reader).unwrap();
        writer.write_all(written).unwrap();
        let mut lines = Vec::new();
        // The writer is still there: the last line hasn't ended.
        pipes.read(|_, line| lines.push(line));
        pipes.finish(|_, line| lines.push(line));
        lines
    }

    #[test]
    fn all_that_was_written_is_read_although_the_pipe_stays_open() {
        assert_eq!(
            lines_of(b"one\r\n10%\r20%\n\nlast"),
            ["one", "20%", "", "last"]
        );
        let long = vec![b'x'; LONGEST_LINE + 1];
        let pieces = lines_of(&long);
        assert_eq!(
            pieces.iter().map(String::len).collect::<Vec<_>>(),
            [LONGEST_LINE, 1]
        );
    }
}
