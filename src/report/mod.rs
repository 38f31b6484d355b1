//! What a run amounts to: folds over its events.

pub mod planned;
pub mod status;
pub mod summary;

pub use planned::{MachineChange, PlannedChanges, StepChanges};
pub use status::{Address, Certificate, ClusterStatus, HostStatus, NodeStatus, Workload};
pub use summary::{Failure, HostSummary, Summary};
