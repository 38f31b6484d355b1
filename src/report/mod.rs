//! What a run amounts to: folds over its events.

pub mod backup;
pub mod certificates;
pub mod check;
pub mod etcd;
pub mod history;
pub mod images;
pub mod ingress_annotations;
pub mod inventory;
pub mod network_policies;
pub mod rollback;
pub mod status;
pub mod summary;

pub use check::Check;
pub use status::{ClusterStatus, HostStatus, NodeStatus};
pub use summary::{Failure, Summary};
