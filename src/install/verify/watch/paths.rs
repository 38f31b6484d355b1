//! The ways that lead to a cluster.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use super::Event;
use super::probe::{Identity, Probe, Question};
use crate::credentials::kubeconfig::admin_kubeconfig;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::verify::access::Cluster;
use crate::install::verify::ways;
use crate::ssh::{Session, Target};
use crate::verify::availability::Connections;

/// Seconds that a Service may take to get an address.
const ADDRESS: u32 = 20;

/// One way, and how it is asked.
pub(super) struct Path {
    pub(super) name: String,
    pub(super) connections: Connections,
    question: Question,
}

impl Path {
    /// Makes what asks.
    pub(super) fn probe(&self) -> Probe {
        Probe::new(&self.question, self.connections)
    }
}

/// Finds all paths of the cluster.
pub(super) async fn find(
    cluster: &Cluster<'_>,
    report: &(dyn Fn(Event) + Sync),
) -> Result<Vec<Path>, Diagnostics> {
    let mut finder = Finder {
        cluster,
        identity: Arc::new(identity(cluster)?),
        paths: Vec::new(),
    };
    finder.api_servers().await?;
    match node(cluster).await {
        Some(node) => finder.of_node(&node).await?,
        None => report(Event::LeftOut(
            "no node answers by SSH: its own ways are left out".into(),
        )),
    }
    finder.load_balancer(report).await?;
    Ok(finder.paths)
}

struct Finder<'a> {
    cluster: &'a Cluster<'a>,
    identity: Arc<Identity>,
    paths: Vec<Path>,
}

impl Finder<'_> {
    /// Each API server for itself, as this computer reaches it.
    async fn api_servers(&mut self) -> Result<(), Diagnostics> {
        let spec = &self.cluster.project.cluster;
        let port = spec.control_plane.bind_port;
        for host in spec.control_planes() {
            let Some(address) = host.access_address.or(host.address) else {
                continue;
            };
            let way = self
                .cluster
                .ways
                .outside(SocketAddr::new(address, port))
                .await;
            let question = self.config_map(way.map_err(|error| no_way(&error))?);
            let name = format!("API server of {}", host.name);
            self.add(&name, &[Connections::New, Connections::Reused], &question);
        }
        Ok(())
    }

    /// What only a node has: its proxy to the API servers, and the addresses of Services.
    async fn of_node(&mut self, node: &(Target, Session)) -> Result<(), Diagnostics> {
        let (target, session) = node;
        let spec = &self.cluster.project.cluster;
        if let Some(proxy) = &spec.control_plane.proxy {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, proxy.port));
            let question = self.config_map(through(target, session, address).await?);
            let name = format!("API proxy of {}", target.name);
            let all = [Connections::New, Connections::Reused, Connections::Writes];
            self.add(&name, &all, &question);
        }
        let kubernetes = SocketAddr::new(spec.network.api_service_address(), 443);
        let question = self.config_map(through(target, session, kubernetes).await?);
        // Where nodes have no proxy, writes go by the Service.
        let writes = match spec.control_plane.proxy {
            Some(_) => [Connections::New].as_slice(),
            None => &[Connections::New, Connections::Writes],
        };
        self.add("Service default/kubernetes", writes, &question);
        let service = self.service("{.spec.clusterIP}").await?;
        if let Ok(address) = service.parse::<IpAddr>() {
            let address = through(target, session, SocketAddr::new(address, 80)).await?;
            let question = Question::web(address);
            self.add(
                "Service of two Pods",
                &[Connections::New, Connections::Reused],
                &question,
            );
        }
        Ok(())
    }

    async fn load_balancer(&mut self, report: &(dyn Fn(Event) + Sync)) -> Result<(), Diagnostics> {
        if self.cluster.project.cluster.addons.metallb.is_none() {
            return Ok(());
        }
        let mut address = String::new();
        for _ in 0..ADDRESS {
            address = self.service("{.status.loadBalancer.ingress[0].ip}").await?;
            if !address.is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        let Ok(address) = address.parse::<IpAddr>() else {
            report(Event::LeftOut(
                "MetalLB gave no address: the LoadBalancer is left out".into(),
            ));
            return Ok(());
        };
        let way = self
            .cluster
            .ways
            .outside(SocketAddr::new(address, 80))
            .await;
        let question = Question::web(way.map_err(|error| no_way(&error))?);
        self.add(
            "LoadBalancer of two Pods",
            &[Connections::New, Connections::Reused],
            &question,
        );
        Ok(())
    }

    async fn service(&self, path: &str) -> Result<String, Diagnostics> {
        let line = format!("get service availability --output jsonpath={path}");
        Ok(self.cluster.kubectl(&line).await?.stdout.trim().to_owned())
    }

    fn config_map(&self, address: SocketAddr) -> Question {
        let namespace = &self.cluster.namespace;
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/availability");
        Question::api(address, &path, &self.identity)
    }

    fn add(&mut self, name: &str, kinds: &[Connections], question: &Question) {
        self.paths.extend(kinds.iter().map(|connections| Path {
            name: name.to_owned(),
            connections: *connections,
            question: question.clone(),
        }));
    }
}

/// Connects to the node that its own ways are tried on: the first that is no control plane, for it stays.
async fn node(cluster: &Cluster<'_>) -> Option<(Target, Session)> {
    let spec = &cluster.project.cluster;
    for host in spec.workers().chain(spec.control_planes()) {
        let target = cluster.machines.target(host);
        if let Ok(session) = Session::connect(&target).await {
            return Some((target, session));
        }
    }
    None
}

async fn through(
    target: &Target,
    session: &Session,
    address: SocketAddr,
) -> Result<SocketAddr, Diagnostics> {
    let way = ways::through(target.clone(), session, address).await;
    way.map_err(|error| no_way(&error))
}

/// Makes a certificate of the administrator's.
fn identity(cluster: &Cluster<'_>) -> Result<Identity, Diagnostics> {
    let secrets = cluster.project.secrets()?;
    let name = &cluster.project.cluster.name;
    let kubeconfig = admin_kubeconfig(&secrets.cluster_authorities, name, "", SystemTime::now())
        .map_err(|error| vec![Diagnostic::from_error(Kind::Internal, &error)])?;
    Identity::of(&kubeconfig).ok_or_else(|| {
        let message = "the administrator's certificate can't be read";
        vec![Diagnostic::error(Kind::Internal, message)]
    })
}

fn no_way(error: &std::io::Error) -> Diagnostics {
    let message = format!("failed to open a port on loopback: {error}");
    vec![Diagnostic::error(Kind::Environment, message)]
}
