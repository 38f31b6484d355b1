//! What the user sees.

pub mod diagnostic;
