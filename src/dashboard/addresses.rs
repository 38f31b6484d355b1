//! Where the cluster answers from outside: Services and Ingresses.

use serde::Serialize;
use serde_json::Value;

use super::object::{elements, items, name, namespace, text};

#[derive(Debug, Serialize)]
pub struct Addresses {
    pub services: Vec<Service>,
    pub ingresses: Vec<Ingress>,
}

/// A Service that can be reached from outside of the cluster.
#[derive(Debug, Serialize)]
pub struct Service {
    pub namespace: String,
    pub name: String,
    pub kind: String,
    /// Empty where there is none, or none yet.
    pub addresses: Vec<String>,
    /// `80/TCP`, or `80:30080/TCP` with the port of the nodes.
    pub ports: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Ingress {
    pub namespace: String,
    pub name: String,
    /// Of hosts and paths: `shop.example.com/`.
    pub rules: Vec<String>,
    pub encrypted: bool,
    pub addresses: Vec<String>,
}

impl Addresses {
    /// Reads a list of Services and Ingresses.
    pub fn of(objects: &Value) -> Self {
        let of_kind = |kind: &'static str| items(objects).filter(move |it| it["kind"] == kind);
        let is_outside = |it: &&Value| {
            let kind = it["spec"]["type"].as_str();
            matches!(kind, Some("LoadBalancer" | "NodePort"))
                || !it["spec"]["externalIPs"].is_null()
        };
        Self {
            services: of_kind("Service")
                .filter(is_outside)
                .map(Service::of)
                .collect(),
            ingresses: of_kind("Ingress").map(Ingress::of).collect(),
        }
    }
}

impl Service {
    fn of(service: &Value) -> Self {
        let external = elements(&service["spec"]["externalIPs"]).map(text);
        Self {
            namespace: namespace(service),
            name: name(service),
            kind: text(&service["spec"]["type"]),
            addresses: given(service).chain(external).collect(),
            ports: elements(&service["spec"]["ports"]).map(port).collect(),
        }
    }
}

impl Ingress {
    fn of(ingress: &Value) -> Self {
        let rules = elements(&ingress["spec"]["rules"]).flat_map(|rule| {
            let host = rule["host"].as_str().unwrap_or("*");
            elements(&rule["http"]["paths"])
                .map(move |it| format!("{host}{}", it["path"].as_str().unwrap_or("/")))
        });
        Self {
            namespace: namespace(ingress),
            name: name(ingress),
            rules: rules.collect(),
            encrypted: elements(&ingress["spec"]["tls"]).next().is_some(),
            addresses: given(ingress).collect(),
        }
    }
}

/// The addresses that a load balancer gave.
fn given(object: &Value) -> impl Iterator<Item = String> {
    let given = elements(&object["status"]["loadBalancer"]["ingress"]);
    given.filter_map(|it| {
        it["ip"]
            .as_str()
            .or(it["hostname"].as_str())
            .map(str::to_owned)
    })
}

fn port(port: &Value) -> String {
    let number = port["port"].as_u64().unwrap_or_default();
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    match port["nodePort"].as_u64() {
        Some(of_nodes) => format!("{number}:{of_nodes}/{protocol}"),
        None => format!("{number}/{protocol}"),
    }
}
