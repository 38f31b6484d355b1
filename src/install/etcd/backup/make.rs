//! Makes a backup.

use std::io::{self, BufWriter};
use std::path::Path;

use super::intake::{Beside, Intake};
use super::{BackupError, SECRETS, inventory, reading, survivor};
use crate::age;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::etcd::node::failed;
use crate::install::etcd::refuse_on_hosts;
use crate::install::lab::{Keys, LabMachines};
use crate::install::project::Project;
use crate::install::runtime;
use crate::private_file;
use crate::report::backup::Record;
use crate::secret::Secret;
use crate::ssh::Session;

/// Whose data a backup has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Of the first control plane that can give it, which agrees with most others.
    Cluster,
    /// Of the control plane that knows most, where most members of etcd are lost.
    Survivor,
}

/// Begins what a control plane does for a backup: sets `folder` to one that goes away, whatever it ends with.
const FOLDER: &str = "umask 077; \
    find /var/lib/kinstall -maxdepth 1 -name \"etcd-backup.*\" -mmin +1440 -exec rm -rf {} +; \
    folder=$(mktemp -d /var/lib/kinstall/etcd-backup.XXXXXX) || exit 1; trap \"rm -rf $folder\" EXIT; trap \"exit 1\" HUP INT TERM PIPE; ";

/// Has it save its data and try it.
const SAVE: &str = "PROGRAM=/usr/local/sbin/kinstall-etcd-snapshot; [ -x $PROGRAM ] || exit 9; \
    told=$($PROGRAM $folder/snapshot.db) || exit 1; ";

/// Sends that: one line that tells what it is, with the small files, and then the snapshot.
const SEND: &str = "cd /etc/kubernetes || exit 1; \
    files=; for path in kubeadm.yaml authentication.yaml audit-policy.yaml encryption pki/ca.crt pki/ca.key pki/front-proxy-ca.crt \
    pki/front-proxy-ca.key pki/sa.key pki/sa.pub pki/etcd/ca.crt pki/etcd/ca.key; do \
    if [ -e $path ]; then files=\"$files etc/kubernetes/$path\"; fi; done; \
    tar -C / -cf $folder/files.tar $files || exit 1; files=$(base64 -w 0 $folder/files.tar) || exit 1; \
    echo \"{\\\"snapshot\\\":$told,\\\"files\\\":\\\"$files\\\"}\"; cat $folder/snapshot.db";

/// What [`SAVE`] ends with where the program isn't there.
const NO_PROGRAM: u8 = 9;

/// Makes a backup of the cluster. The file is there as a whole or not at all.
pub fn make(
    mut project: Project,
    path: &Path,
    passphrase: &Secret,
    source: Source,
) -> Result<Record, BackupError> {
    project.require_lab().map_err(BackupError::Node)?;
    if source == Source::Survivor {
        let way = "start more than half of the hosts of etcd again";
        refuse_on_hosts(&project, "etcd backup --from-survivor", way).map_err(BackupError::Node)?;
    }
    let machines = LabMachines::of(&mut project, Keys::Read).map_err(BackupError::Node)?;
    let secrets = project.directory.join(SECRETS);
    let beside = Beside {
        cluster: project.cluster.name.clone(),
        control_planes: project
            .cluster
            .control_planes()
            .map(|host| host.name.clone())
            .collect(),
        inventory: inventory::files(&project)
            .map_err(|error| reading(&project.inventory, error))?,
        secrets: Secret::new(
            std::fs::read_to_string(&secrets).map_err(|error| reading(&secrets, error))?,
        ),
    };
    let runtime = runtime::start().map_err(BackupError::Node)?;
    let filled = private_file::fill(path, |file| {
        let sink = age::Writer::begin(BufWriter::new(file), passphrase, age::WORK)?;
        let mut intake = Intake::new(sink, beside);
        let sent = runtime.block_on(receive(&project, &machines, source, &mut intake));
        sent.map_err(Failed::Node)?;
        let (sink, record) = intake.finish()?;
        sink.finish()?;
        Ok(record)
    });
    runtime.shutdown_background();
    filled.map_err(|error| match error {
        Failed::Node(problems) => BackupError::Node(problems),
        Failed::Write(source) => BackupError::Write {
            path: path.to_owned(),
            source,
        },
    })
}

enum Failed {
    Node(Diagnostics),
    Write(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

async fn receive<W: io::Write>(
    project: &Project,
    machines: &LabMachines,
    source: Source,
    intake: &mut Intake<W>,
) -> Result<(), Diagnostics> {
    let mut problems = Diagnostics::new();
    let (save, hosts) = match source {
        Source::Cluster => (SAVE.to_owned(), project.cluster.control_planes().collect()),
        Source::Survivor => {
            let chosen = survivor::choose(project, machines, FOLDER).await?;
            (survivor::save(), vec![chosen])
        }
    };
    let line = format!("{FOLDER}{save}{SEND}");
    for host in hosts {
        let node = host.name.as_str();
        let sent = async {
            let session = Session::connect(&machines.target(host)).await?;
            let take = |bytes: &[u8]| intake.take(node, bytes);
            session.stream_as_root(&line, take).await
        };
        problems.push(match sent.await {
            Ok(finished) if finished.exit.code() == 0 => return Ok(()),
            Ok(finished) if finished.exit.code() == NO_PROGRAM => {
                let message = format!("{node} has no program that saves etcd's data");
                Diagnostic::error(Kind::Step, message).hint("`kinstall up` brings it there")
            }
            Ok(finished)
                if source == Source::Survivor && finished.exit.code() == survivor::HAS_LEADER =>
            {
                survivor::has_leader(node)
            }
            Ok(finished) => failed(node, &finished.stderr),
            Err(error) => error.diagnostic(node),
        });
        if intake.has_begun() {
            break;
        }
    }
    Err(problems)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::process::{Command, Output};

    use super::{FOLDER, SAVE, SEND};

    /// Has a folder that stands for a control plane send its backup, with this `tar`.
    fn sent(tar: &str) -> Output {
        let node = tempfile::tempdir().unwrap();
        let root = node.path().to_str().unwrap();
        let program = |path: &Path, text: &str| {
            fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        for folder in ["bin", "kinstall", "kubernetes/pki"] {
            fs::create_dir_all(node.path().join(folder)).unwrap();
        }
        fs::write(node.path().join("kubernetes/pki/ca.crt"), "pem").unwrap();
        let snapshot = "printf data >$1; echo '{}'";
        program(&node.path().join("kinstall-etcd-snapshot"), snapshot);
        program(&node.path().join("bin/tar"), tar);
        let script = format!("{FOLDER}{SAVE}{SEND}")
            .replace("/usr/local/sbin", root)
            .replace("/var/lib/kinstall", &format!("{root}/kinstall"))
            .replace("/etc/kubernetes", &format!("{root}/kubernetes"));
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("sh")
            .args(["-c", &script])
            .env("PATH", format!("{root}/bin:{path}"))
            .output()
            .unwrap();
        let left = fs::read_dir(node.path().join("kinstall")).unwrap();
        assert_eq!(left.count(), 0, "something stays on the node");
        output
    }

    #[test]
    fn a_backup_whose_files_can_not_be_packed_fails() {
        let good = sent("echo packed >$4");
        let said = String::from_utf8(good.stdout).unwrap();
        assert!(
            good.status.success(),
            "{}",
            String::from_utf8_lossy(&good.stderr)
        );
        assert_eq!(said, "{\"snapshot\":{},\"files\":\"cGFja2VkCg==\"}\ndata");

        let bad = sent("echo half >$4; echo 'tar: no' >&2; exit 2");
        assert_eq!(bad.status.code(), Some(1));
        assert!(bad.stdout.is_empty());
    }
}
