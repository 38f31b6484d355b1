//! Resources against the real programs that a node has: an API server with its etcd, containerd.
//!
//! The folder with the built programs is named by `KINSTALL_TEST_PROGRAMS`; because they take long to
//! build, these tests run with the end-to-end suite: `cargo test --test programs -- --ignored`.
//! Everything stays on loopback and in temporary folders.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic, and shows what it measured"
)]

mod api_server;
mod containerd;
mod disk;
mod images;
mod manifests;
mod started;
