//! Conditions that the node reaches by itself.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};

use super::error::FileContext;
use super::kubernetes::client::certificates;
use super::kubernetes::object::group_path;
use super::rollout::{self, Excused};
use super::{Converge, Node, ResourceError, api_servers, etcd, rollout_trouble, static_pods};
use crate::resource::{Action, Change, Condition, Wait};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(200);
/// Longest time for one look.
const PATIENCE: Duration = Duration::from_secs(5);

/// The condition holds, or the reason why it doesn't.
pub type State = Result<(), String>;

impl Converge for Wait {
    type Observed = State;

    fn probe(&self, node: &Node) -> Result<State, ResourceError> {
        self.condition.look(node)
    }

    fn diff(&self, observed: &State) -> Vec<Change> {
        match observed {
            Ok(()) => Vec::new(),
            Err(reason) => vec![
                Change::new(Action::Wait, self.condition.title())
                    .values(Some(reason.clone()), None),
            ],
        }
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let end = Instant::now() + Duration::from_secs(self.timeout.into());
        loop {
            let last = match self.condition.look(node)? {
                Ok(()) => return Ok(()),
                Err(reason) => reason,
            };
            if Instant::now() >= end {
                return Err(ResourceError::Condition {
                    condition: self.condition.title(),
                    seconds: self.timeout,
                    last,
                    output: self.condition.explain(node),
                });
            }
            node.cancel().sleep(INTERVAL)?;
        }
    }
}

impl Condition {
    fn look(&self, node: &Node) -> Result<State, ResourceError> {
        match self {
            Condition::Tcp { address, port } => Ok(tcp(address, *port)),
            Condition::Https { url, ca } => https(url, ca, PATIENCE, node),
            Condition::UnixSocket(path) => Ok(UnixStream::connect(node.path(path))
                .map(drop)
                .map_err(|error| error.to_string())),
            Condition::Path(path) if node.path(path).exists() => Ok(Ok(())),
            Condition::Path(_) => Ok(Err("it does not exist".to_owned())),
            Condition::NodeReady { kubeconfig, name } => {
                let path = format!("/api/v1/nodes/{name}");
                object(kubeconfig, &path, node_is_ready, node)
            }
            Condition::StaticPodsRun(names) => static_pods::run_as_their_manifests_say(names, node),
            Condition::AnotherApiServer { kubeconfig, host } => {
                let pods = object(kubeconfig, api_servers::PODS, |pods| Ok(pods.clone()), node)?;
                let Ok(pods) = pods else {
                    return Ok(pods.map(drop));
                };
                one_answers(
                    &api_servers::urls_beside(host, &pods),
                    api_servers::AUTHORITY,
                    node,
                )
            }
            Condition::ControlPlaneBears { kubeconfig, change } => {
                let found = etcd::control_plane(kubeconfig.as_deref(), node)?;
                Ok(found.and_then(|found| etcd::gate::judge(&found, change)))
            }
            Condition::RolledOut {
                kubeconfig,
                kind,
                namespace,
                name,
                without,
            } => {
                let path = workload_path(kind, namespace, name);
                let mut pods = String::new();
                let judge = |object: &Value| {
                    pods = rollout::pods(object);
                    rollout::judge(object, &Excused::default())
                };
                let state = object(kubeconfig, &path, judge, node)?;
                if state.is_ok() || without.is_empty() || pods.is_empty() {
                    return Ok(state);
                }
                let pods = node.kubernetes(kubeconfig)?.get(&pods)?;
                let excused = Excused::of(&pods.body, without);
                let judge = |object: &Value| rollout::judge(object, &excused);
                object(kubeconfig, &path, judge, node)
            }
        }
    }

    /// Returns what the cluster knows of the reason why the condition doesn't hold.
    fn explain(&self, node: &Node) -> Vec<String> {
        let client = |kubeconfig: &str| node.kubernetes(kubeconfig).ok();
        let lines = match self {
            Condition::NodeReady { kubeconfig, name } => {
                client(kubeconfig).map(|client| rollout_trouble::explain_node(&client, name))
            }
            Condition::RolledOut {
                kubeconfig,
                kind,
                namespace,
                name,
                ..
            } => client(kubeconfig).and_then(|client| {
                let object = client.get(&workload_path(kind, namespace, name)).ok()?;
                let object = Some(object).filter(super::kubernetes::Answer::is_success)?;
                Some(rollout_trouble::explain(&client, namespace, &object.body))
            }),
            _ => None,
        };
        lines.unwrap_or_default()
    }
}

fn workload_path(kind: &str, namespace: &str, name: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    let base = group_path("apps/v1");
    format!("{base}/namespaces/{namespace}/{plural}/{name}")
}

/// Reads an object and judges it. A server that isn't there yet is something to wait for.
fn object<T>(
    kubeconfig: &str,
    path: &str,
    judge: impl FnOnce(&Value) -> Result<T, String>,
    node: &Node,
) -> Result<Result<T, String>, ResourceError> {
    if !node.path(kubeconfig).exists() {
        return Ok(Err(format!("{kubeconfig} is not there yet")));
    }
    Ok(match node.kubernetes(kubeconfig)?.get(path) {
        Ok(answer) if answer.is_success() => judge(&answer.body),
        Ok(answer) => Err(answer.message().to_owned()),
        Err(error) => Err(error.to_string()),
    })
}

/// One of the addresses is enough.
fn tcp(addresses: &str, port: u16) -> State {
    let mut last = "no address".to_owned();
    for name in addresses.split_whitespace() {
        let resolved = (name, port).to_socket_addrs();
        let connected = resolved.and_then(|addresses| {
            let mut result = Err(std::io::Error::other("the name has no address"));
            for address in addresses {
                result = TcpStream::connect_timeout(&address, PATIENCE).map(drop);
                if result.is_ok() {
                    break;
                }
            }
            result
        });
        match connected {
            Ok(()) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

/// One that answers is enough; where there is none, there is nothing to wait for.
fn one_answers(urls: &[String], ca: &str, node: &Node) -> Result<State, ResourceError> {
    let mut reasons = Vec::new();
    for url in urls {
        match https(url, ca, PATIENCE, node)? {
            Ok(()) => return Ok(Ok(())),
            Err(reason) => reasons.push(format!("{url}: {reason}")),
        }
    }
    Ok(if reasons.is_empty() {
        Ok(())
    } else {
        Err(reasons.join("; "))
    })
}

/// Asks once; `ca` is a PEM file on the node. Any answer but 200 is a reason to go on waiting.
pub fn https(url: &str, ca: &str, patience: Duration, node: &Node) -> Result<State, ResourceError> {
    let path = node.path(ca);
    if !path.exists() {
        return Ok(Err(format!("{ca} is not there yet")));
    }
    let authority = certificates(&fs::read(&path).doing("read", &path)?);
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(authority)))
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .http_status_as_error(false)
        .timeout_global(Some(patience))
        .build()
        .new_agent();
    Ok(match agent.get(url).call() {
        Ok(answer) if answer.status() == 200 => Ok(()),
        Ok(answer) => Err(format!("HTTP {}", answer.status().as_u16())),
        Err(error) => Err(error.to_string()),
    })
}

fn node_is_ready(node: &Value) -> State {
    let ready = node["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Ready");
    match ready {
        Some(ready) if ready["status"] == "True" => Ok(()),
        Some(ready) => Err(ready["message"].as_str().unwrap_or("not ready").to_owned()),
        None => Err("its kubelet has not reported yet".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wait(condition: Condition, timeout: u32) -> Wait {
        Wait { condition, timeout }
    }

    #[test]
    fn a_path_that_appears_is_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        let path = wait(Condition::Path("/made".into()), 5);
        let changes = path.diff(&path.probe(&node).unwrap());
        assert_eq!(changes[0].action, Action::Wait);
        let file = root.path().join("made");
        let maker = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            fs::write(file, "").unwrap();
        });
        path.apply(&changes, &mut node).unwrap();
        maker.join().unwrap();
        assert!(path.diff(&path.probe(&node).unwrap()).is_empty());
    }

    #[test]
    fn time_is_limited_and_the_wish_to_stop_is_heard() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        let socket = wait(Condition::UnixSocket("/none".into()), 0);
        let error = socket.apply(&[], &mut node).unwrap_err();
        assert!(matches!(error, ResourceError::Condition { .. }), "{error}");
        node.cancel().now();
        let path = wait(Condition::Path("/never".into()), 600);
        assert!(matches!(
            path.apply(&[], &mut node),
            Err(ResourceError::Interrupted)
        ));
    }

    #[test]
    fn ports_are_tried() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(tcp("127.0.0.1", port), Ok(()));
        assert_eq!(tcp("name.invalid 127.0.0.1", port), Ok(()));
        drop(listener);
        assert!(tcp("127.0.0.1 ::1", port).is_err());
        let condition = Condition::Tcp {
            address: "192.168.56.11 192.168.56.12".to_owned(),
            port: 6443,
        };
        assert_eq!(
            condition.title(),
            "192.168.56.11:6443 or 192.168.56.12:6443 accepts connections"
        );
    }

    #[test]
    fn a_node_is_judged_by_its_kubelet() {
        let ready =
            |status| json!({"status": {"conditions": [{"type": "Ready", "status": status}]}});
        assert_eq!(node_is_ready(&ready("True")), Ok(()));
        assert!(node_is_ready(&ready("False")).is_err());
    }
}
