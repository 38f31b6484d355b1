//! Registries, their logins and the proxy to them: from the inventory to containerd's files.

use super::settings::lab;
use super::{Lab, Resource, content, resources};
use crate::resource::Content;

const REGISTRIES: &str = "\
containerd_registries_mirrors:
  - prefix: docker.io
    mirrors:
      - host: https://mirror.example.com
        capabilities: [pull, resolve]
        skip_verify: false
      - { host: 'http://10.0.0.2:5000', capabilities: pull, skip_verify: true, override_path: true }
  - prefix: registry.example.com:5000
    server: https://registry.example.com:5000
    mirrors:
      - host: https://registry.example.com:5000
        capabilities: [pull, resolve, push]
        ca:
          - /etc/ssl/own.pem
          - |
            -----BEGIN CERTIFICATE-----
            MIIB
            -----END CERTIFICATE-----
        auth: { username: reader, password: pass-of-mirror }
containerd_registries: { docker.io: 'https://registry-1.docker.io', quay.io: 'https://quay.example.com' }
containerd_insecure_registries: { '172.19.16.11:5000': 'http://172.19.16.11:5000' }
docker_registry_mirrors: ['https://second.example.com', 'https://mirror.example.com']
docker_insecure_registries: [old.example.com]
containerd_registry_auth:
  - { registry: docker.io, username: me, password: \"pass\\\"word\" }
  - { registry: 10.0.0.2:5000, auth: bWU6dG9rZW4= }
";

/// Everything that is written below `/etc/containerd`, by path.
fn files(lab: &Lab) -> String {
    let plan = lab.plan();
    let batches = plan.phases.iter().filter_map(|it| it.batches.get("node1"));
    let steps = batches.flat_map(|batch| &batch.steps);
    let mut parts = Vec::new();
    for step in steps {
        match &step.resource {
            Resource::File(file) if file.path.starts_with("/etc/containerd/") => {
                let text = file.content.text().unwrap();
                let kind = match file.content {
                    Content::Secret(_) => ", secret",
                    _ => "",
                };
                let head = format!("== {} ({:o}{kind}) {:?}", file.path, file.mode, step.notify);
                parts.push(format!("{head}\n{}", text.trim_end()));
            }
            Resource::Absent(absent) if absent.path.starts_with("/etc/containerd/") => {
                parts.push(format!("== no {}", absent.path));
            }
            _ => {}
        }
    }
    parts.join("\n")
}

#[test]
fn mirrors_logins_and_authorities_are_what_containerd_reads() {
    let lab = lab(REGISTRIES);
    insta::assert_snapshot!(files(&lab));
    let shown = serde_json::to_string(&lab.plan().without_secrets()).unwrap();
    for secret in ["pass-of-mirror", "pass\\\\", "bWU6dG9rZW4="] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

#[test]
fn a_registry_that_the_inventory_lost_leaves_the_node() {
    let mut lab =
        lab("containerd_insecure_registries: {'10.0.0.2:5000': 'http://10.0.0.2:5000'}\n");
    let made = ["10.0.0.2:5000", "docker.io"].map(str::to_owned).to_vec();
    lab.facts["node1"].surroundings.registries = made;
    let gone = "== no /etc/containerd/certs.d/docker.io\n";
    assert!(files(&lab).contains(gone), "{}", files(&lab));
    assert!(!files(&lab).contains("== no /etc/containerd/certs.d/10.0.0.2:5000\n"));
}

#[test]
fn the_clusters_own_registry_is_at_its_service_unless_the_inventory_says_otherwise() {
    let path = "/etc/containerd/certs.d/localhost:5001/hosts.toml";
    let on = "registry_enabled: true\nregistry_port: 5001\nregistry_storage_class: ''\n";
    let found = content(&lab(on).plan(), "node1", path);
    assert!(
        found.ends_with("server = \"http://10.233.0.5:5001\"\n"),
        "{found}"
    );
    let own = "containerd_insecure_registries: {'localhost:5001': 'http://10.0.0.2:5000'}\n";
    let found = content(&lab(&format!("{on}{own}")).plan(), "node1", path);
    assert!(found.contains("http://10.0.0.2:5000"), "{found}");
}

#[test]
fn containerd_alone_gets_the_proxy_and_a_new_node_changes_nothing_on_the_others() {
    let variables = "\
http_proxy: http://me:p%40ss@10.0.0.9:3128
https_proxy: http://10.0.0.9:3129
additional_no_proxy: .example.com,10.9.0.0/16
";
    let path = "/etc/containerd/kinstall-proxy.env";
    let lab = lab(variables);
    let environment = content(&lab.plan(), "node1", path);
    insta::assert_snapshot!(environment);
    let mut larger = super::settings::lab(variables);
    let mut host = larger.cluster.hosts[1].clone();
    host.name = "node9".into();
    host.address = Some("192.168.56.77".parse().unwrap());
    host.access_address = host.address;
    larger.cluster.hosts.push(host);
    assert_eq!(content(&larger.plan(), "node1", path), environment);

    let unit = content(
        &lab.plan(),
        "node1",
        "/etc/systemd/system/containerd.service",
    );
    assert!(
        unit.contains("EnvironmentFile=/etc/containerd/kinstall-proxy.env\n"),
        "{unit}"
    );
    let plan = lab.plan();
    let told = resources(&plan).filter_map(|resource| match resource {
        Resource::File(file) => Some((&file.path, file.content.text()?)),
        _ => None,
    });
    let told: Vec<_> = told.filter(|(_, text)| text.contains("10.0.0.9")).collect();
    assert!(told.iter().all(|(told, _)| *told == path), "{told:?}");
    let shown = serde_json::to_string(&lab.plan().without_secrets()).unwrap();
    assert!(!shown.contains("p%40ss"), "the password is shown");
}

#[test]
fn no_proxy_replaces_what_is_computed() {
    let lab = lab("http_proxy: http://10.0.0.9:3128\nno_proxy: 'a.example.com, 10.0.0.0/8'\n");
    let environment = content(&lab.plan(), "node1", "/etc/containerd/kinstall-proxy.env");
    assert!(
        environment.starts_with("NO_PROXY=\"a.example.com,10.0.0.0/8\"\n"),
        "{environment}"
    );
}
