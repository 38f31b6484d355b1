//! Playbooks: what belongs on which host, as data that users can read and replace.
//!
//! ```text
//! builtin (files) -> load (checked playbooks) -> expand (steps of one host)
//! ```

pub mod builtin;
mod condition;
pub mod expand;
pub mod load;
mod manifests;
mod membership;
pub mod phase;
mod resource;
pub mod schema;
mod schema_of_conditions;
mod schema_of_nodes;
mod scope;
mod secrets;

pub use builtin::Sources;
pub use expand::{ExpandedStep, expand_handler, expand_removal, expand_steps};
pub use load::{Placement, Playbook, load};
pub use phase::{Action, PhaseName};
pub use scope::{Parts, Scope};
pub use secrets::Secrets;
