//! What this computer has.

#[cfg(not(target_os = "macos"))]
mod elsewhere;
#[cfg(any(target_os = "macos", test))]
mod macos;

#[cfg(not(target_os = "macos"))]
use elsewhere as system;
#[cfg(target_os = "macos")]
use macos as system;

/// Memory of a computer, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub total: u64,
    /// What programs can still have without others being swapped out.
    pub available: u64,
}

/// Returns this computer's memory; `None` where it can't be told.
pub fn memory() -> Option<Memory> {
    system::memory()
}
