//! The last lines of a program's output, without what must not be seen.

use std::collections::VecDeque;

/// Lines kept for an error message.
const KEPT: usize = 20;

/// The last lines that a program printed.
#[derive(Debug, Default)]
pub struct Tail(VecDeque<String>);

impl Tail {
    /// Adds a line, unless it says nothing to anybody; the oldest one goes when there are too many.
    pub fn push(&mut self, line: &str) {
        let line = without_colours(line);
        if is_noise(&line) {
            return;
        }
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub fn into_lines(self) -> Vec<String> {
        self.0.into()
    }
}

/// Finds the line that says why a program failed: the first complaint; `None` where none looks like one.
pub fn complaint(lines: &[String]) -> Option<&str> {
    const MARKS: [&str; 8] = [
        "[ERROR ", "[FATAL] ", "fatal: ", "panic: ", "E: ", "error: ", "Error: ", "ERROR: ",
    ];
    // The general ones, which only say that something went wrong, come before the reason.
    let is_general = |line: &&str| line.contains("error execution phase preflight");
    let marked = |mark: &str| {
        let mut lines = lines.iter().map(|line| line.trim());
        lines.find(|line| line.starts_with(mark) && !is_general(line))
    };
    MARKS.iter().find_map(|mark| marked(mark))
}

/// What kubeadm's look at the kernel finds in order, one line an option.
fn is_noise(line: &str) -> bool {
    let Some((name, value)) = line.split_once(": ") else {
        return line.trim().is_empty();
    };
    let is_option = name.starts_with("CONFIG_") || name.starts_with("CGROUPS_");
    let is_name = ["OS", "KERNEL_VERSION"].contains(&name);
    is_name || (is_option && !value.contains("missing") && !value.contains("required"))
}

/// Programs that take the pipe for a terminal, or don't look, put colours into their lines.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| letter.is_ascii_alphabetic());
        text.push_str(end.map_or("", |end| &part[end + 1..]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Tail, complaint};

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut tail = Tail::default();
        for number in 0..50 {
            tail.push(&number.to_string());
        }
        let lines = tail.into_lines();
        assert_eq!((lines.len(), lines[0].as_str()), (20, "30"));
    }

    #[test]
    fn what_is_in_order_does_not_push_out_what_is_wrong() {
        let mut tail = Tail::default();
        tail.push("error: couldn't reach the API server");
        for number in 0..50 {
            tail.push(&format!(
                "\u{1b}[0;37mCONFIG_{number}\u{1b}[0m: \u{1b}[0;32menabled\u{1b}[0m"
            ));
        }
        tail.push("CONFIG_CGROUP_PIDS: missing");
        tail.push("OS: Linux");
        assert_eq!(
            tail.into_lines(),
            [
                "error: couldn't reach the API server",
                "CONFIG_CGROUP_PIDS: missing"
            ]
        );
    }

    #[test]
    fn the_first_complaint_is_found() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let kubeadm = lines(
            "[preflight] Running pre-flight checks\n\
             error: error execution phase preflight: [preflight] Some fatal errors occurred:\n\
             \t[ERROR Port-10250]: Port 10250 is in use\n\t[ERROR Swap]: swap is on\n",
        );
        assert_eq!(
            complaint(&kubeadm),
            Some("[ERROR Port-10250]: Port 10250 is in use")
        );
        let apt = lines("Reading package lists...\nE: Unable to locate package x\n");
        assert_eq!(complaint(&apt), Some("E: Unable to locate package x"));
        assert_eq!(complaint(&lines("all is well")), None);
    }
}
