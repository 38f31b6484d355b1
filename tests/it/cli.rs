//! Wrong files, wrong arguments and a wrong computer: what the program says before it talks to a host.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use kinstall::bundle::Manifest;
use kinstall::resource::{BlobRef, Sha256};

use crate::program::Project;

const HOST: &str = "node1 ansible_host=127.0.0.1 ansible_port=1 ip=192.168.56.21";

/// Steps of each kind that a machine that isn't there yet is planned to need, and one that it can't.
const NEW_MACHINE: &str = "\
component: base
phase: prepare
steps:
  - name: settings
    file: { path: /etc/settings, content: \"{{ host.name }}\" }
    notify: [restart]
  - name: old settings
    absent: { path: /etc/old }
  - name: on a node that has joined
    when: host.facts.traces.joined
    directory: { path: /never }
  - name: command
    command: { argv: [make, everything], creates: /everything }
handlers:
  - name: restart
    unit: { name: settings.service, state: restarted }
";

fn project() -> Project {
    Project::of_host(HOST)
}

#[test]
fn missing_inventory() {
    let project = project();
    let runs = [
        project.run(&["up", "lab/hosts.ini"]),
        project.run(&["plan", "-i", "lab"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
    assert!(!project.keeps_state());
}

#[test]
fn wrong_inventory_leaves_nothing_behind() {
    let project = Project::of_host("node1 ansible_host=127.0.0.300");
    insta::assert_snapshot!(project.run(&["up"]));
    assert!(!project.keeps_state());
}

#[test]
fn no_bundle() {
    let project = project();
    std::fs::remove_dir_all(project.path("bundle")).unwrap();
    insta::assert_snapshot!(project.run(&["up"]));
    assert!(!project.keeps_state());
}

#[test]
fn corrupt_bundle_manifest() {
    let project = project();
    project.write("bundle/manifest.json", "{\"format\": 1, \"kinstall\": ");
    let broken = project.run(&["up"]);
    project.write("bundle/manifest.json", "{\"format\": 9}");
    insta::assert_snapshot!([broken, project.run(&["up"])].join("\n\n"));
    assert!(!project.keeps_state());
}

#[test]
fn corrupt_bundle_parts() {
    let project = project();
    let mut manifest = serde_json::to_value(empty_manifest(&project)).unwrap();
    for (name, content) in [
        ("good/good", "good"),
        ("damaged/damaged", "whole"),
        ("missing/missing", "gone"),
    ] {
        let blob = BlobRef {
            sha256: Sha256::of(content.as_bytes()),
            size: content.len() as u64,
        };
        manifest["releases"]["1.37"]["programs"][name] =
            serde_json::json!({ "component": "c", "version": "1", "blob": blob });
        manifest["blobs"][blob.sha256.to_string()] =
            serde_json::json!({ "encoding": "raw", "stored": blob.size });
        project.write(&format!("bundle/blobs/{}", blob.sha256), content);
    }
    project.write("bundle/manifest.json", &manifest.to_string());
    assert!(
        project
            .run(&["bundle", "verify"])
            .starts_with("exit code 0\n")
    );
    project.write(&format!("bundle/blobs/{}", Sha256::of(b"whole")), "whale");
    std::fs::remove_file(project.path(&format!("bundle/blobs/{}", Sha256::of(b"gone")))).unwrap();
    let project = project
        .hiding(Sha256::of(b"whole").to_string(), "SHA256-OF-WHOLE")
        .hiding(Sha256::of(b"whale").to_string(), "SHA256-OF-WHALE")
        .hiding(Sha256::of(b"gone").to_string(), "SHA256-OF-GONE");
    insta::assert_snapshot!(project.run(&["bundle", "verify"]));
}

fn empty_manifest(project: &Project) -> Manifest {
    Manifest::load(&project.path("bundle/manifest.json")).unwrap()
}

#[test]
fn unknown_node() {
    let project = project();
    let runs = [
        project.run(&["ssh", "nod1"]),
        project.run(&["ssh", "web", "--", "true"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
    assert!(!project.keeps_state());
}

#[test]
fn commands_that_need_a_lab() {
    let project = project();
    let runs = [
        project.run(&["net", "--", "true"]),
        project.run(&["forward", "192.168.56.50:80"]),
        project.run(&["kubeconfig"]),
        project.run(&["halt"]),
        project.run(&["snapshot", "list"]),
        project.run(&["ssh-config"]),
        project.run(&["console", "node1"]),
        project.run(&["load", "my/app:dev"]),
        project.run(&["load", "--list"]),
        project.run(&["down"]),
        project.run(&["down", "node1"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
    assert!(!project.keeps_state());
}

#[test]
fn hosts_that_can_not_be_added() {
    let project = project();
    let without_a_lab = project.run(&["node", "add", "node2", "ip=10.0.0.2"]);
    project.write(
        ".kinstall/lab.json",
        r#"{"format": 1, "id": "0", "provider": "existing", "api_port": null}"#,
    );
    let inventory = std::fs::read_to_string(project.path("inventory.ini")).unwrap();
    let runs = [
        without_a_lab,
        project.run(&["node", "add", "node1", "ip=10.0.0.2"]),
        project.run(&[
            "node",
            "add",
            "a b",
            "ip=10.0.0.2",
            "ansible_password=hunter2",
        ]),
        project.run(&["node", "add", "node2", "ip 10.0.0.2", "10.0.0.2"]),
        project.run(&["node", "replace", "node1", "node2", "ip=10.0.0.2"]),
        project.run(&["node", "replace", "node7", "node2", "ip=10.0.0.2"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
    let now = std::fs::read_to_string(project.path("inventory.ini")).unwrap();
    assert_eq!(now, inventory);
}

#[test]
fn runs_of_the_past() {
    let project = project();
    let none = project.run(&["log"]);
    let run = "20261127T025000Z-4711";
    let lines = [
        r#"{"began":{"command":"node add","kinstall":"0.2.0"}}"#,
        r#"{"started":{"run":"x","hosts":["node1","node2"]}}"#,
        r#"{"an event of a later version":{"host":"node1"}}"#,
        r#"{"agent":{"host":"node1","event":{"Step":{"phase":"node","id":"join/join","state":{"Changed":{"changes":[],"milliseconds":2600}}}}}}"#,
        r#"{"agent":{"host":"node2","event":{"Step":{"phase":"node","id":"images/pause","state":{"Failed":{"message":"no space left on device","output":["line"],"hint":"make space"}}}}}}"#,
        r#"{"finished":{"elapsed":{"secs":42,"nanos":0}}}"#,
        r#"{"ended":{"problem":null}}"#,
        r#"{"agent":{"cut off"#,
    ];
    project.write(&format!(".kinstall/runs/{run}.jsonl"), &lines.join("\n"));
    let runs = [
        none,
        project.run(&["log"]),
        project.run(&["log", "--output", "json"]),
        project.run(&["log", "last"]),
        project.run(&["log", "20261127"]),
        project.run(&["log", "2027"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn what_a_killed_restore_left_goes_with_the_next_run_that_may_change_something() {
    let project = project().without_steps();
    project.write(".kinstall/restore/sha256/0", "etcd's data");
    project.run(&["plan"]);
    assert!(project.path(".kinstall/restore").exists());
    project.run(&["up"]);
    assert!(!project.path(".kinstall/restore").exists());
}

#[test]
fn a_lab_that_does_not_run() {
    let computer = kinstall::provision::computer::memory().unwrap();
    let project = project().without_steps();
    let project = project.hiding(format!("has {} MiB", computer.total), "has MEMORY");
    project.write("group_vars/all.yml", "kinstall_provider: container\n");
    project.write("overrides/playbooks/base.yml", NEW_MACHINE);
    let runs = [
        project.run(&["ssh", "node1", "--", "true"]),
        project.run(&["status"]),
        project.run(&["plan"]),
        project.run(&["plan", "--output", "json"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
    assert!(!project.keeps_state());
}

#[test]
fn a_plan_for_a_provider_that_only_the_option_names() {
    let computer = kinstall::provision::computer::memory().unwrap();
    let project = project().without_steps();
    let project = project.hiding(format!("has {} MiB", computer.total), "has MEMORY");
    let chosen = project.run(&["plan", "--provider", "container"]);
    project.write("group_vars/all.yml", "kinstall_provider: existing\n");
    let contradiction = project.run(&["plan", "--provider", "container"]);
    insta::assert_snapshot!([chosen, contradiction].join("\n\n"));
    assert!(!project.keeps_state());
}

#[test]
fn commands_that_need_machines_of_our_own() {
    let project = project();
    project.write(
        ".kinstall/lab.json",
        r#"{"format": 1, "id": "0", "provider": "existing", "api_port": null}"#,
    );
    let runs = [
        project.run(&["net", "--", "true"]),
        project.run(&["forward", "192.168.56.50:80"]),
        project.run(&["halt", "node1"]),
        project.run(&["snapshot", "save", "fresh"]),
        project.run(&["console", "node1"]),
        project.run(&["dial", "192.168.56.50:80"]),
        project.run(&["down", "--yes"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn second_run_on_the_same_lab() {
    let project = project();
    std::fs::create_dir(project.path(".kinstall")).unwrap();
    let lock = File::create(project.path(".kinstall/lock")).unwrap();
    lock.lock().unwrap();
    let runs = [project.run(&["up"]), project.run(&["down"])];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn provider_that_the_lab_does_not_have() {
    let project = project();
    let state = |provider: &str| {
        let text =
            format!(r#"{{"format": 1, "id": "0", "provider": "{provider}", "api_port": 6443}}"#);
        project.write(".kinstall/lab.json", &text);
    };
    state("container");
    let made = project.run(&["up", "--provider", "existing"]);
    state("existing");
    let existing = project.run(&["up", "--provider", "container"]);
    insta::assert_snapshot!([made, existing].join("\n\n"));
}

#[test]
fn provider_that_contradicts_the_inventory() {
    let project = project();
    project.write("group_vars/all.yml", "kinstall_provider: container\n");
    insta::assert_snapshot!(project.run(&["up", "--provider", "existing"]));
    assert!(!project.keeps_state());
}

#[test]
fn containers_without_root() {
    assert!(
        rustix::process::geteuid().is_root(),
        "run this test as root: it becomes another user"
    );
    let project = project();
    // The other user has to reach all of it, and the program may lie in a home that is root's alone.
    let program = project.path("kinstall");
    // By another process: a file that this one had open for writing could not be executed while one of
    // the other tests' children still has it open.
    let mut copy = Command::new("cp");
    copy.arg(env!("CARGO_BIN_EXE_kinstall")).arg(&program);
    assert!(copy.status().unwrap().success());
    for path in [project.path(""), project.path("home")] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    project.prepare(command.arg(program).args(["up", "--provider", "container"]));
    insta::assert_snapshot!(project.text(&command.output().unwrap()));
    assert!(!project.keeps_state());
}

#[test]
fn damaged_state() {
    let project = project();
    project.write(".kinstall/lab.json", "{\"format\": 1, \"id\": ");
    let cut_off = project.run(&["up"]);
    project.write(
        ".kinstall/lab.json",
        r#"{"format": 2, "id": "0", "what a newer kinstall keeps": []}"#,
    );
    insta::assert_snapshot!([cut_off, project.run(&["status"])].join("\n\n"));
}

#[test]
fn damaged_lab_key() {
    let project = project();
    project.write(".kinstall/ssh/id_ed25519", "not a key");
    insta::assert_snapshot!(project.run(&["ssh", "node1"]));
}

#[test]
fn damaged_secrets() {
    let project = project();
    project.write(
        ".kinstall/lab.json",
        r#"{"format": 1, "id": "0", "provider": "existing", "api_port": null}"#,
    );
    project.write(
        ".kinstall/secrets.json",
        "{\"format\": 1, \"bootstrap_token\": \"hunter2\"}",
    );
    let text = project.run(&["kubeconfig"]);
    assert!(!text.contains("hunter2"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn broken_overrides() {
    let project = project();
    std::fs::create_dir(project.path("overrides")).unwrap();
    let empty = project.run(&["up"]);
    project.write(
        "overrides/playbooks/motd.yml",
        "component: motd\nphase: prepare\nsteps:\n  - name: greeting\n    file: { path: /etc/motd, contents: hello }\n",
    );
    let playbook = project.run(&["up"]);
    std::fs::remove_dir_all(project.path("overrides/playbooks")).unwrap();
    project.write(
        "overrides/templates/base/hosts.tera",
        "{% for host in cluster.hosts %}\n",
    );
    insta::assert_snapshot!([empty, playbook, project.run(&["up"])].join("\n\n"));
    assert!(!project.keeps_state());
}
