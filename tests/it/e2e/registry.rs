//! The registry in the cluster: what is pushed from this computer runs on every node.

use std::process::Command;

use kinstall::resource::Sha256;
use serde_json::json;

use super::kinstall::{Kinstall, eventually};
use super::own_image;
use super::pages::Opened;

const PAGE: &str = "kube-system/registry";
const HOSTS: &str = "/etc/containerd/certs.d/localhost:5000/hosts.toml";

/// Pushes an image, runs it on two nodes, and finds it again when the registry's pod was replaced.
pub fn has_what_was_pushed(lab: &Kinstall) {
    let registry = Opened::of(lab, PAGE);
    let repository = format!("{}v2/my/app", registry.url);
    push(lab, &repository);
    for node in ["node1", "node2"] {
        let pod = POD.replace("NODE", node);
        lab.apply(&pod);
    }
    eventually("the pushed image runs on both nodes", 90, || {
        let pods = lab.objects(&["get", "pods", "-l", "app=pushed"]);
        let pods = pods["items"].as_array().unwrap();
        pods.len() == 2 && pods.iter().all(|it| it["status"]["phase"] == "Running")
    });
    lab.kubectl(&["delete", "pods", "-l", "app=pushed"]);
    lab.kubectl(&["delete", "pods", "-n", "kube-system", "-l", "app=registry"]);
    eventually("the registry has the image still", 90, || {
        let tags = curl(&[&format!("{repository}/tags/list")]);
        tags.contains("\"tags\":[\"1\"]")
    });
    registry.close();
}

/// Neither in the cluster nor on nodes is anything left.
pub fn is_gone(lab: &Kinstall) {
    let kinds = "deployments,services,configmaps,persistentvolumeclaims";
    let left = lab.kubectl(&["get", kinds, "-n", "kube-system", "-o", "name"]);
    assert!(!left.contains("/registry"), "{left}");
    for node in ["node1", "controll-plane"] {
        let left = lab.run(&["ssh", node, "--", "ls", HOSTS]);
        assert!(left.stdout().is_empty(), "{}", left.stdout());
    }
}

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata: { name: pushed-NODE, labels: { app: pushed } }
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 0
  containers:
    - { name: app, image: 'localhost:5000/my/app:1' }
";

/// Does what docker does: both blobs, then the manifest.
fn push(lab: &Kinstall, repository: &str) {
    let (layer, config) = (own_image::layer(), own_image::config().to_string());
    let described = |name: &str, kind: &str, content: &[u8]| {
        let digest = format!("sha256:{}", Sha256::of(content));
        let answer = curl(&[
            "--dump-header",
            "-",
            "--request",
            "POST",
            &format!("{repository}/blobs/uploads/"),
        ]);
        let mut headers = answer.lines().filter_map(|line| line.split_once(": "));
        let upload = headers.find(|(name, _)| name.eq_ignore_ascii_case("location"));
        let upload = format!("{}&digest={digest}", upload.unwrap().1.trim());
        put(lab, name, "application/octet-stream", content, &upload);
        let kind = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": kind, "digest": digest, "size": content.len() })
    };
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": kind,
        "config": described("config", "config.v1+json", config.as_bytes()),
        "layers": [described("layer", "layer.v1.tar", &layer)],
    });
    let url = format!("{repository}/manifests/1");
    put(lab, "manifest", kind, manifest.to_string().as_bytes(), &url);
}

fn put(lab: &Kinstall, name: &str, kind: &str, content: &[u8], url: &str) {
    let file = lab.path(name);
    std::fs::write(&file, content).unwrap();
    let code = curl(&[
        "--request",
        "PUT",
        "--header",
        &format!("Content-Type: {kind}"),
        "--data-binary",
        &format!("@{}", file.display()),
        "--write-out",
        "%{http_code}",
        url,
    ]);
    assert_eq!(code, "201", "{name}");
}

fn curl(arguments: &[&str]) -> String {
    let mut curl = Command::new("curl");
    let answer = curl.args(["--silent", "--max-time", "10"]).args(arguments);
    String::from_utf8(answer.output().unwrap().stdout).unwrap()
}
