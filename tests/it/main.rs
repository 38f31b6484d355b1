//! What users see of kinstall: clusters that inventories mean, and what is said about wrong input.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop where something is wrong"
)]

mod architecture;
mod cli;
mod connection;
mod existing;
mod inventory;
mod machines;
mod messages;
mod program;
#[path = "../sshd/mod.rs"]
#[allow(dead_code, reason = "the tests of SSH itself need more of it")]
mod sshd;
mod vagrant;
