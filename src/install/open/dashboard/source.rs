//! What the dashboard shows, asked for through kubectl on whichever control plane can be reached.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

use crate::addon::{self, Page};
use crate::dashboard::addresses::Addresses;
use crate::dashboard::events::Events;
use crate::dashboard::history::{History, QUERIES};
use crate::dashboard::nodes::Nodes;
use crate::dashboard::search::{self, Search};
use crate::dashboard::workloads::Workloads;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::lab::LabMachines;
use crate::install::project::Project;
use crate::install::{kubectl, status};
use crate::ssh::{Exit, Session, SshError};

/// Commands at once on the connection; sshd takes ten.
const AT_ONCE: usize = 5;

/// A dead connection would keep a view waiting much longer.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// A log is cut to this, in bytes.
const LONGEST_LOG: usize = 1 << 20;

/// The lab, and the connection that its answers come by.
pub(super) struct Source {
    project: Project,
    machines: LabMachines,
    connection: Arc<Mutex<Option<(String, Session)>>>,
    turns: Semaphore,
}

/// Why something can't be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("{}", .0.iter().map(Diagnostic::in_one_line).collect::<Vec<_>>().join("; "))]
    Lab(Diagnostics),
    #[error("{host} did not answer")]
    Host {
        host: String,
        #[source]
        source: SshError,
    },
    #[error("there was no answer within {} s", LONGEST_WAIT.as_secs())]
    Late,
    #[error("kubectl failed: {0}")]
    Kubectl(String),
    #[error("what kubectl printed can't be read")]
    Format(#[source] serde_json::Error),
}

impl From<JoinError> for NoAnswer {
    fn from(error: JoinError) -> Self {
        let message = error.to_string();
        Self::Lab(vec![Diagnostic::error(Kind::Internal, message)])
    }
}

impl Source {
    pub(super) fn new(project: Project, machines: LabMachines) -> Self {
        Self {
            project,
            machines,
            connection: Arc::new(Mutex::new(None)),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// Gives a view up that takes too long, and the connection with it: it may be dead.
    pub(super) async fn in_time<View>(
        &self,
        asked: impl Future<Output = Result<View, NoAnswer>>,
    ) -> Result<View, NoAnswer> {
        let Ok(answer) = timeout(LONGEST_WAIT, asked).await else {
            // Who holds it connects anew already.
            if let Ok(mut connection) = self.connection.try_lock() {
                *connection = None;
            }
            return Err(NoAnswer::Late);
        };
        answer
    }

    /// What `kinstall status` is made of.
    pub(super) async fn overview(self: &Arc<Self>) -> Result<Value, NoAnswer> {
        let this = Arc::clone(self);
        let asked = spawn_blocking(move || status::of_machines(&this.project, &this.machines));
        let machines = asked.await?;
        let mut status = machines.map_err(NoAnswer::Lab)?;
        if !status.is_off() {
            match self.session().await {
                Ok((host, session)) => {
                    let cluster = &self.project.cluster;
                    let asked = status::add_cluster(&mut status, cluster, &host, &session);
                    // On the heap: it is large.
                    Box::pin(asked).await;
                }
                Err(NoAnswer::Lab(errors)) => status::add_errors(&mut status, &errors),
                Err(error) => return Err(error),
            }
        }
        Ok(json!({
            "cluster": self.project.cluster.name,
            "status": status,
            "notices": status.notices(),
        }))
    }

    pub(super) async fn nodes(self: &Arc<Self>) -> Result<Nodes, NoAnswer> {
        let (objects, usage) = tokio::join!(
            self.json("get nodes,pods --all-namespaces --output json"),
            self.json("get --raw /apis/metrics.k8s.io/v1beta1/nodes"),
        );
        let usage = match &usage {
            Ok(usage) => Ok(usage),
            Err(_) if !self.is_on("metrics-server") => Err(off("metrics-server")),
            Err(error) => Err(error.to_string()),
        };
        Ok(Nodes::of(&objects?, usage))
    }

    pub(super) async fn workloads(self: &Arc<Self>) -> Result<Workloads, NoAnswer> {
        let kinds = "deployments,daemonsets,statefulsets,pods";
        let list = format!("get {kinds} --all-namespaces --output json");
        Ok(Workloads::of(&self.json(&list).await?))
    }

    pub(super) async fn events(self: &Arc<Self>) -> Result<Events, NoAnswer> {
        let list = "get events --all-namespaces --output json";
        Ok(Events::of(&self.json(list).await?))
    }

    pub(super) async fn addresses(self: &Arc<Self>) -> Result<Addresses, NoAnswer> {
        let list = "get services,ingresses --all-namespaces --output json";
        Ok(Addresses::of(&self.json(list).await?))
    }

    pub(super) async fn history(self: &Arc<Self>) -> Result<History, NoAnswer> {
        let Some(page) = self.page("metrics") else {
            return Ok(History::Off(off("victoria-metrics")));
        };
        let [cpu, memory] = QUERIES.map(|query| {
            let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            let path = format!("api/v1/query_range?query={query}&start=-1h&step=30s");
            proxied(page, &path)
        });
        let (cpu, memory) = tokio::join!(self.json(&cpu), self.json(&memory));
        Ok(History::of(&cpu?, &memory?))
    }

    pub(super) async fn search(self: &Arc<Self>, words: &str) -> Result<Search, NoAnswer> {
        let Some(page) = self.page("logs") else {
            return Ok(Search::Off(off("victoria-logs")));
        };
        let query = search::query(words);
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("select/logsql/query?query={query}");
        let answer = self.ask(&proxied(page, &path)).await?;
        Ok(Search::of(&String::from_utf8_lossy(&answer)))
    }

    /// The last lines that a container printed.
    pub(super) async fn logs(
        self: &Arc<Self>,
        namespace: &str,
        pod: &str,
        container: &str,
        tail: u16,
    ) -> Result<Value, NoAnswer> {
        let line = format!(
            "logs --namespace {namespace} {pod} --container {container} --tail {tail} --timestamps"
        );
        let bytes = self.ask(&line).await?;
        let last = bytes.len().saturating_sub(LONGEST_LOG);
        Ok(json!({ "text": String::from_utf8_lossy(&bytes[last..]) }))
    }

    /// Runs kubectl; the arguments are words of ours and names that were checked.
    async fn ask(self: &Arc<Self>, arguments: &str) -> Result<Vec<u8>, NoAnswer> {
        let line = format!(
            "PATH=$PATH:/usr/local/bin; exec kubectl --kubeconfig /etc/kubernetes/admin.conf \
             --request-timeout 10s {arguments}"
        );
        // It is never closed.
        let _turn = self.turns.acquire().await;
        let (host, session) = self.session().await?;
        let finished = match session.exec_as_root(&line).await {
            Ok(finished) => finished,
            Err(source) => {
                // The next one looks for a control plane again.
                *self.connection.lock().await = None;
                return Err(NoAnswer::Host { host, source });
            }
        };
        if finished.exit != Exit::Code(0) {
            let text = String::from_utf8_lossy(&finished.stderr);
            let reason = text.lines().last().unwrap_or("no output");
            return Err(NoAnswer::Kubectl(reason.to_owned()));
        }
        Ok(finished.stdout)
    }

    async fn json(self: &Arc<Self>, arguments: &str) -> Result<Value, NoAnswer> {
        let answer = self.ask(arguments).await?;
        serde_json::from_slice(&answer).map_err(NoAnswer::Format)
    }

    /// Connects where there is no connection, or none any more.
    async fn session(self: &Arc<Self>) -> Result<(String, Session), NoAnswer> {
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        if let Some((host, session)) = connection.as_ref().filter(|(_, it)| !it.is_closed()) {
            return Ok((host.clone(), session.clone()));
        }
        let this = Arc::clone(self);
        // The search for a control plane that answers may take longer than who asked for it waits.
        let search = tokio::spawn(async move {
            let connecting = kubectl::control_plane(&this.project, &this.machines);
            let connected = Box::pin(connecting).await;
            let (host, session) = connected.map_err(NoAnswer::Lab)?;
            *connection = Some((host.name.clone(), session.clone()));
            Ok((host.name.clone(), session))
        });
        search.await?
    }

    fn is_on(&self, addon: &str) -> bool {
        addon::find(addon).is_some_and(|it| self.project.cluster.has(it))
    }

    /// The page of an add-on that is on.
    fn page(&self, name: &str) -> Option<&'static Page> {
        let (addon, page) = addon::pages().find(|(_, page)| page.name == name)?;
        self.project.cluster.has(addon).then_some(page)
    }
}

/// How kubectl asks the Service behind an add-on's page; its port has this name in all of them.
fn proxied(page: &Page, path: &str) -> String {
    let Page {
        namespace, service, ..
    } = page;
    format!("get --raw \"/api/v1/namespaces/{namespace}/services/{service}:http/proxy/{path}\"")
}

/// Says how to switch an add-on on.
fn off(name: &str) -> String {
    let switch = addon::find(name).and_then(|it| it.switch.as_ref());
    let variable = switch.map_or(name, |it| it.variable.as_str());
    format!(
        "The add-on `{name}` is off: set `{variable}: true` in the inventory and run `kinstall up`."
    )
}
