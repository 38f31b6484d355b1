//! Tests of kinstall as a library, in one binary.

mod inventory;
mod messages;
