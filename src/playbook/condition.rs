//! Turns the condition of a `wait` into what the node waits for.

use super::resource::ADMIN_KUBECONFIG;
use super::schema::{Text, Wait};
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::resource::{Condition, ControlPlaneChange};

impl Scope<'_> {
    /// Builds the one condition; `step` is its name, for errors that concern all of it.
    pub(super) fn condition(&self, step: &Text, it: &Wait) -> Result<Condition, Diagnostic> {
        let kubeconfig = |text| self.kubeconfig(text);
        let mut conditions = Vec::new();
        if let Some(tcp) = &it.tcp {
            let port = self.text(&tcp.port)?;
            conditions.push(Condition::Tcp {
                address: self.text(&tcp.address)?,
                port: port
                    .parse()
                    .map_err(|_| self.wrong(&tcp.port, format!("`{port}` is no port")))?,
            });
        }
        if let Some(https) = &it.https {
            conditions.push(Condition::Https {
                url: self.text(&https.url)?,
                ca: self.text(&https.ca)?,
            });
        }
        if let Some(path) = &it.unix_socket {
            conditions.push(Condition::UnixSocket(self.text(path)?));
        }
        if let Some(path) = &it.path {
            conditions.push(Condition::Path(self.text(path)?));
        }
        if let Some(node) = &it.node_ready {
            let name = self.optional(node.name.as_ref())?;
            conditions.push(Condition::NodeReady {
                kubeconfig: kubeconfig(node.kubeconfig.as_ref())?,
                name: name.unwrap_or_else(|| self.host.name.clone()),
            });
        }
        if let Some(names) = &it.static_pods_run {
            let names = names.iter().map(|name| self.text(name));
            conditions.push(Condition::StaticPodsRun(names.collect::<Result<_, _>>()?));
        }
        if let Some(another) = &it.another_api_server {
            conditions.push(Condition::AnotherApiServer {
                kubeconfig: kubeconfig(another.kubeconfig.as_ref())?,
                host: self.host.name.clone(),
            });
        }
        if let Some(gate) = &it.control_plane_bears {
            conditions.push(Condition::ControlPlaneBears {
                kubeconfig: self.kubeconfig_unless(gate.etcd_only, gate.kubeconfig.as_ref())?,
                change: ControlPlaneChange {
                    kind: gate.change,
                    host: self.host.name.clone(),
                    address: self.address(),
                },
            });
        }
        if let Some(object) = &it.rolled_out {
            let kind = self.text(&object.kind)?;
            if !["deployment", "daemonset"].contains(&kind.as_str()) {
                return Err(self
                    .wrong(&object.kind, format!("can't wait for a `{kind}`"))
                    .hint("`deployment` and `daemonset` are known"));
            }
            conditions.push(Condition::RolledOut {
                kubeconfig: kubeconfig(object.kubeconfig.as_ref())?,
                kind,
                namespace: self.text(&object.namespace)?,
                name: self.text(&object.name)?,
                without: self.parts.silent.clone(),
            });
        }
        match (conditions.pop(), conditions.is_empty()) {
            (Some(condition), true) => Ok(condition),
            _ => Err(self
                .wrong(step, "`wait` needs exactly one condition")
                .hint("one of tcp, https, unix_socket, path, node_ready, static_pods_run, another_api_server, control_plane_bears and rolled_out")),
        }
    }

    /// Returns the kubeconfig that a step names, or the administrator's.
    pub(super) fn kubeconfig(&self, named: Option<&Text>) -> Result<String, Diagnostic> {
        let named = self.optional(named)?;
        Ok(named.unwrap_or_else(|| ADMIN_KUBECONFIG.to_owned()))
    }

    /// Returns the host's address, by which its etcd member is known.
    pub(super) fn address(&self) -> String {
        self.host
            .address
            .map_or_else(String::new, |it| it.to_string())
    }

    /// Returns where a kubeconfig is, unless only etcd is looked at.
    pub(super) fn kubeconfig_unless(
        &self,
        etcd_only: bool,
        named: Option<&Text>,
    ) -> Result<Option<String>, Diagnostic> {
        (!etcd_only).then(|| self.kubeconfig(named)).transpose()
    }
}
