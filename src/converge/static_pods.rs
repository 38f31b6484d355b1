//! Static pods that run as their manifests say: the kubelet takes a while to notice a changed one, and until then the
//! old program goes on as if nothing had been asked.

use std::fs;
use std::sync::Arc;

use serde::Deserialize;

use super::error::FileContext;
use super::{Node, ResourceError};
use crate::diagnostic::SourceFile;
use crate::yaml;

const MANIFESTS: &str = "/etc/kubernetes/manifests";

#[derive(Deserialize)]
struct Manifest {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    command: Vec<String>,
}

/// Tells whether each container of these manifests has a process with the manifest's command line.
pub fn run_as_their_manifests_say(
    names: &[String],
    node: &Node,
) -> Result<Result<(), String>, ResourceError> {
    let running = command_lines(node);
    for name in names {
        let path = format!("{MANIFESTS}/{name}.yaml");
        let real = node.path(&path);
        if !real.exists() {
            return Ok(Err(format!("{path} is not there yet")));
        }
        let text = fs::read_to_string(&real).doing("read", &real)?;
        let source = Arc::new(SourceFile { path: real, text });
        // The kubelet can't read it either while it is being written.
        let Ok(manifest) = yaml::parse::<Manifest>(&source) else {
            return Ok(Err(format!("{path} can't be read")));
        };
        for container in manifest.spec.containers {
            if !running.contains(&container.command) {
                let program = container.name;
                return Ok(Err(format!("{program} doesn't run as {path} says")));
            }
        }
    }
    Ok(Ok(()))
}

/// The command lines of all processes on the node. One that ends in the meantime has none.
fn command_lines(node: &Node) -> Vec<Vec<String>> {
    let processes = node
        .path("/proc")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let lines = processes.filter_map(|it| fs::read_to_string(it.path().join("cmdline")).ok());
    let words = |line: String| line.split_terminator('\0').map(str::to_owned).collect();
    lines.map(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_manifest_counts_when_the_new_program_runs() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let look = || run_as_their_manifests_say(&["kube-scheduler".to_owned()], &node).unwrap();
        let missing = look().unwrap_err();
        assert!(
            missing.contains("kube-scheduler.yaml is not there yet"),
            "{missing}"
        );

        let manifest = |profiling: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command:\n    - kube-scheduler\n    \
                 - --profiling={profiling}\n    image: scheduler\n    name: kube-scheduler\n"
            )
        };
        write(
            "etc/kubernetes/manifests/kube-scheduler.yaml",
            &manifest("false"),
        );
        write("proc/7/cmdline", "kube-scheduler\0--profiling=true\0");
        write("proc/meminfo", "");
        let old = look().unwrap_err();
        assert_eq!(
            old,
            "kube-scheduler doesn't run as /etc/kubernetes/manifests/kube-scheduler.yaml says"
        );
        write("proc/9/cmdline", "kube-scheduler\0--profiling=false\0");
        assert_eq!(look(), Ok(()));
    }
}
