//! Templates: the texts of files and of playbooks, filled in strictly (an unknown name is an error).

pub mod context;
pub mod engine;
mod error;
mod filters;
mod names;
pub mod source;

pub use engine::Engine;

#[cfg(test)]
mod tests;
