//! What containerd and the API server look after.

use serde::{Deserialize, Serialize};

use super::{BlobRef, ObjectName};

/// A container image in containerd's `k8s.io` namespace, put together from content-addressed parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Full reference, `kinstall.local/etcd:v3.7.1`.
    pub name: String,
    /// Digest of the OCI image manifest: what containerd shows as the image's target.
    pub manifest: BlobRef,
    pub config: BlobRef,
    /// Layers in the order of the manifest.
    pub layers: Vec<BlobRef>,
}

/// A name of containerd's `k8s.io` namespace that must not be there any more; the content goes with the last name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentImage {
    /// Full reference, `docker.io/my/app:dev`.
    pub name: String,
}

/// Kubernetes objects that kinstall may have made and that must not be there any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentObjects {
    /// Name of the set (the component).
    pub name: String,
    /// In the order in which they were applied.
    pub objects: Vec<ObjectName>,
    /// Step ids of commands that made something beside them: they are forgotten, and run again when wanted again.
    pub commands: Vec<String>,
    /// Kubeconfig on the node that removes them.
    pub kubeconfig: String,
}
