//! The end of what a machine or a program wrote, for error messages.

use std::fs;
use std::path::Path;

/// Returns the last lines that aren't blank, without control sequences.
pub fn last_lines(text: &str, count: usize) -> String {
    let text = plain(text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Returns the last lines of a log; one that isn't there has nothing to tell.
pub fn end_of(log: &Path, count: usize) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    last_lines(&String::from_utf8_lossy(&bytes), count)
}

/// Leaves out what moves a terminal's cursor and colours its text: `ESC [ … letter`, and single bytes.
fn plain(text: &str) -> String {
    let mut characters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(it) = characters.next() {
        if it == '\u{1b}' {
            if characters.next() == Some('[') {
                characters.by_ref().find(char::is_ascii_alphabetic);
            }
        } else if it == '\n' || it == '\t' || !it.is_control() {
            plain.push(it);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn what_a_console_said_last_is_readable() {
        let log = "\u{1b}[2J\u{1b}[0;32m  OK  \u{1b}[0m started\r\n\r\n\u{1b}[1A[***] a job\r\n\tlast\u{7}\r\n \r\n";
        assert_eq!(last_lines(log, 2), "[***] a job\n\tlast");
        assert_eq!(last_lines(log, 9), "  OK   started\n[***] a job\n\tlast");
        assert_eq!(last_lines("", 3), "");
    }
}
