//! Real Linux guests for tests: their images, and a VirtualBox of a test's own to run them in.
//! All of it needs root.

pub mod image;
pub mod virtualbox;
