//! Real Linux guests for tests: their images, and a VirtualBox of a test's own to run them in.
//!
//! A test binary takes this in with `#[path = "../guest/mod.rs"] mod guest;`. All of it needs root.
#![allow(dead_code, reason = "every test binary uses another part")]

pub mod image;
pub mod virtualbox;
