//! The Kubernetes API, as far as a node's agent needs it: no controller's library, plain requests.

pub mod client;
pub mod discovery;
pub mod kubeconfig;
pub mod listing;
pub mod object;
pub mod text;

pub use client::{Answer, Client};
pub use discovery::Discovery;
pub use listing::Listing;
pub use object::Object;
