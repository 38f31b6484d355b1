//! What is done with etcd's data, beside the runs that change hosts.

pub mod backup;
mod node;
pub mod status;
