//! What this computer has.

use std::fs;

/// Memory of a computer, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub total: u64,
    /// What programs can still have without others being swapped out.
    pub available: u64,
}

/// Returns this computer's memory; `None` where it can't be told (only Linux says it in a file).
pub fn memory() -> Option<Memory> {
    parse(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse(text: &str) -> Option<Memory> {
    let mib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let number = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?;
        Some(number >> 10)
    };
    Some(Memory {
        total: mib("MemTotal:")?,
        available: mib("MemAvailable:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Memory, parse};

    #[test]
    fn memory_as_the_kernel_says_it() {
        let text = "MemTotal:       24684084 kB\nMemFree:  1 kB\nMemAvailable:   22029504 kB\n";
        let memory = Memory {
            total: 24105,
            available: 21513,
        };
        assert_eq!(parse(text), Some(memory));
        assert_eq!(parse("MemTotal: 12\n"), None);
    }
}
