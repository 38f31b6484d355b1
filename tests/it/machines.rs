//! Commands that drive machines, on labs whose machines aren't there, and names on this computer.

use std::fs;

use crate::program::Project;

const HOST: &str = "node1 ansible_host=192.168.56.21 ip=192.168.56.21";

/// Returns a project with a container lab, of which nothing is there.
fn lab() -> Project {
    let project = Project::of_host(HOST);
    project.write(
        "group_vars/all.yml",
        "kinstall_provider: container\ncluster_name: lab\n",
    );
    project.write(
        ".kinstall/lab.json",
        r#"{"format": 1, "id": "test-it", "provider": "container", "api_port": 6443}"#,
    );
    project
}

#[test]
fn machines_that_are_not_there() {
    let project = lab();
    let runs = [
        project.run(&["halt"]),
        project.run(&["start", "nod1"]),
        project.run(&["console", "node1"]),
        project.run(&["snapshot", "save", "fresh"]),
        project.run(&["snapshot", "save", "a/b"]),
        project.run(&["down", "node1"]),
        project.run(&["down", "node2"]),
        project.run(&["dial", "192.168.56.21:22"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn a_configuration_for_ssh() {
    let project = lab().hiding(env!("CARGO_BIN_EXE_kinstall"), "KINSTALL");
    let made = project.run(&["ssh-config"]);
    let existing = Project::of_host(
        "node1 ansible_host=10.0.0.5 ansible_port=2222 ansible_user=admin ip=192.168.56.21 \
         ansible_ssh_private_key_file=/keys/a ansible_ssh_common_args='-J me@gate:2200'",
    );
    existing.write("group_vars/all.yml", "cluster_name: lab\n");
    existing.write(
        ".kinstall/lab.json",
        r#"{"format": 1, "id": "0", "provider": "existing", "api_port": null}"#,
    );
    let runs = [made, existing.run(&["ssh-config"])];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn names_in_a_hosts_file() {
    let project = lab().hiding("test-it", "ID");
    project.write(
        "group_vars/all.yml",
        "cluster_name: lab\nnode_domain: example.com\n",
    );
    let file = project.path("hosts");
    let own = "127.0.0.1 localhost";
    fs::write(&file, own).unwrap();
    let hosts = |option| project.run(&["hosts", option, "--hosts-file", "hosts"]);
    let read = || fs::read_to_string(&file).unwrap().replace("test-it", "ID");
    let mut said = vec![project.run(&["hosts"]), hosts("--write"), read()];
    assert!(hosts("--write").starts_with("exit code 0"));
    assert_eq!(read(), said[2]);
    said.extend([hosts("--remove"), read(), hosts("--remove")]);
    fs::write(
        &file,
        format!("{own}\n# kinstall lab test-it begin\n1.1.1.1 a\n"),
    )
    .unwrap();
    said.extend([hosts("--write"), read()]);
    insta::assert_snapshot!(said.join("\n\n"));
}

#[test]
fn a_doctor_names_what_is_wrong() {
    let project = Project::of_host("node1 ansible_host=10.0.0.300");
    fs::remove_dir_all(project.path("bundle")).unwrap();
    let text = project.run(&["doctor", "--provider", "existing"]);
    // What is free differs from computer to computer.
    let lines: Vec<&str> = text.lines().filter(|it| !it.starts_with("disk ")).collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert!(!project.keeps_state());
}

#[test]
fn a_doctor_looks_at_keys() {
    let project = lab();
    project.write(".kinstall/ssh/id_ed25519", "");
    let text = project.run(&["doctor", "--provider", "existing"]);
    let key = project.path(".kinstall/ssh/id_ed25519");
    assert!(text.starts_with("exit code 1"), "{text}");
    assert!(
        text.contains("others may read the private key `DIR/.kinstall/ssh/id_ed25519`"),
        "{text}"
    );
    fs::set_permissions(key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let text = project.run(&["doctor", "--provider", "existing"]);
    assert!(text.starts_with("exit code 0"), "{text}");
}
