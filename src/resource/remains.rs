//! What pods and the cluster's components leave on a machine that is no node any more.

use serde::{Deserialize, Serialize};

/// Nothing of it is left: processes and mounts of pods, the interfaces of the pod network, and the packet filter's
/// tables and chains of Kubernetes. What is not Kubernetes' own stays. Only for a machine whose kubelet is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remains {
    /// Address of the DNS cache.
    pub dns_address: Option<String>,
}
