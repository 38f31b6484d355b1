//! The versions that run in a cluster, as its API server tells them.

use std::collections::BTreeMap;

use semver::Version;
use serde_json::Value;

use crate::bundle::Release;

/// Components whose version is the tag of their image, in the order in which they are shown. The last one is
/// on workers as well.
pub const COMPONENTS: [&str; 5] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
    "kube-proxy",
];

/// The versions of a release that its nodes run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseVersions {
    pub kubernetes: Version,
    pub etcd: Version,
}

/// What runs on each node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningVersions {
    pub nodes: BTreeMap<String, RunningNode>,
}

/// What runs on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningNode {
    pub is_ready: bool,
    pub kubelet: Option<Version>,
    /// Name and version of the container runtime: `containerd://2.4.2`.
    pub runtime: String,
    /// By name, those of [`COMPONENTS`] that have a pod here.
    pub components: BTreeMap<&'static str, Version>,
}

impl ReleaseVersions {
    /// Reads them from a release of a bundle; `None` where it has neither, as those of tests.
    pub fn of(release: &Release) -> Option<Self> {
        let version = |name: &str| Version::parse(release.components.get(name)?).ok();
        Some(Self {
            kubernetes: version("kubernetes")?,
            etcd: version("etcd")?,
        })
    }
}

impl RunningNode {
    /// Reads what a node says of itself, where no API server may answer: `image NAME` of each static pod, `kubelet Kubernetes v1.37.2`.
    pub fn of_listing(listing: &str) -> Self {
        let mut node = Self::default();
        for line in listing.lines() {
            if let Some(image) = line.strip_prefix("image ") {
                node.components.extend(component(image.trim()));
            } else if let Some(told) = line.strip_prefix("kubelet ") {
                node.kubelet = told.split_whitespace().last().and_then(version);
            }
        }
        node
    }
}

impl RunningVersions {
    /// Reads a List of nodes and of the pods of `kube-system`, as `kubectl get --output json` prints it.
    pub fn of(list: &Value) -> Self {
        let mut running = Self::default();
        let items = || list["items"].as_array().into_iter().flatten();
        for node in items().filter(|item| item["kind"] == "Node") {
            let info = &node["status"]["nodeInfo"];
            let mut conditions = node["status"]["conditions"]
                .as_array()
                .into_iter()
                .flatten();
            let found = RunningNode {
                is_ready: conditions.any(|it| it["type"] == "Ready" && it["status"] == "True"),
                kubelet: version(info["kubeletVersion"].as_str().unwrap_or_default()),
                runtime: text(&info["containerRuntimeVersion"]),
                components: BTreeMap::new(),
            };
            running.nodes.insert(text(&node["metadata"]["name"]), found);
        }
        for pod in items().filter(|item| item["kind"] == "Pod") {
            let node = text(&pod["spec"]["nodeName"]);
            let image = pod["spec"]["containers"][0]["image"].as_str();
            let found = image.and_then(component);
            if let (Some(node), Some((name, version))) = (running.nodes.get_mut(&node), found)
                && pod["metadata"]["deletionTimestamp"].is_null()
            {
                node.components.insert(name, version);
            }
        }
        running
    }

    /// Returns all nodes that have this component, with its version, by node name.
    pub fn of_component(&self, name: &str) -> impl Iterator<Item = (&str, &Version)> {
        let nodes = self.nodes.iter();
        nodes.filter_map(move |(node, it)| Some((node.as_str(), it.components.get(name)?)))
    }

    /// Returns what a node runs in other versions than a release has: `kubelet 1.36.3`. Empty where it runs all of it.
    pub fn differences(&self, node: &str, release: &ReleaseVersions) -> Vec<String> {
        let Some(running) = self.nodes.get(node) else {
            return vec!["nothing of the cluster".to_owned()];
        };
        let components = COMPONENTS.iter().filter_map(|name| {
            let wanted = match *name {
                "etcd" => &release.etcd,
                _ => &release.kubernetes,
            };
            Some((*name, running.components.get(name)?, wanted))
        });
        let kubelet = running.kubelet.iter();
        kubelet
            .map(|found| ("kubelet", found, &release.kubernetes))
            .chain(components)
            .filter(|(_, found, wanted)| found != wanted)
            .map(|(name, found, _)| format!("{name} {found}"))
            .collect()
    }
}

/// Reads `v1.37.2`, `1.37.2` or `3.7.3-0`: the last number only counts builds of an image.
pub fn version(text: &str) -> Option<Version> {
    let text = text.trim_start_matches('v');
    let whole = Version::parse(text).ok()?;
    let is_build = !whole.pre.is_empty() && whole.pre.bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_build {
        Version::new(whole.major, whole.minor, whole.patch)
    } else {
        whole
    })
}

/// Returns the component that an image is of, and its version.
fn component(image: &str) -> Option<(&'static str, Version)> {
    let (name, tag) = image.split('@').next()?.rsplit_once(':')?;
    let name = name.rsplit('/').next()?;
    let known = COMPONENTS.into_iter().find(|known| *known == name)?;
    Some((known, version(tag)?))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
