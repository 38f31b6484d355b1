//! The only module that writes to the terminal.
//!
//! stdout carries data, stderr talks to people. Progress is a fold over [`crate::run::RunEvent`]s: bars
//! on a terminal, lines elsewhere, JSON lines for scripts.

pub mod availability;
pub mod bars;
pub mod build;
pub mod certificates;
pub mod changes;
pub mod console;
pub mod diagnostic;
pub mod doctor;
pub mod etcd;
pub mod history;
pub mod host_state;
pub mod image;
pub mod inventory;
pub mod json;
pub mod lines;
pub mod loaded;
pub mod printer;
pub mod prompt;
pub mod recap;
pub mod snapshots;
pub mod status;
pub mod upgrade;
pub mod verify;
