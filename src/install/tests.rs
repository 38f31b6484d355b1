//! The built-in playbooks and templates, on the lab of the repository's own inventory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::bundle::{Catalog, Release};
use crate::credentials::ClusterSecrets;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::install::lab::Keys;
use crate::install::template_secrets;
use crate::inventory::{Inventory, Vault};
use crate::model::{self, ClusterSpec};
use crate::plan::{self, Plan, PlanInput};
use crate::playbook::{Action, Sources};
use crate::resource::{Command, Condition, Content, Resource, Sha256};
use crate::wire::Facts;

mod authorities;
mod control_planes;
mod encryption;
mod etcd_hosts;
mod etcd_hosts_recorded;
mod etcd_hosts_refused;
mod etcd_hosts_removed;
mod etcd_hosts_taken_over;
mod images;
mod inventory_edit;
mod lived_before;
mod members;
mod named_hosts;
mod names;
mod network_plugin;
mod programs;
mod registries;
mod removal;
mod restore;
mod service_accounts;
mod settings;
mod upgrade;

/// Everything that a plan is made from.
struct Lab {
    cluster: ClusterSpec,
    facts: IndexMap<String, Facts>,
    bundle: Release,
    files: BTreeMap<String, Arc<SourceFile>>,
    secrets: ClusterSecrets,
}

impl Lab {
    fn new() -> Self {
        Self::of(Path::new("inventory/lab/inventory.ini"))
    }

    fn with_all_addons() -> Self {
        let mut lab = Self::new();
        for addon in lab.cluster.addons.defined.values_mut() {
            addon.enabled = true;
        }
        lab
    }

    fn of(inventory: &Path) -> Self {
        let (inventory, _) = Inventory::load(inventory, Vault::default()).unwrap();
        let (cluster, _) =
            model::build(&inventory).unwrap_or_else(|errors| panic!("{}", messages(&errors)));
        let facts = cluster.hosts.iter().map(|host| {
            let facts = Facts {
                hostname: host.name.clone(),
                cgroup_version: 1,
                container: "systemd-nspawn".to_owned(),
                ..Facts::default()
            };
            (host.name.clone(), facts)
        });
        let folder = tempfile::tempdir().unwrap();
        Self {
            facts: facts.collect(),
            cluster,
            bundle: bundle(),
            files: bundled_files(),
            secrets: ClusterSecrets::load_or_make(folder.path(), SystemTime::now()).unwrap(),
        }
    }

    /// Gives a host another name.
    fn rename(&mut self, from: &str, to: &str) {
        let host = self.cluster.hosts.iter_mut().find(|host| host.name == from);
        to.clone_into(&mut host.unwrap().name);
        let facts = self.facts.shift_remove(from).unwrap();
        self.facts.insert(to.to_owned(), facts);
    }

    fn plan(&self) -> Plan {
        self.plan_of(Action::Up, &[])
    }

    fn plan_of(&self, action: Action, leaving: &[String]) -> Plan {
        let plan = self.try_plan_of(action, leaving, &[]);
        plan.unwrap_or_else(|errors| panic!("{}", messages(&errors)))
    }

    fn try_plan(&self, take_over: &[String]) -> Result<Plan, Diagnostics> {
        self.try_plan_of(Action::Up, &[], take_over)
    }

    fn try_plan_of(
        &self,
        action: Action,
        leaving: &[String],
        take_over: &[String],
    ) -> Result<Plan, Diagnostics> {
        self.with_input(take_over, |input| {
            plan::build(&PlanInput {
                action,
                leaving,
                ..*input
            })
        })
    }

    /// Gives what `up` plans from.
    fn with_input<T>(&self, take_over: &[String], use_it: impl FnOnce(&PlanInput<'_>) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let secrets = template_secrets::of(&self.cluster, &self.secrets, folder.path(), Keys::Read);
        let secrets = secrets.unwrap();
        use_it(&PlanInput {
            cluster: &self.cluster,
            facts: &self.facts,
            bundle: &self.bundle,
            files: &self.files,
            manifests: &[],
            secrets: &secrets,
            sources: &Sources::builtin(),
            take_over,
            limit: None,
            leaving: &[],
            upgraded: &[],
            action: Action::Up,
        })
    }
}

fn messages(errors: &[Diagnostic]) -> String {
    let messages = errors.iter().map(|error| format!("{error:?}"));
    messages.collect::<Vec<_>>().join("\n")
}

/// The bundle that the catalog makes, with the sizes and hashes of nothing.
fn bundle() -> Release {
    let catalog = Catalog::embedded().unwrap();
    let blob = |name: &str| json!({ "sha256": Sha256::of(name.as_bytes()), "size": 1 });
    let versions: BTreeMap<_, _> = catalog
        .components
        .iter()
        .map(|(name, component)| (name.clone(), component.version.clone()))
        .collect();
    let programs = catalog.components.iter().flat_map(|(name, component)| {
        let programs = component.source.go.programs.iter();
        programs.map(move |it| format!("{name}/{}", it.output))
    });
    let programs = programs.map(|name| {
        let part = json!({ "component": "c", "version": "1", "blob": blob(&name) });
        (name, part)
    });
    let images = catalog.images.iter().map(|(name, image)| {
        let version = &versions[&image.component];
        let tag = image.tag.as_deref().unwrap_or("v{version}");
        let tag = tag.replace("{version}", version);
        let image = json!({
            "name": format!("kinstall.local/{name}:{tag}"),
            "component": image.component, "version": version, "nodes": image.nodes,
            "manifest": blob(name), "config": blob(name), "layers": [],
        });
        (name.clone(), image)
    });
    let files = bundled_files().into_keys().map(|path| {
        let part = json!({ "component": "c", "version": "1", "blob": blob(&path) });
        (path, part)
    });
    let manifest = json!({
        "architecture": "amd64",
        "components": versions,
        "programs": programs.collect::<BTreeMap<_, _>>(),
        "images": images.collect::<BTreeMap<_, _>>(),
        "files": files.collect::<BTreeMap<_, _>>(),
        "node_programs": catalog.node_programs,
    });
    serde_json::from_value(manifest).unwrap()
}

/// Stand-ins for what Go modules bring: their content doesn't matter here, their names do.
fn bundled_files() -> BTreeMap<String, Arc<SourceFile>> {
    let names = [
        "manifests/cert-manager/cert-manager.io_certificates.yaml",
        "manifests/cilium/ciliumnodes.yaml",
        "manifests/gateway-api/gateway.networking.k8s.io_gateways.yaml",
        "manifests/metallb/metallb.io_ipaddresspools.yaml",
    ];
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: stand-in }\n";
    names
        .map(|name| {
            let file = SourceFile {
                path: name.into(),
                text: text.to_owned(),
            };
            (name.to_owned(), Arc::new(file))
        })
        .into()
}

/// Reads what a file of YAML says.
fn documents(text: &str) -> Vec<Value> {
    let file = SourceFile {
        path: "rendered.yaml".into(),
        text: text.to_owned(),
    };
    crate::yaml::documents(&Arc::new(file)).unwrap()
}

fn resources(plan: &Plan) -> impl Iterator<Item = &Resource> {
    let batches = plan.phases.iter().flat_map(|phase| phase.batches.values());
    batches.flat_map(|batch| batch.steps.iter().map(|step| &step.resource))
}

/// Returns all Kubernetes objects of the plan.
fn objects(plan: &Plan) -> Vec<Value> {
    let sets = resources(plan).filter_map(|resource| match resource {
        Resource::Manifests(set) => Some(&set.objects),
        _ => None,
    });
    sets.flatten()
        .map(|object| serde_json::from_str(object.text.expose()).unwrap())
        .collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Returns the content of the file that a host gets at this path, or that a command of its gets.
fn content(plan: &Plan, host: &str, path: &str) -> String {
    let batches = plan.phases.iter().filter_map(|it| it.batches.get(host));
    let found = batches
        .flat_map(|batch| &batch.steps)
        .find_map(|step| match &step.resource {
            Resource::File(file) if file.path == path => Some(&file.content),
            Resource::Command(Command { inputs, .. }) => {
                let input = inputs.iter().find(|input| input.path == path);
                input.map(|input| &input.content)
            }
            _ => None,
        });
    match found {
        Some(Content::Text(text)) => text.clone(),
        Some(Content::Secret(secret)) => secret.expose().to_owned(),
        other => panic!("{host} gets no text at {path}: {other:?}"),
    }
}

#[test]
fn table_of_contents_of_the_lab() {
    let plan = Lab::new().plan();
    let mut lines = Vec::new();
    for phase in &plan.phases {
        for (host, batch) in &phase.batches {
            lines.push(format!("{} on {host}", phase.name));
            lines.extend(batch.steps.iter().map(|step| format!("  {}", step.id)));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn files_of_the_control_plane() {
    let mut lab = Lab::new();
    lab.secrets.bootstrap_token = crate::secret::Secret::new("abcdef.0123456789abcdef");
    let plan = lab.plan();
    for path in [
        "/etc/containerd/config.toml",
        "/etc/kubernetes/kubelet.conf.d/10-kinstall.conf",
        "/etc/kubernetes/kubeadm.yaml",
        "/etc/kubernetes/kubeadm-init.yaml",
    ] {
        insta::assert_snapshot!(path, content(&plan, "controll-plane", path));
    }
    let join = content(&plan, "node1", "/etc/kubernetes/kubeadm-join.yaml");
    insta::assert_snapshot!(join);
}

#[test]
fn other_clusters_have_a_plan_too() {
    let mut single = Lab::new();
    single.cluster.hosts.retain(|host| host.roles.control_plane);
    single.cluster.hosts[0].taints.clear();
    let mut bare = Lab::new();
    bare.cluster.addons = model::Addons::default();
    bare.cluster.dns.node_local_address = None;
    bare.cluster.node_domain = None;
    let mut several = Lab::new();
    several.cluster.hosts[0].roles.control_plane = true;
    for lab in [&single, &bare, &several] {
        assert!(!lab.plan().phases.is_empty());
    }

    let single = objects(&single.plan());
    let speaker = single
        .iter()
        .find(|it| text(it, "/metadata/name") == "speaker" && text(it, "/kind") == "DaemonSet");
    let affinity = speaker.unwrap().pointer("/spec/template/spec/affinity");
    assert_eq!(
        affinity, None,
        "where there is no worker, the control plane answers"
    );
}

#[test]
fn names_outside_the_cluster_are_asked_for_where_there_is_somebody_to_ask() {
    let corefile = |lab: &Lab, name: &str| {
        let objects = objects(&lab.plan());
        let map = objects
            .iter()
            .find(|it| text(it, "/kind") == "ConfigMap" && text(it, "/metadata/name") == name);
        text(map.unwrap(), "/data/Corefile").to_owned()
    };
    let mut lab = Lab::new();
    assert!(!corefile(&lab, "coredns").contains("forward"));
    assert!(!corefile(&lab, "node-local-dns").contains("\n.:53"));

    let servers = ["127.0.0.53", "192.0.2.53", "::1", "192.0.2.54"];
    lab.facts["controll-plane"].name_servers = servers.map(str::to_owned).to_vec();
    // No loopback address.
    let forward = "forward . 192.0.2.53 192.0.2.54";
    // Over UDP, whatever the question came by: not every resolver takes TCP.
    let by_udp = format!("{forward} {{\n        prefer_udp\n");
    assert!(corefile(&lab, "coredns").contains(&by_udp));
    assert!(corefile(&lab, "node-local-dns").contains(&format!("{forward}\n")));

    lab.cluster.dns.upstream_servers = vec!["198.51.100.1".parse().unwrap()];
    assert!(corefile(&lab, "coredns").contains("forward . 198.51.100.1 {\n"));
}

#[test]
fn no_secret_is_where_a_plan_could_show_it() {
    let lab = Lab::new();
    let shown = serde_json::to_string(&lab.plan().without_secrets()).unwrap();
    let secrets = lab.secrets.as_map().into_iter();
    for (name, secret) in secrets.filter(|(_, secret)| !secret.expose().is_empty()) {
        // As JSON has it: line ends are escaped. Certificates are no secrets, but aren't needed either.
        let value = serde_json::to_string(secret.expose()).unwrap();
        assert!(!shown.contains(value.trim_matches('"')), "{name} is shown");
    }
}

#[test]
fn what_is_waited_for_is_installed() {
    let plan = Lab::new().plan();
    let installed: BTreeSet<String> = objects(&plan)
        .iter()
        .map(|it| {
            let [kind, namespace, name] =
                ["/kind", "/metadata/namespace", "/metadata/name"].map(|pointer| text(it, pointer));
            format!("{} {namespace}/{name}", kind.to_lowercase())
        })
        .collect();
    let mut waited = BTreeSet::new();
    for resource in resources(&plan) {
        if let Resource::Wait(wait) = resource
            && let Condition::RolledOut {
                kind,
                namespace,
                name,
                ..
            } = &wait.condition
        {
            waited.insert(format!("{kind} {namespace}/{name}"));
        }
    }
    let workloads = installed
        .iter()
        .filter(|it| it.starts_with("deployment ") || it.starts_with("daemonset "));
    assert_eq!(waited, workloads.cloned().collect());
}
