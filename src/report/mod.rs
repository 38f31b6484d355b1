//! What a run amounts to: folds over its events.

pub mod status;
pub mod summary;

pub use status::{Address, Certificate, ClusterStatus, HostStatus, NodeStatus, Workload};
pub use summary::{Failure, HostSummary, Summary};
