//! Memory on Linux and Windows.

use sysinfo::{MemoryRefreshKind, System};

use super::Memory;

pub(super) fn memory() -> Option<Memory> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let memory = Memory {
        total: system.total_memory() >> 20,
        available: system.available_memory() >> 20,
    };
    (memory.total > 0).then_some(memory)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::memory;

    #[test]
    fn memory_as_the_kernel_says_it() {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap();
        let mib = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.unwrap().trim().strip_suffix(" kB").unwrap();
            number.parse::<u64>().unwrap() >> 10
        };
        let memory = memory().unwrap();
        assert_eq!(memory.total, mib("MemTotal:"));
        // Other programs take and give back some in between.
        let difference = memory.available.abs_diff(mib("MemAvailable:"));
        assert!(difference < memory.total / 10, "{memory:?}\n{text}");
    }
}
