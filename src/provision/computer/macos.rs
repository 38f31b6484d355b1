//! Memory on macOS, by its own programs: a library would have to be linked with frameworks that only Apple's tools have.
#![cfg_attr(
    not(target_os = "macos"),
    allow(dead_code, reason = "only parsed, in tests")
)]

use std::process::Command;

use super::Memory;

pub(super) fn memory() -> Option<Memory> {
    parse(
        &said("sysctl", &["-n", "hw.memsize"])?,
        &said("vm_stat", &[])?,
    )
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

/// Reads bytes, and the pages of `vm_stat`: those that are free, and those that hold only what can be read again.
fn parse(bytes: &str, pages: &str) -> Option<Memory> {
    let (_, size) = pages.lines().next()?.split_once("page size of ")?;
    let size: u64 = size.split(' ').next()?.parse().ok()?;
    let count = |name: &str| -> Option<u64> {
        let line = pages.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches('.').parse().ok()
    };
    let kinds = ["Pages free:", "Pages inactive:", "Pages speculative:"];
    let available = kinds.into_iter().map(count).sum::<Option<u64>>()? * size;
    Some(Memory {
        total: bytes.trim().parse::<u64>().ok()? >> 20,
        available: available >> 20,
    })
}

#[cfg(test)]
mod tests {
    use super::{Memory, parse};

    #[test]
    fn memory_as_the_programs_say_it() {
        let pages = "Mach Virtual Memory Statistics: (page size of 16384 bytes)\n\
            Pages free:                               12800.\n\
            Pages active:                            300000.\n\
            Pages inactive:                           64000.\n\
            Pages speculative:                         6400.\n";
        let memory = Memory {
            total: 16384,
            available: 1300,
        };
        assert_eq!(parse("17179869184\n", pages), Some(memory));
        assert_eq!(parse("17179869184\n", "vm_stat: no"), None);
    }
}
