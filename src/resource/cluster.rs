//! What containerd and the API server look after.

use serde::{Deserialize, Serialize};

use super::BlobRef;

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
    /// One JSON document an object, in the order in which they were applied; only their names count.
    pub objects: Vec<String>,
    /// Step ids of commands that made something beside them: they are forgotten, and run again when wanted again.
    pub commands: Vec<String>,
    /// Kubeconfig on the node that removes them.
    pub kubeconfig: String,
}

/// Kubernetes objects, applied on the server's side with kinstall as the field manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifests {
    /// Name of the set (the component).
    pub name: String,
    /// One JSON document an object, in the order of application.
    pub objects: Vec<String>,
    /// Kubeconfig on the node that applies them.
    pub kubeconfig: String,
}
