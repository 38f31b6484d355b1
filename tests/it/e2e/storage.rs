//! Volumes on the nodes' disks, as the course's StatefulSet has them.

use super::kinstall::{Kinstall, eventually};

/// A StatefulSet whose claim names no class.
const KEEPER: &str = include_str!("storage.yaml");

/// Writes to a volume, and finds it again after the pod was deleted and after its node was restarted.
pub fn outlives_pods_and_nodes(lab: &Kinstall) {
    let echo = lab.objects(&["get", "deployment", "echo"]);
    let image = &echo["spec"]["template"]["spec"]["containers"][0]["image"];
    lab.apply(&KEEPER.replace("IMAGE", image.as_str().unwrap()));
    runs(lab);
    mount_test(lab, "--new_file_0644=/data/kept");
    lab.kubectl(&["delete", "pod", "keeper-0"]);
    runs(lab);
    is_kept(lab);
    let node = node(lab);
    lab.ok(&["restart", &node]);
    all_of_it_runs_again(lab, &node);
    is_kept(lab);
}

/// For some time the cluster shows what was before the restart.
fn all_of_it_runs_again(lab: &Kinstall, node: &str) {
    let here = format!("spec.nodeName={node}");
    eventually("all containers of the node run again", 180, || {
        let pods = lab.objects(&["get", "pods", "--all-namespaces", "--field-selector", &here]);
        let pods = pods["items"].as_array().unwrap();
        let containers = pods.iter().map(|pod| &pod["status"]["containerStatuses"]);
        let mut containers = containers.flat_map(|it| it.as_array().into_iter().flatten());
        containers.all(|it| it["ready"] == true && it["restartCount"].as_u64() > Some(0))
    });
}

/// Without the provisioner the data is on its node still.
pub fn stays_without_the_add_on(lab: &Kinstall) {
    let classes = lab.objects(&["get", "storageclasses"]);
    assert_eq!(classes["items"], serde_json::json!([]));
    is_kept(lab);
    let node = node(lab);
    let command = [
        "sudo",
        "find",
        "/opt/local-path-provisioner",
        "-name",
        "kept",
    ];
    let found = lab.ok(&[&["ssh", &node, "--"], command.as_slice()].concat());
    assert_eq!(found.lines().count(), 1, "{found}");
}

fn runs(lab: &Kinstall) {
    eventually("the StatefulSet's pod runs", 120, || {
        let pod = lab.run(&[
            "ssh",
            "controll-plane",
            "--",
            "sudo",
            "kubectl",
            "get",
            "pod",
            "keeper-0",
            "-o",
            "json",
        ]);
        let pod: serde_json::Value = serde_json::from_str(&pod.stdout()).unwrap_or_default();
        let status = &pod["status"]["containerStatuses"][0];
        status["ready"] == true && pod["metadata"]["deletionTimestamp"].is_null()
    });
}

fn is_kept(lab: &Kinstall) {
    let mut text = String::new();
    eventually("the file is on the volume", 60, || {
        text = mount_test(lab, "--file_content=/data/kept");
        text.contains("mount-tester new file")
    });
}

fn mount_test(lab: &Kinstall, argument: &str) -> String {
    let command = [
        "kubectl",
        "exec",
        "keeper-0",
        "--",
        "agnhost",
        "mounttest",
        argument,
    ];
    let ssh = ["ssh", "controll-plane", "--", "sudo"];
    lab.run(&[ssh.as_slice(), command.as_slice()].concat())
        .stdout()
}

fn node(lab: &Kinstall) -> String {
    let pod = lab.objects(&["get", "pod", "keeper-0"]);
    pod["spec"]["nodeName"].as_str().unwrap().to_owned()
}
