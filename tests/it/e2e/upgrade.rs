//! From Kubernetes 1.36 to 1.37 on real nodes, with a workload that keeps answering, and kinstall killed on the way.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::kinstall::{Kinstall, eventually};

const INVENTORY: &str = "\
[all]
cp1 ip=192.168.56.11
w1 ip=192.168.56.21
w2 ip=192.168.56.22

[kube_control_plane]
cp1

[etcd]
cp1

[kube_node]
w1
w2

[all:vars]
cluster_name=moving
kinstall_provider=container
kinstall_egress=false
kube_version=1.36
preload_images=[\"agnhost\"]
";

/// Two pods on different nodes, of which one may be missing.
const WORKLOAD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: { name: echo }
spec:
  replicas: 2
  selector: { matchLabels: { app: echo } }
  template:
    metadata: { labels: { app: echo } }
    spec:
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: { matchLabels: { app: echo } } }
      containers:
        - name: echo
          image: kinstall.local/agnhost:v1.36.3
          args: [netexec, --http-port=8080, --delay-shutdown=5]
          readinessProbe: { httpGet: { path: /healthz, port: 8080 }, periodSeconds: 1 }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: echo }
spec: { minAvailable: 1, selector: { matchLabels: { app: echo } } }
---
apiVersion: v1
kind: Service
metadata: { name: echo }
spec:
  clusterIP: 10.233.0.80
  selector: { app: echo }
  ports: [{ port: 80, targetPort: 8080 }]
";

/// A request to the service of a new connection each, until a file is there; prints how many were made and failed.
const WATCH: &str = "\
made=0; failed=0
until [ -e /run/watched ]; do
  made=$((made + 1))
  timeout 5 bash -c \"exec 3<>/dev/tcp/10.233.0.80/80 && printf \\\"GET /healthz HTTP/1.0\\r\\n\\r\\n\\\" >&3 && grep -q 200 <&3\" 2> /dev/null || failed=$((failed + 1))
  sleep 0.2
done
rm /run/watched
echo $made $failed";

#[test]
#[ignore = "needs root and a bundle with two releases: `./test upgrade`"]
fn a_minor_version_comes_node_by_node_and_is_taken_up_again_where_it_was_killed() {
    let lab = Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    lab.apply_on("cp1", WORKLOAD);
    lab.apply_on("cp1", &config_map("before"));
    eventually("both pods answer", 120, || {
        lab.ok(&[
            "ssh",
            "cp1",
            "--",
            "sudo",
            "kubectl",
            "get",
            "deployment",
            "echo",
        ])
        .contains("2/2")
    });
    assert_eq!(kubelets(&lab), "v1.36.3 v1.36.3 v1.36.3");

    // Nothing but a word of what would happen.
    lab.edit("inventory.ini", "kube_version=1.36", "kube_version=1.37");
    let refused = lab.run(&["up"]);
    assert!(
        refused.stderr().contains("`kinstall upgrade` moves"),
        "{}",
        refused.stderr()
    );
    let planned = lab.run(&["upgrade", "--plan"]);
    planned.expect_code(2);
    assert!(
        planned.stderr().contains("Kubernetes 1.37.2, etcd 3.7"),
        "{}",
        planned.stderr()
    );
    assert_eq!(kubelets(&lab), "v1.36.3 v1.36.3 v1.36.3");

    let watch = lab
        .command(&[
            "ssh",
            "w1",
            "--",
            "sudo",
            "bash",
            "-c",
            &format!("'{WATCH}'"),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for (host, step) in [
        ("cp1", "upgrade/kubeadm"),
        ("w1", "programs//usr/local/bin/kube"),
    ] {
        run_until_killed(&lab, &["upgrade"], host, step);
    }
    lab.ok(&["upgrade", "--yes"]);
    lab.ok(&["ssh", "w1", "--", "sudo", "touch", "/run/watched"]);
    let watched = String::from_utf8(watch.wait_with_output().unwrap().stdout).unwrap();
    eprintln!("requests made, failed: {watched}");
    assert!(watched.trim().ends_with(" 0"), "{watched}");

    assert_eq!(kubelets(&lab), "v1.37.2 v1.37.2 v1.37.2");
    let pods = lab.ok(&[
        "ssh",
        "cp1",
        "--",
        "sudo",
        "kubectl",
        "get",
        "pods",
        "--namespace",
        "kube-system",
        "-o",
        "yaml",
    ]);
    assert!(
        !pods.contains(":v1.36.3") && !pods.contains("etcd:3.6"),
        "{pods}"
    );
    let nodes = lab.ok(&["ssh", "cp1", "--", "sudo", "kubectl", "get", "nodes"]);
    assert!(!nodes.contains("SchedulingDisabled"), "{nodes}");
    let snapshot = lab.ok(&["ssh", "cp1", "--", "sudo", "ls", "/var/lib/kinstall/etcd"]);
    let files: Vec<&str> = snapshot.split_whitespace().collect();
    assert_eq!(files, ["before-1.37.2.db", "before-1.37.2.json"]);

    let again = lab.run(&["upgrade", "--yes"]);
    again.expect_code(0);
    assert!(
        again.stderr().contains("Nothing to do"),
        "{}",
        again.stderr()
    );
    let up = lab.run(&["up"]);
    up.expect_code(0);
    assert!(up.stderr().contains("0 changed"), "{}", up.stderr());
    lab.run(&["plan"]).expect_code(0);

    the_version_before_comes_back_with_the_data_of_before(&lab);
}

/// Killed on the way: before the data is replaced, and when some nodes have the old programs.
fn the_version_before_comes_back_with_the_data_of_before(lab: &Kinstall) {
    lab.apply_on("cp1", &config_map("after"));
    let planned = lab.run(&["upgrade", "rollback", "--plan"]);
    planned.expect_code(2);
    for expected in [
        "Back to Kubernetes 1.36.3",
        "LOST",
        "w2 runs kubelet 1.37.2",
    ] {
        assert!(planned.stderr().contains(expected), "{}", planned.stderr());
    }
    for (host, step) in [
        ("cp1", "rollback/static pods"),
        ("w1", "programs//usr/local/bin/kube"),
    ] {
        run_until_killed(lab, &["upgrade", "rollback"], host, step);
        let refused = lab.run(&["up"]);
        assert!(
            refused
                .stderr()
                .contains("`kinstall upgrade rollback` goes on"),
            "{}",
            refused.stderr()
        );
    }
    let back = lab.run(&["upgrade", "rollback", "--yes"]);
    back.expect_code(0);
    assert!(
        back.stderr().contains("Set `kube_version: 1.36`"),
        "{}",
        back.stderr()
    );
    assert_eq!(kubelets(lab), "v1.36.3 v1.36.3 v1.36.3");
    let kubectl =
        |words: &[&str]| lab.ok(&[&["ssh", "cp1", "--", "sudo", "kubectl"], words].concat());
    let pods = kubectl(&["get", "pods", "--namespace", "kube-system", "-o", "yaml"]);
    assert!(
        !pods.contains(":v1.37.2") && !pods.contains("etcd:3.7"),
        "{pods}"
    );
    let kept = kubectl(&["get", "configmaps", "-o", "name"]);
    assert!(
        kept.contains("configmap/before") && !kept.contains("configmap/after"),
        "{kept}"
    );
    eventually("both pods answer again", 180, || {
        kubectl(&["get", "deployment", "echo"]).contains("2/2")
    });
    lab.edit("inventory.ini", "kube_version=1.37\n", "");
    for arguments in [&["up"][..], &["upgrade", "rollback", "--yes"]] {
        lab.run(arguments).expect_code(0);
    }
    let up = lab.run(&["up"]);
    assert!(up.stderr().contains("0 changed"), "{}", up.stderr());
    assert_eq!(kubelets(lab), "v1.36.3 v1.36.3 v1.36.3");
}

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\n")
}

fn kubelets(lab: &Kinstall) -> String {
    lab.ok(&[
        "ssh",
        "cp1",
        "--",
        "sudo",
        "kubectl",
        "get",
        "nodes",
        "-o",
        "'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'",
    ])
}

/// Starts a command and kills it when a step starts on a host.
fn run_until_killed(lab: &Kinstall, command: &[&str], host: &str, step: &str) {
    let mut child = lab
        .command(&[command, &["--yes", "--output", "json"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let started = lines.any(|line| {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap_or_default();
        let told = &event["agent"]["event"]["Step"];
        event["agent"]["host"] == host && told["id"] == step && told["state"] == "Started"
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(started, "{step} was never started");
}
