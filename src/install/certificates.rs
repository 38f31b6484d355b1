//! `kinstall certs status`: the certificates on the nodes and when they end.

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::lab::{Keys, LabMachines};
use super::project::Project;
use super::runtime;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::report::certificates::{CertificateOnNode, read};
use crate::ssh::{Session, SshError, Target};

/// Prints `== PATH` and the certificates of each file; never a key, which kubeconfigs and the kubelet's file hold as well.
const LIST: &str = "for file in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /etc/etcd/pki/*.crt /etc/kubernetes/*.conf \
    /var/lib/kubelet/pki/kubelet-client-current.pem /etc/kubernetes/kubelet-server.pem; do \
    if [ -f $file ]; then echo == $file; case $file in \
    *.conf) sed -n \"s/^ *client-certificate-data: *//p\" $file | base64 -d;; \
    *) sed -n \"/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/p\" $file;; \
    esac; fi; done";

/// Asks all nodes; returns their certificates, and an error for each node that can't be asked.
pub fn list(mut project: Project) -> Result<(Vec<CertificateOnNode>, Diagnostics), Diagnostics> {
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let runtime = runtime::start()?;
    let mut answers = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for (position, host) in project.cluster.hosts.iter().enumerate() {
            let (target, name) = (machines.target(host), host.name.clone());
            tasks.spawn(async move { (position, ask(&target, &name).await) });
        }
        tasks.join_all().await
    });
    runtime.shutdown_background();
    answers.sort_by_key(|(position, _)| *position);
    let (mut found, mut problems) = (Vec::new(), Diagnostics::new());
    for (_, answer) in answers {
        match answer {
            Ok(certificates) => found.extend(certificates),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((found, problems))
}

async fn ask(target: &Target, host: &str) -> Result<Vec<CertificateOnNode>, Diagnostic> {
    let failed = |error: SshError| error.diagnostic(host);
    let session = Session::connect(target).await.map_err(failed)?;
    let finished = session.exec_as_root(LIST).await.map_err(failed)?;
    let listing = String::from_utf8_lossy(&finished.stdout);
    let found = read(host, &listing, Timestamp::now());
    if found.is_empty() {
        let said = String::from_utf8_lossy(&finished.stderr);
        let message = format!("{host} has no certificates: {}", said.trim());
        return Err(
            Diagnostic::error(Kind::Step, message.trim_end_matches([':', ' ']))
                .hint("`kinstall up` makes a node of it"),
        );
    }
    Ok(found)
}
