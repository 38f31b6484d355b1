//! End to end on real nodes: real systemd, sshd, containerd and kubelet, from the course's inventory.
//!
//! Needs root and a built bundle; `./test` runs it (`cargo test --test e2e`). The tests share the
//! computer, so they run one after the other.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what takes minutes says where it is")]

mod cluster;
mod existing;
#[path = "../guest/mod.rs"]
mod guest;
mod interrupted;
mod kinstall;
mod lab;
#[path = "../container/lab.rs"]
#[allow(
    dead_code,
    reason = "the tests of the machines themselves need more of it"
)]
mod machines;
mod resources;
mod traces;
mod virtual_machines;
