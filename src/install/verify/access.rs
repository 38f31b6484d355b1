//! kubectl on a control plane, in a namespace that is there for the checks only.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::timeout;

use super::LABEL;
use super::ways::Ways;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::kubectl;
use crate::install::lab::LabMachines;
use crate::install::project::Project;
use crate::ssh::{Finished, Session};

/// Longest time for one command.
const PATIENCE: Duration = Duration::from_mins(3);

/// A running cluster, reached through one of its control planes.
pub(super) struct Cluster<'a> {
    pub(super) project: &'a Project,
    pub(super) machines: &'a LabMachines,
    pub(super) namespace: String,
    pub(super) ways: Ways,
    shell: Shell,
    /// Value of the label, by which one kind of run finds what it left.
    kind: &'static str,
}

/// kubectl in a namespace, on a control plane.
#[derive(Clone)]
pub(super) struct Shell {
    pub(super) session: Session,
    /// The control plane's name.
    host: String,
    namespace: String,
}

/// What a command said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) succeeded: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl<'a> Cluster<'a> {
    /// Connects to a control plane that can be reached.
    pub(super) async fn connect(
        project: &'a Project,
        machines: &'a LabMachines,
        kind: &'static str,
    ) -> Result<Self, Diagnostics> {
        let (host, session) = kubectl::control_plane(project, machines).await?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        // The namespace of an earlier run may take its time to go.
        let namespace = format!("kinstall-verify-{:04x}", now.as_secs() & 0xffff);
        Ok(Self {
            project,
            machines,
            ways: Ways::of(&machines.target(host), &session),
            shell: Shell {
                session,
                host: host.name.clone(),
                namespace: namespace.clone(),
            },
            namespace,
            kind,
        })
    }

    /// Returns what runs commands on the control plane, for tasks of their own.
    pub(super) fn shell(&self) -> Shell {
        self.shell.clone()
    }

    /// Runs kubectl in the namespace of the checks.
    pub(super) async fn kubectl(&self, arguments: &str) -> Result<Answer, Diagnostics> {
        self.shell.kubectl(arguments).await
    }

    /// Runs a script as root on the control plane.
    pub(super) async fn run(&self, script: &str) -> Result<Answer, Diagnostics> {
        self.shell.run(script).await
    }

    /// Runs kubectl with `--output json`; fails where it does.
    pub(super) async fn objects(&self, arguments: &str) -> Result<Value, Diagnostics> {
        let answer = self.kubectl(&format!("{arguments} --output json")).await?;
        serde_json::from_str(&answer.stdout).map_err(|_| {
            let said = answer.stderr.trim();
            let message = format!(
                "`kubectl {arguments}` failed on {}: {said}",
                self.shell.host
            );
            vec![Diagnostic::error(Kind::Step, message).hint("`kinstall status` tells more")]
        })
    }

    /// Applies manifests.
    pub(super) async fn apply(&self, manifests: &str) -> Result<Answer, Diagnostics> {
        let manifests = STANDARD.encode(manifests);
        let namespace = &self.namespace;
        let line = format!(
            "echo {manifests} | base64 -d | kubectl --namespace {namespace} apply --filename -"
        );
        self.shell.run(&line).await
    }

    /// Makes the namespace of this run.
    pub(super) async fn make_namespace(&self) -> Result<(), Diagnostics> {
        let manifest = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n  labels: {{ {LABEL}: {} }}\n",
            self.namespace, self.kind
        );
        let answer = self.apply(&manifest).await?;
        if answer.succeeded {
            return Ok(());
        }
        let message = format!("failed to make a namespace: {}", answer.stderr.trim());
        Err(vec![Diagnostic::error(Kind::Step, message)])
    }

    /// Removes what this run has made, and what killed ones left.
    pub(super) async fn clean(&self) -> Result<(), Diagnostics> {
        let kind = self.kind;
        let line = format!(
            "kubectl delete namespace --selector {LABEL}={kind} --ignore-not-found --wait=false; \
             kubectl label nodes --selector {LABEL}={kind} {LABEL}-"
        );
        let answer = self.shell.run(&line).await?;
        if answer.succeeded {
            return Ok(());
        }
        let message = format!("the API server does not answer: {}", answer.stderr.trim());
        let error = Diagnostic::error(Kind::Step, message);
        Err(vec![
            error.hint("`kinstall status` shows machines and nodes"),
        ])
    }

    /// Returns the reference of the image that the checks run.
    pub(super) async fn image(&self) -> Result<String, Diagnostics> {
        let version = self.objects("version").await?;
        let version = version["serverVersion"]["gitVersion"]
            .as_str()
            .unwrap_or_default();
        Ok(format!("kinstall.local/nettool:{version}"))
    }

    /// Tells whether claims that name no StorageClass get a volume.
    pub(super) async fn has_default_storage_class(&self) -> Result<bool, Diagnostics> {
        let classes = self.objects("get storageclasses").await?;
        let mut classes = classes["items"].as_array().into_iter().flatten();
        Ok(classes.any(|class| {
            class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"]
                == "true"
        }))
    }
}

impl Shell {
    /// Runs kubectl in the namespace.
    pub(super) async fn kubectl(&self, arguments: &str) -> Result<Answer, Diagnostics> {
        let namespace = &self.namespace;
        self.run(&format!("kubectl --namespace {namespace} {arguments}"))
            .await
    }

    /// Runs a script as root.
    pub(super) async fn run(&self, script: &str) -> Result<Answer, Diagnostics> {
        match timeout(PATIENCE, self.session.exec_as_root(&line(script))).await {
            Ok(Ok(finished)) => Ok(Answer::of(&finished)),
            Ok(Err(error)) => Err(vec![error.diagnostic(&self.host)]),
            Err(_) => Ok(Answer {
                succeeded: false,
                stdout: String::new(),
                stderr: format!("no answer within {} s", PATIENCE.as_secs()),
            }),
        }
    }
}

/// Makes a line out of a script, in which quotes of any kind arrive as they are.
fn line(script: &str) -> String {
    let script = format!(
        "PATH=$PATH:/usr/local/bin; export KUBECONFIG=/etc/kubernetes/admin.conf; {script}"
    );
    format!(r#"sh -c "$(echo {} | base64 -d)""#, STANDARD.encode(script))
}

impl Answer {
    /// Makes the answer of what is no command.
    pub(super) fn of_text(succeeded: bool, stdout: String) -> Self {
        Self {
            succeeded,
            stdout,
            stderr: String::new(),
        }
    }

    fn of(finished: &Finished) -> Self {
        Self {
            succeeded: finished.exit.code() == 0,
            stdout: String::from_utf8_lossy(&finished.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&finished.stderr).into_owned(),
        }
    }
}

/// Returns the seconds since `begun`, to a tenth.
pub(super) fn seconds(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0
}
