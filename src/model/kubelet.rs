//! Settings of a node's kubelet.

use std::num::NonZeroU32;

use serde::Serialize;

use super::read::Reader;
use crate::diagnostic::Location;

/// How a node's kubelet works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kubelet {
    /// `kubelet_max_pods`; 110 by default, or fewer where a node's share of the pod network is smaller.
    pub max_pods: u32,
    /// `kubelet_pod_pids_limit`: processes of a pod, -1 for no limit.
    pub pod_pids_limit: i64,
    /// `kubelet_fail_swap_on: false`: nodes keep their swap, and pods may use it within their limits.
    pub swap: bool,
}

impl Default for Kubelet {
    fn default() -> Self {
        Self {
            max_pods: 110,
            pod_pids_limit: -1,
            swap: false,
        }
    }
}

impl Kubelet {
    /// Reads the settings of one host; with them, where `kubelet_max_pods` stands.
    pub(super) fn read(reader: &mut Reader<'_>) -> (Self, Option<Location>) {
        let usual = Self::default();
        let max_pods = reader.parsed::<NonZeroU32>(&["kubelet_max_pods"], "a number of pods");
        let kubelet = Self {
            max_pods: max_pods
                .as_ref()
                .map_or(usual.max_pods, |placed| placed.value.get()),
            pod_pids_limit: reader
                .parsed(&["kubelet_pod_pids_limit"], "a number of processes, or -1")
                .map_or(usual.pod_pids_limit, |limit| limit.value),
            swap: reader.boolean("kubelet_fail_swap_on") == Some(false),
        };
        (kubelet, max_pods.and_then(|placed| placed.location))
    }
}
