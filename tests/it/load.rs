//! `kinstall load` up to the nodes: where an image is from, and what is said where it can't be had.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::program::Project;

/// A lab that was made, of a host that doesn't answer; parts of images lie in a folder of this name meanwhile.
fn project(id: &str) -> Project {
    let project = Project::of_host("node1 ansible_host=127.0.0.1 ansible_port=1");
    let state = json!({ "format": 1, "id": id, "provider": "existing", "api_port": null });
    project.write(".kinstall/lab.json", &state.to_string());
    project
}

/// Puts a program of this name into the only folder of the path.
fn program(project: &Project, name: &str, script: &str) {
    project.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
    let path = project.path(&format!("bin/{name}"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(project: &Project, image: &str) -> String {
    let mut command = project.command(&["load", image]);
    command.env("PATH", project.path("bin"));
    project.text(&command.output().unwrap())
}

/// As podman writes an image without layers.
fn archive() -> Vec<u8> {
    let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": { "diff_ids": [] } });
    let name = "localhost/my/app:dev";
    let manifest = json!([{ "Config": "config.json", "RepoTags": [name], "Layers": [] }]);
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("config.json", config), ("manifest.json", manifest)] {
        let content = content.to_string();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn images_that_can_not_be_had() {
    let project = project("refused");
    let mut runs = vec![run(&project, "my/app:dev"), run(&project, "./app.tar")];
    program(&project, "docker", "echo no daemon >&2; exit 1");
    runs.push(run(&project, "my/app:dev"));
    program(
        &project,
        "podman",
        "[ $1 = image ] && exit; echo half; echo the disk broke >&2; exit 1",
    );
    runs.push(run(&project, "my/app:dev"));
    runs.push(run(&project, "my/App:dev"));
    project.write("app.tar", "no archive");
    runs.push(run(&project, "app.tar"));
    runs.push(run(&project, "-"));
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn an_image_of_podman_is_read_where_docker_has_none() {
    let project = project("podman");
    fs::write(project.path("image.tar"), archive()).unwrap();
    program(&project, "docker", "echo no such image >&2; exit 1");
    program(
        &project,
        "podman",
        "[ $1 = image ] && exit; [ $2 = my/app:latest ] && exec /bin/cat image.tar",
    );
    // It gets as far as the node.
    let text = run(&project, "my/app");
    assert!(text.starts_with("exit code 5\n"), "{text}");
    assert!(text.contains("127.0.0.1:1"), "{text}");
    let parts = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("load/podman");
    assert!(!parts.exists());
}
