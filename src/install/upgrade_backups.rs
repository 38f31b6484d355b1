//! What nodes say of themselves when an upgrade is to be undone, whether an API server answers or not: what they run, and the
//! backups that upgrades took.

use std::io::Write as _;
use std::path::Path;

use sha2::Digest as _;
use tokio::task::JoinSet;

use super::etcd::node::failed;
use super::lab::LabMachines;
use super::project::Project;
use super::runtime;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::plan::upgrade::{RunningNode, RunningVersions};
use crate::private_file;
use crate::report::rollback::FoundBackup;
use crate::resource::Sha256;
use crate::ssh::{Session, SshError, Target};

/// Prints the images of static pods, also of those that a restore has stopped; the kubelet's version; and each backup: its file
/// and what it is.
const LIST: &str = "for folder in /etc/kubernetes/manifests /var/lib/kinstall/restore/manifests; do \
    for name in kube-apiserver kube-controller-manager kube-scheduler etcd; do \
    if [ -f $folder/$name.yaml ]; then sed -n \"s/^ *image: /image /p\" $folder/$name.yaml; fi; done; done; \
    echo kubelet $(/usr/local/bin/kubelet --version); \
    for file in /var/lib/kinstall/etcd/before-*.json; do \
    if [ -f $file ] && [ -f ${file%.json}.db ]; then echo backup ${file%.json}.db \"$(cat $file)\"; fi; done";

/// What to do where a control plane never answers again.
pub(super) const LOST: &str =
    "a control plane that is lost for good can be left out: `--lost NODE`";

/// Asks all nodes; all have to answer.
pub(super) fn find(
    project: &Project,
    machines: &LabMachines,
) -> Result<(RunningVersions, Vec<FoundBackup>), Diagnostics> {
    let runtime = runtime::start()?;
    let answers = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for host in &project.cluster.hosts {
            let (target, name) = (machines.target(host), host.name.clone());
            let can_be_left = host.roles.control_plane;
            tasks.spawn(async move {
                let listing = ask(&target, &name).await;
                let listing = listing.map_err(|problem| {
                    if can_be_left {
                        problem.hint(LOST)
                    } else {
                        problem
                    }
                });
                (name, listing)
            });
        }
        tasks.join_all().await
    });
    runtime.shutdown_background();
    let mut running = RunningVersions::default();
    let (mut backups, mut problems) = (Vec::new(), Diagnostics::new());
    for (name, answer) in answers {
        match answer {
            Ok(listing) => {
                backups.extend(of_listing(&name, &listing));
                let node = RunningNode::of_listing(&listing);
                running.nodes.insert(name, node);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok((running, backups))
    } else {
        Err(problems)
    }
}

async fn ask(target: &Target, host: &str) -> Result<String, Diagnostic> {
    let told = |error: SshError| error.diagnostic(host);
    let session = Session::connect(target).await.map_err(told)?;
    let finished = session.exec_as_root(LIST).await.map_err(told)?;
    if finished.exit.code() == 0 {
        Ok(String::from_utf8_lossy(&finished.stdout).into_owned())
    } else {
        Err(failed(host, &finished.stderr))
    }
}

fn of_listing(host: &str, listing: &str) -> Vec<FoundBackup> {
    let lines = listing.lines().filter_map(|line| {
        let (file, told) = line.strip_prefix("backup ")?.split_once(' ')?;
        Some(FoundBackup {
            host: host.to_owned(),
            file: file.to_owned(),
            // One that was cut off, or is of another time, is none.
            told: serde_json::from_str(told).ok()?,
        })
    });
    lines.collect()
}

/// Brings a backup's data to a file on this computer, and checks it.
pub(super) fn fetch(
    project: &Project,
    machines: &LabMachines,
    backup: &FoundBackup,
    path: &Path,
) -> Result<(), Diagnostics> {
    let host = project.cluster.host(&backup.host);
    let host = host.ok_or_else(|| vec![damaged(backup)])?;
    let runtime = runtime::start()?;
    let filled = private_file::fill(path, |file| {
        let mut hasher = sha2::Sha256::new();
        let line = format!("cat {}", backup.file);
        let sent = runtime.block_on(async {
            let session = Session::connect(&machines.target(host)).await?;
            let take = |bytes: &[u8]| {
                hasher.update(bytes);
                file.write_all(bytes)
            };
            session.stream_as_root(&line, take).await
        });
        let finished = sent.map_err(|error| Failed::Node(error.diagnostic(&host.name)))?;
        if finished.exit.code() != 0 {
            return Err(Failed::Node(failed(&host.name, &finished.stderr)));
        }
        let is_whole = Sha256::from_hasher(hasher) == backup.told.snapshot.sha256;
        is_whole
            .then_some(())
            .ok_or_else(|| Failed::Node(damaged(backup)))
    });
    runtime.shutdown_background();
    filled.map_err(|error| match error {
        Failed::Node(problem) => vec![problem],
        Failed::Write(source) => {
            let message = format!("failed to write `{}`: {source}", path.display());
            vec![Diagnostic::error(Kind::Environment, message)]
        }
    })
}

enum Failed {
    Node(Diagnostic),
    Write(std::io::Error),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Write(error)
    }
}

fn damaged(backup: &FoundBackup) -> Diagnostic {
    let message = format!("{} on {} is damaged", backup.file, backup.host);
    Diagnostic::error(Kind::Environment, message).hint("nothing was changed")
}

#[cfg(test)]
mod tests {
    use super::{LIST, of_listing};
    use crate::plan::upgrade::RunningNode;

    const LISTING: &str = "image kinstall.local/kube-apiserver:v1.37.2\nimage kinstall.local/etcd:3.7.3-0\nkubelet Kubernetes v1.36.3\n\
        backup /var/lib/kinstall/etcd/before-1.37.2.db {\"snapshot\":{\"created\":\"2026-11-28T04:02:11Z\",\"kubernetes\":\"1.36.3\",\
        \"etcd\":\"3.6.16\",\"revision\":1234,\"keys\":321,\"size\":1396768,\
        \"sha256\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"},\"encryption\":[\"key1\"]}\n\
        backup /var/lib/kinstall/etcd/before-1.36.3.db {\"snapsh\n";

    #[test]
    fn a_node_tells_what_it_runs_and_which_backups_it_has() {
        let node = RunningNode::of_listing(LISTING);
        assert_eq!(node.kubelet.unwrap().to_string(), "1.36.3");
        assert_eq!(node.components["kube-apiserver"].to_string(), "1.37.2");
        assert_eq!(node.components["etcd"].to_string(), "3.7.3");
        let backups = of_listing("cp1", LISTING);
        assert_eq!(backups.len(), 1, "one that can't be read is none");
        assert_eq!(backups[0].file, "/var/lib/kinstall/etcd/before-1.37.2.db");
        assert_eq!(backups[0].told.snapshot.kubernetes, "1.36.3");
        assert_eq!(backups[0].told.encryption, ["key1"]);
    }

    #[test]
    fn the_question_can_be_a_line_of_a_login_shell() {
        assert!(!LIST.contains(['\'', '\\', '!', '\n']), "{LIST}");
    }
}
