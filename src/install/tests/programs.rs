//! What the real programs say of the rendered files. `KINSTALL_TEST_PROGRAMS` is the folder of a build
//! with `kubernetes/kubeadm` and `containerd/containerd` in it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{Lab, content};

fn run(program: &str, arguments: &[&str]) -> String {
    let folder = std::env::var("KINSTALL_TEST_PROGRAMS").unwrap();
    let program = PathBuf::from(folder).join(program);
    let output = Command::new(&program).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{}: {text}", program.display());
    text
}

#[test]
#[ignore = "needs KINSTALL_TEST_PROGRAMS"]
fn kubeadm_accepts_its_configuration() {
    let plan = Lab::new().plan();
    let folder = tempfile::tempdir().unwrap();
    // It looks whether this file is there, and the one that it names.
    let discovery = folder.path().join("discovery.conf");
    let text = content(&plan, "node1", "/etc/kubernetes/discovery.conf");
    fs::write(&discovery, text).unwrap();
    for (host, path) in [
        ("controll-plane", "/etc/kubernetes/kubeadm.yaml"),
        ("controll-plane", "/etc/kubernetes/kubeadm-init.yaml"),
        ("node1", "/etc/kubernetes/kubeadm-join.yaml"),
    ] {
        let text = content(&plan, host, path);
        let text = text.replace(
            "/etc/kubernetes/discovery.conf",
            discovery.to_str().unwrap(),
        );
        let file = folder.path().join("kubeadm.yaml");
        fs::write(&file, text).unwrap();
        let said = run(
            "kubernetes/kubeadm",
            &["config", "validate", "--config", file.to_str().unwrap()],
        );
        assert_eq!(said.trim(), "ok", "{path}");
    }
}

#[test]
#[ignore = "needs KINSTALL_TEST_PROGRAMS"]
fn kubeadm_signs_with_the_authorities() {
    let plan = Lab::new().plan();
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    fs::create_dir_all(pki.join("etcd")).unwrap();
    for name in [
        "ca.crt",
        "ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "sa.key",
        "sa.pub",
    ] {
        let path = format!("/etc/kubernetes/pki/{name}");
        fs::write(pki.join(name), content(&plan, "controll-plane", &path)).unwrap();
    }
    let configuration = content(&plan, "controll-plane", "/etc/kubernetes/kubeadm.yaml").replace(
        "clusterName:",
        &format!("certificatesDir: {}\nclusterName:", pki.display()),
    );
    let file = folder.path().join("kubeadm.yaml");
    fs::write(&file, configuration).unwrap();
    let said = run(
        "kubernetes/kubeadm",
        &[
            "init",
            "phase",
            "certs",
            "all",
            "--config",
            file.to_str().unwrap(),
        ],
    );
    for used in [
        "Using existing ca certificate authority",
        "Using existing front-proxy-ca certificate authority",
        "Using existing etcd/ca certificate authority",
        "Using the existing \"sa\" key",
    ] {
        assert!(said.contains(used), "{said}");
    }
    assert!(pki.join("apiserver.crt").exists());
}

#[test]
#[ignore = "needs KINSTALL_TEST_PROGRAMS"]
fn containerd_takes_its_configuration_as_it_is() {
    let plan = Lab::new().plan();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let text = content(&plan, "controll-plane", "/etc/containerd/config.toml");
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let said = run(
        "containerd/containerd",
        &["--config", path, "config", "dump"],
    );
    assert!(!said.contains("migrated"), "of an older version: {said}");
    for setting in [
        "SystemdCgroup = true",
        "restrict_oom_score_adj = true",
        "bin_dirs = ['/opt/cni/bin']",
        "sandbox = 'kinstall.local/pause:",
    ] {
        assert!(said.contains(setting), "{setting} is missing: {said}");
    }
}
