//! A cluster of one control plane and two workers, and what its plan needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::json;

use super::super::{Plan, PlanInput, build};
use crate::bundle::Release;
use crate::diagnostic::{Diagnostics, SourceFile};
use crate::manifest::UserObject;
use crate::model::{
    Addons, AddressPool, AddressRange, AddressSource, ApiProxy, Become, ClusterSpec, Connection,
    ControlPlane, ControlPlaneSettings, Dns, Etcd, HostSpec, Kubelet, MachineDefaults, MachineSpec,
    MetalLb, Method, Network, NetworkPlugin, ProxyMode, Registries, Roles,
};
use crate::playbook::{Action, Secrets, Sources};
use crate::resource::{CommandState, Sha256};
use crate::secret::Secret;
use crate::wire::{ControlPlaneState, Facts};

pub(in crate::plan) struct Fixture {
    pub cluster: ClusterSpec,
    pub facts: IndexMap<String, Facts>,
    pub bundle: Release,
    pub files: BTreeMap<String, Arc<SourceFile>>,
    pub secrets: Secrets,
    pub sources: Sources,
    pub limit: Option<Vec<String>>,
    pub manifests: Vec<UserObject>,
}

impl Fixture {
    /// Returns the example playbooks on three hosts.
    pub(in crate::plan) fn new() -> Self {
        let mut fixture = Self::without_playbooks();
        // Relative, so that messages are the same wherever the tests run.
        let root = Path::new("tests/fixtures/playbooks");
        fixture.sources.override_from(root).unwrap();
        fixture
    }

    /// Returns the same hosts with nothing to do.
    pub(in crate::plan) fn without_playbooks() -> Self {
        let cluster = cluster();
        let facts = cluster
            .hosts
            .iter()
            .map(|host| (host.name.clone(), facts(&host.name)));
        Self {
            facts: facts.collect(),
            cluster,
            bundle: bundle(),
            files: BTreeMap::from([
                (
                    "pool/definition.yaml".to_owned(),
                    source_file("d.yaml", "kind: Definition\n"),
                ),
                (
                    "pool/other.yaml".to_owned(),
                    source_file("o.yaml", "kind: Other\n"),
                ),
            ]),
            secrets: Secrets {
                cluster: [("token", "the token"), ("ca_key", "the key")]
                    .map(|(name, value)| (name.to_owned(), Secret::new(value)))
                    .into(),
                hosts: BTreeMap::new(),
            },
            sources: Sources::default(),
            limit: None,
            manifests: Vec::new(),
        }
    }

    /// Adds a playbook, shown as `playbooks/test.yml` in messages.
    pub(super) fn add_playbook(&mut self, text: &str) {
        let file = source_file("playbooks/test.yml", text);
        self.sources.playbooks.insert("test.yml".to_owned(), file);
    }

    /// Adds a playbook with a name of its own.
    pub(super) fn add_playbook_file(&mut self, name: &str, text: &str) {
        let file = source_file(&format!("playbooks/{name}"), text);
        self.sources.playbooks.insert(name.to_owned(), file);
    }

    /// Adds hosts by name; `true` for control planes.
    pub(super) fn add_hosts(&mut self, hosts: &[(&str, bool)]) {
        for (name, control_plane) in hosts {
            let address = format!("192.168.56.{}", 100 + self.cluster.hosts.len());
            self.cluster
                .hosts
                .push(host(name, &address, *control_plane));
            self.facts.insert((*name).to_owned(), facts(name));
        }
    }

    /// Says that a host began the cluster, and that its control plane is ready.
    pub(super) fn set_up(&mut self, host: &str) {
        let facts = &mut self.facts[host];
        facts.control_plane = ControlPlaneState::Ready;
        let init = "control-plane/init".to_owned();
        facts.commands.insert(init, CommandState::Done);
    }

    /// Adds a template, shown as `templates/NAME` in messages.
    pub(super) fn add_template(&mut self, name: &str, text: &str) {
        let file = source_file(&format!("templates/{name}"), text);
        self.sources.templates.insert(name.to_owned(), file);
    }

    pub(in crate::plan) fn build(&self) -> Result<Plan, Diagnostics> {
        build(&self.input())
    }

    pub(super) fn input(&self) -> PlanInput<'_> {
        PlanInput {
            action: Action::Up,
            cluster: &self.cluster,
            facts: &self.facts,
            bundle: &self.bundle,
            files: &self.files,
            manifests: &self.manifests,
            secrets: &self.secrets,
            sources: &self.sources,
            take_over: &[],
            limit: self.limit.as_deref(),
            leaving: &[],
            upgraded: &[],
        }
    }
}

fn source_file(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from(path),
        text: text.to_owned(),
    })
}

fn cluster() -> ClusterSpec {
    ClusterSpec {
        name: "lab".to_owned(),
        kubernetes_version: None,
        hosts: vec![
            host("control1", "192.168.56.11", true),
            host("node1", "192.168.56.21", false),
            host("node2", "192.168.56.22", false),
        ],
        control_plane: ControlPlane {
            endpoint_host: "127.0.0.1".to_owned(),
            endpoint_port: 7443,
            proxy: Some(ApiProxy {
                port: 7443,
                health_port: None,
            }),
            load_balancer: None,
            bind_port: 6443,
            extra_names: Vec::new(),
            settings: ControlPlaneSettings::default(),
        },
        etcd: Etcd::default(),
        network: Network {
            pod_cidr: "10.233.64.0/18".parse().unwrap(),
            node_prefix: 24,
            service_cidr: "10.233.0.0/18".parse().unwrap(),
            node_cidr: "192.168.56.0/24".parse().unwrap(),
            proxy_mode: ProxyMode::Nftables,
            strict_arp: true,
            plugin: NetworkPlugin::Flannel,
            is_plugin_open: false,
        },
        dns: Dns {
            domain: "cluster.local".to_owned(),
            node_local_address: Some("169.254.25.10".parse().unwrap()),
            upstream_servers: Vec::new(),
        },
        registries: Registries::default(),
        proxy: None,
        egress: true,
        addons: Addons {
            metallb: Some(MetalLb {
                pools: vec![pool("first", 50, 59), pool("second", 70, 79)],
            }),
            ..Addons::default()
        },
        node_domain: None,
        hosts_file: true,
        preload_images: Vec::new(),
        manifests: Vec::new(),
        machines: MachineDefaults::default(),
        provider: None,
        places: Arc::default(),
    }
}

fn pool(name: &str, first: u8, last: u8) -> AddressPool {
    let range = AddressRange {
        first: [192, 168, 56, first].into(),
        last: [192, 168, 56, last].into(),
    };
    AddressPool {
        name: name.to_owned(),
        ranges: vec![range],
        auto_assign: true,
    }
}

fn host(name: &str, address: &str, control_plane: bool) -> HostSpec {
    HostSpec {
        name: name.to_owned(),
        address: Some(address.parse().unwrap()),
        address_source: AddressSource::Inventory,
        access_address: Some(address.parse().unwrap()),
        roles: Roles {
            control_plane,
            etcd: control_plane,
            worker: !control_plane,
        },
        labels: BTreeMap::new(),
        taints: Vec::new(),
        connection: Connection {
            method: Method::Ssh,
            host: address.to_owned(),
            fallback: None,
            port: None,
            user: None,
            private_key: None,
            password: Some(Secret::new("a password that must not be seen")),
            escalation: Become::Sudo,
            jump: None,
            configuration: None,
        },
        kubelet: Kubelet::default(),
        machine: MachineSpec {
            cpus: 2,
            memory_mib: 2048,
            disk_gib: 20,
            image: "debian-13".to_owned(),
            extra_disks_gib: Vec::new(),
            networks: Vec::new(),
            forwarded_ports: Vec::new(),
            shared_folders: Vec::new(),
        },
    }
}

fn facts(hostname: &str) -> Facts {
    Facts {
        hostname: hostname.to_owned(),
        architecture: "x86_64".to_owned(),
        cpus: 2,
        cgroup_version: 2,
        can_lower_oom_score: true,
        ..Facts::default()
    }
}

fn bundle() -> Release {
    let blob = |name: &str| json!({ "sha256": Sha256::of(name.as_bytes()), "size": name.len() });
    let part = |name: &str| json!({ "component": "c", "version": "1.0.0", "blob": blob(name) });
    let image = |name: &str| {
        json!({
            "name": format!("kinstall.local/{name}:v1.0.0"),
            "component": name,
            "version": "1.0.0",
            "nodes": "all",
            "manifest": blob("manifest"),
            "config": blob("config"),
            "layers": [blob("layer 1"), blob("layer 2")],
        })
    };
    let manifest = json!({
        "architecture": "amd64",
        "components": { "kubernetes": "1.37.2", "containerd": "2.4.2" },
        "programs": { "containerd/containerd": part("containerd"), "containerd/ctr": part("ctr") },
        "images": { "pause": image("pause"), "etcd": image("etcd") },
        "files": {
            "pool/definition.yaml": part("definition"),
            "pool/other.yaml": part("other"),
        },
        "node_programs": [
            { "program": "containerd/ctr", "path": "/usr/local/bin/ctr", "links": ["/usr/bin/ctr"] },
        ],
    });
    serde_json::from_value(manifest).unwrap()
}
