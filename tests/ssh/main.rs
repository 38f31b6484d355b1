//! SSH against real parts: sshd, ssh-agent, sudo. All of it stays on loopback, in own folders and, for
//! what needs users, passwords and mounts, in an own mount namespace.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod agent;
mod commands;
mod first_contact;
mod host_keys;
mod jumps;
mod login;
mod run;
#[path = "../sshd/mod.rs"]
#[allow(dead_code, reason = "the tests of the program need more of it")]
mod sshd;
mod sudo;
mod waiting;
