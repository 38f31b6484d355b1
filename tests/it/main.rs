//! Tests of kinstall as a library, in one binary.

#![allow(
    clippy::unwrap_used,
    reason = "a test may stop where something is wrong"
)]

mod architecture;
mod inventory;
mod messages;
