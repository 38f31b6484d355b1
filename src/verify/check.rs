//! What a file of `checks/`, or a `*.check.yml` of an add-on, may say.
//!
//! Texts may hold `{{ NAME }}`: `namespace`, `image` (the nettool image's reference), `domain` (of the cluster's
//! DNS), `node` (the name of a worker), `node_address` (its address), `ingress_class`, `node_local_dns`
//! (address of the node's cache), and what an earlier step of any check saved under that name.

use serde::Deserialize;

use super::expectation::Expectation;
use crate::addon::Addon;

/// One check: steps that are taken in order, until one of them fails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub name: String,
    /// Chapter of a course on Kubernetes that it belongs to.
    pub chapter: String,
    /// What the check shows, for people who learn.
    pub explains: String,
    /// Left out on clusters that lack one of these.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Part of `verify --quick`.
    #[serde(default)]
    pub quick: bool,
    /// Nothing after it can succeed if it fails, so nothing after it is tried.
    #[serde(default)]
    pub foundation: bool,
    pub steps: Vec<Step>,
}

/// What not every cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    LoadBalancer,
    Ingress,
    /// The add-on that the check belongs to.
    #[serde(skip)]
    Addon(&'static Addon),
    NodeLocalDns,
    StorageClass,
}

/// One thing that is done, and what has to come of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Manifests for `kubectl apply`.
    pub apply: Option<String>,
    /// Arguments of kubectl, as a shell takes them; the namespace is added.
    pub kubectl: Option<String>,
    /// URL that is asked from this computer, outside of the cluster.
    pub request: Option<String>,
    /// `Host` header of the request.
    pub host: Option<String>,
    pub port_forward: Option<PortForward>,
    /// `true`: every host of the inventory is a node that is ready, and its services run.
    #[serde(default)]
    pub nodes_are_ready: bool,
    /// Command that has to succeed in the pod `nettool` of every node.
    pub on_every_node: Option<String>,
    /// Port at which the pod `nettool` of every node has to answer that of every other.
    pub every_pair: Option<u16>,
    #[serde(default)]
    pub expect: Expectation,
    /// Seconds in which it may be tried again until the expectation holds.
    #[serde(default)]
    pub within: u64,
    /// Name that later steps know the answer by.
    pub save: Option<String>,
}

/// A port of a pod, on loopback of the control plane.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortForward {
    /// As kubectl has it: `pod/testapp`.
    pub to: String,
    pub port: u16,
    /// Path that is asked for.
    pub path: String,
}

/// The one thing that a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    Apply(&'a str),
    Kubectl(&'a str),
    Request { url: &'a str, host: Option<&'a str> },
    PortForward(&'a PortForward),
    NodesAreReady,
    OnEveryNode(&'a str),
    EveryPair(u16),
}

impl Step {
    /// Returns what the step does; `None` unless it is exactly one thing.
    pub fn action(&self) -> Option<Action<'_>> {
        let host = self.host.as_deref();
        let found = [
            self.apply.as_deref().map(Action::Apply),
            self.kubectl.as_deref().map(Action::Kubectl),
            (self.request.as_deref()).map(|url| Action::Request { url, host }),
            self.port_forward.as_ref().map(Action::PortForward),
            self.nodes_are_ready.then_some(Action::NodesAreReady),
            self.on_every_node.as_deref().map(Action::OnEveryNode),
            self.every_pair.map(Action::EveryPair),
        ];
        let mut found = found.into_iter().flatten();
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }
}

impl Need {
    /// Says why a check is left out on a cluster without it.
    pub fn missing(self) -> String {
        let why = match self {
            Self::LoadBalancer => "the inventory has no `metallb_enabled`",
            Self::Ingress => {
                "the inventory has no `ingress_nginx_enabled`, or no LoadBalancer for it"
            }
            Self::Addon(Addon { name, switch, .. }) => {
                return match switch {
                    Some(switch) => format!("the inventory has no `{}`", switch.variable),
                    None => format!("{name} is not installed"),
                };
            }
            Self::NodeLocalDns => "the inventory has no `enable_nodelocaldns`",
            Self::StorageClass => "the cluster has no default StorageClass",
        };
        why.to_owned()
    }
}
