//! Builds what concerns nodes as members of the cluster.

use serde::de::DeserializeOwned;

use super::resource::ADMIN_KUBECONFIG;
use super::schema::{self, Text};
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::resource::{AbsentNode, NodeObject, PodAddresses, Registration, Remains};

/// What the kubelet of every node asks with.
const KUBELET_KUBECONFIG: &str = "/etc/kubernetes/kubelet.conf";

impl Scope<'_> {
    pub(super) fn absent_node(&self, it: &schema::AbsentNode) -> Result<AbsentNode, Diagnostic> {
        Ok(AbsentNode {
            name: self.text(&it.name)?,
            address: self.text(&it.address)?,
            kubeconfig: ADMIN_KUBECONFIG.to_owned(),
        })
    }

    pub(super) fn node_object(&self, it: &schema::NodeObject) -> Result<NodeObject, Diagnostic> {
        Ok(NodeObject {
            name: self.text(&it.name)?,
            labels: self.json(&it.labels)?,
            taints: self.json(&it.taints)?,
            kubeconfig: ADMIN_KUBECONFIG.to_owned(),
        })
    }

    pub(super) fn pod_addresses(
        &self,
        it: &schema::PodAddresses,
    ) -> Result<PodAddresses, Diagnostic> {
        Ok(PodAddresses {
            name: self.host.name.clone(),
            network: self.text(&it.network)?,
            kubeconfig: KUBELET_KUBECONFIG.to_owned(),
        })
    }

    pub(super) fn registration(&self) -> Registration {
        Registration {
            name: self.host.name.clone(),
            kubeconfig: KUBELET_KUBECONFIG.to_owned(),
        }
    }

    pub(super) fn remains(&self) -> Remains {
        let dns_address = self.parts.cluster.dns.node_local_address;
        Remains {
            dns_address: dns_address.map(|it| it.to_string()),
        }
    }

    fn json<T: DeserializeOwned>(&self, text: &Text) -> Result<T, Diagnostic> {
        let json = self.text(text)?;
        serde_json::from_str(&json).map_err(|error| {
            self.wrong(
                text,
                format!("`{json}` is not the JSON it should be: {error}"),
            )
        })
    }
}
