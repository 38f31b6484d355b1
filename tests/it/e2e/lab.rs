//! From the course's inventory to the cluster, and back to nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::kinstall::Kinstall;
use super::traces::Traces;
use super::{
    addons, cert_manager, certificates, cluster, dashboard, etcd, hardening, ingress, monitoring,
    nodes, own_image, own_manifests, pages, registry, storage, verify,
};

#[test]
#[ignore = "needs root and a bundle: `./test clusters`"]
fn the_courses_lab_comes_up_and_goes_away() {
    let before = Traces::now();
    let lab = Kinstall::with_the_lab_inventory();
    what_the_plan_shows_is_what_up_does(&lab);
    cluster::works(&lab);
    ingress::works(&lab);
    hardening::holds(&lab);
    own_image::is_loaded_and_runs(&lab);
    storage::outlives_pods_and_nodes(&lab);
    a_second_up_changes_nothing(&lab);
    certificates::are_made_anew_before_they_end(&lab);
    etcd::a_timer_keeps_snapshots(&lab, "controll-plane");
    etcd::data_comes_back_from_a_backup(&lab, "controll-plane");
    addons::are_switched_on(&lab);
    registry::has_what_was_pushed(&lab);
    cert_manager::issues_for_an_ingress(&lab);
    monitoring::shows_an_hour_and_finds_a_line(&lab);
    pages::of_an_add_on_open_by_name(&lab);
    dashboard::shows_the_lab(&lab);
    verify::all_of_it_works(&lab);
    addons::are_switched_off(&lab);
    monitoring::is_gone(&lab);
    registry::is_gone(&lab);
    cert_manager::leaves_what_it_made(&lab);
    pages::of_an_add_on_that_is_off_say_how_to_switch_it_on(&lab);
    verify::a_missing_dns_and_an_empty_pool_are_named(&lab);
    an_edited_variable_shows_as_the_diff_that_up_applies(&lab);
    cert_manager::kinds_are_gone(&lab);
    verify::a_blocked_pod_network_and_a_stopped_kubelet_are_named(&lab);
    verify::a_pause_of_the_api_server_is_measured(&lab);
    ssh_keeps_exit_code_and_streams_apart(&lab);
    kubeconfig_reaches_the_api(&lab);
    a_forward_leads_from_loopback_into_the_lab(&lab);
    pages::open_until_they_are_interrupted(&lab);
    own_manifests::come_and_go_with_their_files(&lab);
    nginx_annotations_are_named(&lab);
    a_host_that_the_inventory_lost_leaves(&lab);
    nodes::come_back_by_a_command(&lab);
    nodes::get_another_address(&lab);
    nodes::a_report_has_no_secret(&lab);
    let id = lab.lab_id();
    lab.ok(&["down", "--yes"]);
    assert!(!lab.path(".kinstall").exists());
    assert_eq!(Traces::now().since(&before, &id), Traces::default());
}

/// All that is made of the machines was in the plan before there were any.
fn what_the_plan_shows_is_what_up_does(lab: &Kinstall) {
    let planned = lab.run(&["plan", "--output", "json"]).expect_code(2);
    assert!(!lab.path(".kinstall").exists(), "a plan left something");
    lab.ok(&["up"]);
    let planned: Value = serde_json::from_str(&planned).unwrap();
    let planned: BTreeSet<(&str, &str)> = (planned["steps"].as_array().unwrap().iter())
        .map(|it| (it["host"].as_str().unwrap(), it["step"].as_str().unwrap()))
        .collect();
    let mut runs = fs::read_dir(lab.path(".kinstall/runs")).unwrap();
    let journal = runs
        .find_map(|run| Some(run.unwrap().path()).filter(|it| it.extension().unwrap() == "jsonl"));
    let journal = fs::read_to_string(journal.unwrap()).unwrap();
    let mut done = 0;
    for line in journal.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (host, step) = (&line["agent"]["host"], &line["agent"]["event"]["Step"]);
        let changes = step["state"]["Changed"]["changes"].as_array();
        // What the installation itself leaves is removed when it is there.
        if changes.is_some_and(|them| them.iter().any(|it| it["action"] != "remove")) {
            let step = (host.as_str().unwrap(), step["id"].as_str().unwrap());
            assert!(planned.contains(&step), "{step:?} was not planned");
            done += 1;
        }
    }
    assert!(done > 100, "only {done} of {} steps", planned.len());
}

fn a_second_up_changes_nothing(lab: &Kinstall) {
    let before = cluster::start_times(lab);
    let recap = lab.run(&["up"]);
    recap.expect_code(0);
    assert!(recap.stderr().contains("0 changed"), "{}", recap.stderr());
    lab.run(&["plan"]).expect_code(0);
    assert_eq!(cluster::start_times(lab), before);
}

fn an_edited_variable_shows_as_the_diff_that_up_applies(lab: &Kinstall) {
    lab.edit(
        "group_vars/k8s-cluster/addons.yml",
        "192.168.56.99",
        "192.168.56.89",
    );
    lab.edit(
        "group_vars/k8s-cluster/addons.yml",
        "metrics_server_enabled",
        "local_path_provisioner_enabled: false\nmetrics_server_enabled",
    );
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(plan.contains("192.168.56.50-192.168.56.89"), "{plan}");
    lab.ok(&["up"]);
    storage::stays_without_the_add_on(lab);
    let pools = lab.objects(&["get", "ipaddresspools", "-n", "metallb-system"]);
    assert_eq!(
        pools["items"][0]["spec"]["addresses"][0],
        "192.168.56.50-192.168.56.89"
    );
    lab.run(&["plan"]).expect_code(0);
}

fn ssh_keeps_exit_code_and_streams_apart(lab: &Kinstall) {
    let finished = lab.run(&[
        "ssh",
        "node1",
        "--",
        "sh",
        "-c",
        "'echo out; echo err >&2; exit 7'",
    ]);
    assert_eq!(finished.expect_code(7), "out\n");
    assert_eq!(finished.stderr(), "err\n");
}

fn kubeconfig_reaches_the_api(lab: &Kinstall) {
    let text = lab.ok(&["kubeconfig", "--print"]);
    let server = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("server: "))
        .unwrap();
    assert!(server.contains("127.0.0.1:"), "{server}");
    let version = Command::new("curl")
        .args([
            "--silent",
            "--insecure",
            "--fail",
            "--max-time",
            "5",
            &format!("{server}/version"),
        ])
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&version.stdout).contains("gitVersion"),
        "{version:?}"
    );
}

fn a_forward_leads_from_loopback_into_the_lab(lab: &Kinstall) {
    let mut forward = lab
        .command(&["forward", "192.168.56.11:6443"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(forward.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let address = line.split_whitespace().next().unwrap();
    let url = format!("https://{address}/version");
    let version = Command::new("curl")
        .args(["--silent", "--insecure", "--fail", "--max-time", "5", &url])
        .output()
        .unwrap();
    forward.kill().unwrap();
    forward.wait().unwrap();
    assert!(
        String::from_utf8_lossy(&version.stdout).contains("gitVersion"),
        "{line}{version:?}"
    );
}

fn nginx_annotations_are_named(lab: &Kinstall) {
    let status = lab.ok(&["status"]);
    assert!(
        status.contains("nginx.ingress.kubernetes.io/denylist-source-range has no effect"),
        "{status}"
    );
}

/// A pod on node3 that no drain may take away.
const GUARDED: &str = "\
apiVersion: v1
kind: Pod
metadata: { name: guarded, labels: { app: guarded } }
spec:
  nodeName: node3
  terminationGracePeriodSeconds: 0
  containers:
    - { name: guarded, image: 'kinstall.local/agnhost:v1.37.2', args: [pause] }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: guard }
spec: { minAvailable: 1, selector: { matchLabels: { app: guarded } } }
---
apiVersion: v1
kind: Node
metadata: { name: ghost }
";

fn a_host_that_the_inventory_lost_leaves(lab: &Kinstall) {
    lab.apply(GUARDED);
    lab.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "pod/guarded",
        "--timeout=60s",
    ]);
    lab.edit(
        "inventory.ini",
        "node3 ansible_host=192.168.56.23 ip=192.168.56.23\n",
        "",
    );
    lab.edit("inventory.ini", "node3\n", "");
    lab.edit(
        "group_vars/k8s-cluster/addons.yml",
        "ingress_nginx_enabled: true",
        "ingress_nginx_enabled: false",
    );
    let planned = lab.run(&["plan"]);
    let said = planned.stderr();
    assert!(said.contains("Kubernetes has the node ghost"), "{said}");
    assert!(!said.contains("has the node node3"), "{said}");
    lab.kubectl(&["delete", "node", "ghost"]);
    let plan = planned.expect_code(2);
    for shown in [
        "- machine (remove",
        "leave/drain[node3]",
        "reset/kubeadm",
        "interface cni0",
        "nftables table ip flannel-ipv4",
        "leave/node[node3]",
    ] {
        assert!(plan.contains(shown), "{shown}: {plan}");
    }
    // The budget forbids it: node and machine stay, and the rest of `up` is done.
    let refused = lab.run(&["up", "--yes"]);
    refused.expect_code(1);
    let said = refused.stderr();
    assert!(said.contains("disruption budget"), "{said}");
    let nodes = || lab.kubectl(&["get", "nodes", "-o", "name"]);
    assert!(nodes().contains("node3"), "{}", nodes());

    lab.kubectl(&["delete", "pdb", "guard"]);
    lab.ok(&["up", "--yes"]);
    assert_eq!(nodes().lines().count(), 3, "{}", nodes());
    assert!(!nodes().contains("node3"), "{}", nodes());
    ingress::is_gone(lab);
    let recap = lab.run(&["up"]);
    recap.expect_code(0);
    assert!(recap.stderr().contains("0 changed"), "{}", recap.stderr());
    lab.run(&["plan"]).expect_code(0);
}
