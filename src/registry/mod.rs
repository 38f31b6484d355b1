//! Registries of container images, as places where bundles lie: what the OCI distribution specification calls an artifact.
//!
//! A library for this brings eighty others and a second HTTP client; the six requests that it takes are here.

mod admission;
mod client;
mod error;
mod exchange;
mod login;
mod reference;

pub use client::{Access, MANIFEST, Registry};
pub use error::RegistryError;
pub use reference::{NotAReference, Reference};

#[cfg(test)]
mod tests;
