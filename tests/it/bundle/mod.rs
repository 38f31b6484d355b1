//! Bundles: made for real where that is quick, damaged, and downloaded over bad connections.

mod archive;
pub mod build;
mod damage;
mod download;
pub mod server;
