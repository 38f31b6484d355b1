//! Executes a plan: one task per host, barriers between phases, events out.

pub mod event;

pub use event::RunEvent;
