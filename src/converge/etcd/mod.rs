//! The cluster's etcd: who its members are, how they are, and the removal of one.
//!
//! All by upstream's etcdctl: from the container that etcd itself runs in, which has the right version, or from the node where
//! etcd runs on hosts.

pub mod gate;
mod leader;
mod member_absent;
mod observe;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::gate::Member;
use super::program::Program;
use super::{Node, ResourceError};

pub use self::observe::control_plane;

/// How long etcd may need to see that its members are well.
const PATIENCE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_secs(1);

/// Certificates that kubeadm makes for whoever looks after etcd.
const CERTIFICATES: &str = "/etc/kubernetes/pki/etcd";
/// The member on this node.
const THIS_NODE: &str = "https://127.0.0.1:2379";

/// The URLs of all members, one a line, where etcd runs on hosts: on these, and on control planes.
const ENDPOINTS: &str = "/etc/etcd/endpoints";
const CERTIFICATES_ON_HOSTS: &str = "/etc/etcd/pki";
const PROGRAM_ON_HOSTS: &str = "/usr/local/bin/etcdctl";

/// Runs etcdctl on a node from which etcd can be reached.
#[derive(Debug)]
pub struct Etcd<'a> {
    node: &'a Node,
    program: PathBuf,
    /// Who answers for the cluster, as etcdctl takes it.
    endpoints: String,
    certificates: &'static str,
}

impl<'a> Etcd<'a> {
    /// Finds the way to the cluster's etcd; `None` where this node has none.
    pub fn find(node: &'a Node) -> Option<Self> {
        let endpoints = node.read_or_empty(ENDPOINTS);
        let endpoints: Vec<&str> = endpoints.split_whitespace().collect();
        if endpoints.is_empty() {
            return Self::beside_a_static_pod(node);
        }
        let program = node.path(PROGRAM_ON_HOSTS);
        program.exists().then(|| Self {
            node,
            program,
            endpoints: endpoints.join(","),
            certificates: CERTIFICATES_ON_HOSTS,
        })
    }

    /// Returns whether etcd runs as a service of hosts.
    pub fn is_on_hosts(&self) -> bool {
        self.certificates == CERTIFICATES_ON_HOSTS
    }

    /// Finds etcdctl beside the etcd that runs on this node.
    fn beside_a_static_pod(node: &'a Node) -> Option<Self> {
        let processes = node.path("/proc").read_dir().ok()?.flatten();
        let folders = processes.map(|entry| entry.path());
        let of_etcd = folders.filter(|folder| {
            let program = folder.join("exe").read_link();
            program.is_ok_and(|path| path.file_name().is_some_and(|name| name == "etcd"))
        });
        // A pod's program of that name is in namespaces of its own.
        let own = ["net", "user"].map(|it| namespace(Path::new("/proc/self"), it));
        let of_etcd =
            of_etcd.filter(|folder| ["net", "user"].map(|it| namespace(folder, it)) == own);
        // One that only tries a snapshot runs outside of a container.
        let mut programs = of_etcd.map(|folder| folder.join("root/usr/local/bin/etcdctl"));
        let program = programs.find(|program| program.exists())?;
        Some(Self {
            node,
            program,
            endpoints: THIS_NODE.to_owned(),
            certificates: CERTIFICATES,
        })
    }

    /// Lists all members, and asks those that vote how they are.
    pub fn members(&self) -> Result<Vec<Member>, ResourceError> {
        let list = self.json(&self.endpoints, &["member", "list"])?;
        let mut members: Vec<Member> = entries(&list["members"]).map(member).collect();
        let endpoints: Vec<&str> = members
            .iter()
            .filter(|member| !member.is_learner)
            .filter_map(|member| Some(member.client_urls.first()?.as_str()))
            .collect();
        // It fails when one of them is unwell, which is what is asked for.
        let health = self.answer(&endpoints.join(","), &["endpoint", "health"])?;
        for member in &mut members {
            member.is_healthy = entries(&health).any(|it| {
                let endpoint = it["endpoint"].as_str().unwrap_or_default();
                it["health"] == true && member.client_urls.iter().any(|url| url == endpoint)
            });
        }
        Ok(members)
    }

    /// Lists the alarms, in words.
    pub fn alarms(&self) -> Result<Vec<String>, ResourceError> {
        let output = self.run(&self.endpoints, &["alarm", "list"])?;
        Ok(output.lines().map(|line| line.trim().to_owned()).collect())
    }

    /// Returns whether a member leads; not if it doesn't answer.
    pub fn leads(&self, member: &Member) -> Result<bool, ResourceError> {
        let Some(endpoint) = member.client_urls.first() else {
            return Ok(false);
        };
        let status = self.answer(endpoint, &["endpoint", "status"])?;
        Ok(entries(&status).any(|it| it["Status"]["leader"].as_u64() == Some(member.id)))
    }

    /// Lets another member lead, if this one does.
    pub fn move_leader_from(
        &self,
        member: &Member,
        members: &[Member],
    ) -> Result<(), ResourceError> {
        let Some(endpoint) = member.client_urls.first() else {
            return Ok(());
        };
        match members.iter().find(|it| member.can_hand_over_to(it)) {
            Some(other) if self.leads(member)? => {
                let id = format!("{:x}", other.id);
                self.run(endpoint, &["move-leader", &id]).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Removes a member. etcd refuses that while it hasn't been connected to enough others for five seconds, as just after one
    /// of them came back.
    pub fn remove(&self, member: &Member) -> Result<(), ResourceError> {
        let id = format!("{:x}", member.id);
        let end = Instant::now() + PATIENCE;
        loop {
            let Err(refused) = self.run(&self.endpoints, &["member", "remove", &id]) else {
                return Ok(());
            };
            let ResourceError::Command { output, .. } = &refused else {
                return Err(refused);
            };
            let will_pass = output.iter().any(|line| line.contains("unhealthy cluster"));
            if !will_pass || Instant::now() > end {
                return Err(refused);
            }
            self.node.cancel().sleep(INTERVAL)?;
        }
    }

    fn json(&self, endpoints: &str, arguments: &[&str]) -> Result<Value, ResourceError> {
        let arguments = [arguments, &["--write-out=json"]].concat();
        parse(&self.run(endpoints, &arguments)?)
    }

    /// Returns what etcdctl says even where it fails.
    fn answer(&self, endpoints: &str, arguments: &[&str]) -> Result<Value, ResourceError> {
        let arguments = [arguments, &["--write-out=json"]].concat();
        let finished = self.command(endpoints, &arguments).capture(self.node)?;
        parse(&finished.stdout)
    }

    fn run(&self, endpoints: &str, arguments: &[&str]) -> Result<String, ResourceError> {
        self.command(endpoints, arguments).output(self.node)
    }

    fn command(&self, endpoints: &str, arguments: &[&str]) -> Program {
        let file = |name: &str| self.node.path(&format!("{}/{name}", self.certificates));
        let option = |name: &str, path: PathBuf| format!("--{name}={}", path.display());
        let mut argv = vec![
            self.program.display().to_string(),
            format!("--endpoints={endpoints}"),
            option("cacert", file("ca.crt")),
            option("cert", file("healthcheck-client.crt")),
            option("key", file("healthcheck-client.key")),
            "--command-timeout=10s".to_owned(),
        ];
        argv.extend(arguments.iter().map(|it| (*it).to_owned()));
        Program::new(argv)
    }
}

/// Returns the URLs by which the members know each other, from a member on this node that runs as a service; only one that
/// is in touch with a majority answers. A greeting waits for it.
pub fn peers(node: &Node) -> Result<Vec<String>, ResourceError> {
    let Some(etcd) = Etcd::find(node).filter(Etcd::is_on_hosts) else {
        return Ok(Vec::new());
    };
    let list = etcd.json(THIS_NODE, &["member", "list", "--command-timeout=2s"])?;
    let members = entries(&list["members"]).map(member);
    Ok(members.flat_map(|it| it.peer_urls).collect())
}

fn parse(output: &str) -> Result<Value, ResourceError> {
    serde_json::from_str(output.trim())
        .map_err(|error| ResourceError::other(format!("etcdctl's answer can't be read: {error}")))
}

/// Returns the name of one of a process's namespaces.
fn namespace(process: &Path, kind: &str) -> Option<PathBuf> {
    process.join("ns").join(kind).read_link().ok()
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn member(value: &Value) -> Member {
    let texts = |value: &Value| {
        let texts = entries(value).filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    Member {
        id: value["ID"].as_u64().unwrap_or_default(),
        name: value["name"].as_str().unwrap_or_default().to_owned(),
        peer_urls: texts(&value["peerURLs"]),
        client_urls: texts(&value["clientURLs"]),
        is_learner: value["isLearner"] == true,
        is_healthy: false,
    }
}
