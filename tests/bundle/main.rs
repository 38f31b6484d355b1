//! Bundles: made for real where that is quick, damaged, and downloaded over bad connections.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic too")]

mod build;
mod damage;
mod download;
mod server;
