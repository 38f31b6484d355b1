//! All tests of the whole program; those of one module stand beside it in `src/`. See `tests/README.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and one that takes minutes says where it is"
)]

mod architecture;
mod bundle;
mod check;
mod cli;
mod connection;
#[cfg(target_os = "linux")]
mod container;
mod documentation;
#[cfg(target_os = "linux")]
mod e2e;
mod existing;
mod free_port;
mod guest;
mod help;
mod image;
mod inventory;
mod kubespray;
#[cfg(target_os = "linux")]
mod load;
mod machines;
mod messages;
#[cfg(target_os = "linux")]
mod open;
#[cfg(target_os = "linux")]
mod own_computer;
mod program;
mod programs;
#[cfg(target_os = "linux")]
mod qemu;
mod ssh;
mod sshd;
mod style;
mod vagrant;
mod vagrant_cases;
mod vagrant_settings;
#[cfg(target_os = "linux")]
mod virtualbox;
