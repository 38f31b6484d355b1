//! `kinstall check`: everything about an inventory, by weight, without a host.

use crate::program::Project;

const HOST: &str = "node1 ip=192.168.56.21";

/// An inventory with a wish of each weight.
fn wishful() -> Project {
    let project = Project::of_host(HOST);
    project.write(
        "group_vars/all/k8s.yml",
        "vmid: 101\ncluster_name: lab\nargocd_enabled: true\ncalico_mtu: 1400\nkube_network_plugin: calico\n\
         kube_oidc_auth: true\nkrew_enabled: true\nkubelet_rotate_certificates: false\n",
    );
    project.write(
        "host_vars/node1.yml",
        "wol_mac: 00:11\nargocd_enabled: true\n",
    );
    project.write(
        "inventory.ini",
        "\
[kube_control_plane]
node1 ip=192.168.56.21
[etcd]
node1
[kube_node]
node1
",
    );
    project
}

#[test]
fn what_weighs_most_comes_first_each_with_its_place() {
    let project = wishful();
    insta::assert_snapshot!(project.run(&["check"]));
    assert!(!project.keeps_state());
}

#[test]
fn a_folder_is_read_as_its_files_and_they_are_named() {
    let project = wishful();
    let said = project.run(&["check", "."]);
    for line in [
        "read from ./inventory.ini",
        "variables from ./group_vars/all/k8s.yml, ./host_vars/node1.yml",
    ] {
        assert!(said.contains(&format!("\n{line}\n")), "{said}");
    }
}

#[test]
fn strict_makes_warnings_fail() {
    let project = wishful();
    assert!(project.run(&["check"]).starts_with("exit code 0\n"));
    assert!(
        project
            .run(&["check", "--strict"])
            .starts_with("exit code 3\n")
    );
    let plain = Project::of_host(HOST);
    assert!(
        plain
            .run(&["check", "--strict"])
            .starts_with("exit code 0\n")
    );
}

#[test]
fn errors_fail_and_come_before_warnings() {
    let project = wishful();
    project.write("host_vars/node1.yml", "kube_apiserver_port: 10250\n");
    let said = project.run(&["check"]);
    assert!(said.starts_with("exit code 3\n"), "{said}");
    let place = |text: &str| {
        said.find(text)
            .unwrap_or_else(|| panic!("no `{text}` in {said}"))
    };
    assert!(place("can't have port 10250") < place("`kube_oidc_auth`"));
}

#[test]
fn for_scripts_it_is_one_document() {
    let project = wishful();
    let said = project.run(&["check", "--output", "json"]);
    let start = said.find('{').unwrap();
    let end = said.rfind('}').unwrap();
    let document: serde_json::Value = serde_json::from_str(&said[start..=end]).unwrap();
    assert_eq!(document["hosts"], 1);
    assert_eq!(document["errors"], 0);
    let concerns: Vec<&str> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["concern"].as_str().unwrap())
        .collect();
    assert!(
        concerns.starts_with(&["security", "security", "outcome"]),
        "{concerns:?}"
    );
    assert!(
        concerns.ends_with(&["no-effect", "unknown"]),
        "{concerns:?}"
    );
    assert_eq!(document["warnings"], concerns.len());
}

#[test]
fn other_commands_show_it_in_short() {
    let project = wishful();
    let said = project.run(&["doctor", "--provider", "existing"]);
    let lines = said
        .lines()
        .skip_while(|line| !line.starts_with("inventory "));
    let lines: Vec<&str> = lines
        .take_while(|line| !line.starts_with("bundle "))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let plan = project.run(&["plan", "--provider", "existing"]);
    let summary = plan
        .lines()
        .skip_while(|line| !line.contains("the cluster will differ from the inventory"));
    let summary: Vec<&str> = summary.take(lines.len()).collect();
    insta::assert_snapshot!(summary.join("\n"));
}

#[test]
fn images_of_machines_that_cannot_be_had_are_named_with_their_machines() {
    let host = |number: u8, image: &str| {
        format!("n{number} ansible_host=10.9.8.{number} machine_image={image}\n")
    };
    let hosts = [
        host(1, "centos/7"),
        host(2, "gone.qcow2"),
        host(3, "debian-13"),
    ];
    let groups = "[kube_control_plane]\nn1\n[kube_node]\nn2\nn3\n";
    let project = Project::of_host("n0");
    project.write("inventory.ini", &(hosts.concat() + groups));
    let images = |provider: &str| {
        project.write(
            "group_vars/all.yml",
            &format!("kinstall_provider: {provider}\n"),
        );
        project.run(&["check"])
    };
    let said = images("qemu");
    assert!(said.starts_with("exit code 3\n"), "{said}");
    for expected in [
        "the Vagrant box `centos/7` is not on this computer, and kinstall has no image in its place (n1)",
        "/gone.qcow2`: No such file or directory (os error 2) (n2)",
        "`machine_image: debian-13` is what most labs can take",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!said.contains("(n3)"), "{said}");
    // A container starts from none of them.
    let said = images("container");
    assert!(said.starts_with("exit code 0\n"), "{said}");
}

#[test]
fn the_version_is_held_against_the_bundle() {
    let project = Project::of_host(HOST);
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(project.path("bundle/manifest.json")).unwrap())
            .unwrap();
    manifest["releases"]["1.37"]["components"]["kubernetes"] = "1.37.2".into();
    project.write("bundle/manifest.json", &manifest.to_string());
    project.write("group_vars/all.yml", "kube_version: v1.28.3\n");
    let said = project.run(&["check"]);
    let expected = "error: the inventory asks for Kubernetes 1.28.3, but the bundle has 1.37.2";
    assert!(
        said.starts_with("exit code 3\n") && said.contains(expected),
        "{said}"
    );

    project.write("group_vars/all.yml", "kube_version: v1.37.1\n");
    let said = project.run(&["check"]);
    let expected = "warning: Kubernetes 1.37.2 is installed instead of 1.37.1";
    assert!(
        said.starts_with("exit code 0\n") && said.contains(expected),
        "{said}"
    );
}
