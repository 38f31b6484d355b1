//! Node objects that are gone although their nodes are there.

use std::time::{Duration, Instant};

use super::unit;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Registration};

/// How long a kubelet may take from its start to its Node object.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long the cluster may take to give it a range of addresses.
const RANGE: Duration = Duration::from_secs(15);
const INTERVAL: Duration = Duration::from_millis(500);
const KUBELET: &str = "kubelet.service";

impl Converge for Registration {
    /// Whether the Node object is missing. A node that never joined has none to miss, and a server that says nothing
    /// doesn't say so either.
    type Observed = bool;

    fn probe(&self, node: &Node) -> Result<bool, ResourceError> {
        if !node.path(&self.kubeconfig).exists() {
            return Ok(false);
        }
        let path = format!("/api/v1/nodes/{}", self.name);
        // A certificate that can't be used is mended by another resource.
        let Ok(client) = node.kubernetes(&self.kubeconfig) else {
            return Ok(false);
        };
        Ok(client.get(&path).is_ok_and(|answer| answer.status == 404))
    }

    fn diff(&self, is_missing: &bool) -> Vec<Change> {
        if !is_missing {
            return Vec::new();
        }
        let to = "restarted: it registers again, and its pods get new addresses";
        vec![Change::new(Action::Restart, KUBELET).values(
            Some("its Node object is gone".to_owned()),
            Some(to.to_owned()),
        )]
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        unit::restart(KUBELET, node)?;
        let end = Instant::now() + PATIENCE;
        while self.probe(node)? {
            if Instant::now() > end {
                return Err(ResourceError::Condition {
                    condition: format!("the kubelet registers node {}", self.name),
                    seconds: u32::try_from(PATIENCE.as_secs()).unwrap_or(u32::MAX),
                    last: "its Node object is still not there".to_owned(),
                    output: unit::last_words(KUBELET, node),
                });
            }
            node.cancel().sleep(INTERVAL)?;
        }
        self.wait_for_a_range(node)
    }
}

impl Registration {
    /// Waits until the cluster has given the node its range of addresses, as it does at once; where another
    /// program of the pod network does it, nothing comes.
    fn wait_for_a_range(&self, node: &Node) -> Result<(), ResourceError> {
        let end = Instant::now() + RANGE;
        let client = node.kubernetes(&self.kubeconfig)?;
        let path = format!("/api/v1/nodes/{}", self.name);
        let has_range = || {
            client
                .get(&path)
                .is_ok_and(|answer| answer.body["spec"]["podCIDR"].is_string())
        };
        while !has_range() && Instant::now() < end {
            node.cancel().sleep(INTERVAL)?;
        }
        Ok(())
    }
}
