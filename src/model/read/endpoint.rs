//! Reads how the API servers are reached.

use std::num::NonZeroU16;

use super::super::names::is_certificate_name;
use super::super::validate::PortPlaces;
use super::super::{ApiProxy, ControlPlane, ControlPlaneSettings, defaults, join_port};
use super::Reader;
use crate::diagnostic::Location;
use crate::yaml::{Node, Value};

/// The address that nodes find their own proxy at.
const THIS_NODE: &str = "127.0.0.1";

/// Reads it, and where its ports are set; `first_address` is the first control plane's.
pub(super) fn control_plane(
    reader: &mut Reader<'_>,
    first_address: Option<String>,
) -> (ControlPlane, PortPlaces) {
    let api_port = reader.parsed::<NonZeroU16>(&["kube_apiserver_port"], "a port (1-65535)");
    let bind_port = api_port
        .as_ref()
        .map_or(defaults::API_SERVER_PORT, |port| port.value.get());
    let extra_names = certificate_names(reader);
    let balancer = load_balancer(reader, bind_port);
    // As in kubespray: a load balancer takes the place of the proxy, unless both are wanted.
    let wants_proxy = reader.boolean("loadbalancer_apiserver_localhost");
    let mut ports = PortPlaces {
        api: api_port.and_then(|port| port.location),
        ..PortPlaces::default()
    };
    let proxy = proxy(reader, bind_port, &mut ports);
    let proxy = wants_proxy.unwrap_or(balancer.is_none()).then_some(proxy);
    let (endpoint_host, endpoint_port) = match (&proxy, &balancer) {
        (Some(proxy), _) => (THIS_NODE.to_owned(), proxy.port),
        (None, Some((host, port))) => (host.clone(), *port),
        (None, None) => (first_address.unwrap_or_default(), bind_port),
    };
    let control_plane = ControlPlane {
        endpoint_host,
        endpoint_port,
        proxy,
        load_balancer: balancer.map(|(host, port)| join_port(&host, port)),
        bind_port,
        extra_names,
        settings: ControlPlaneSettings::read(reader),
    };
    (control_plane, ports)
}

/// Reads `loadbalancer_apiserver`, whose address may be missing where it has a name.
fn load_balancer(reader: &mut Reader<'_>, bind_port: u16) -> Option<(String, u16)> {
    let variable = "loadbalancer_apiserver";
    let balancer = reader.value(variable)?;
    if balancer.entries().is_none() {
        reader.wrong_kind(variable, &balancer, "a mapping with `address` and `port`");
        return None;
    }
    let address = balancer.get("address").and_then(Value::text);
    let address = address.map(str::trim).filter(|address| !address.is_empty());
    let name = || {
        let names = reader.list("apiserver_loadbalancer_domain_name");
        let name = names.first().and_then(|name| name.text());
        name.filter(|name| !name.is_empty()).map(str::to_owned)
    };
    let Some(host) = address.map(str::to_owned).or_else(name) else {
        reader.error(
            &balancer.location,
            "the load balancer of the API servers has neither an address nor a name",
            "where is it?",
            "add `address: ADDRESS` here, or set `apiserver_loadbalancer_domain_name`",
        );
        return None;
    };
    let port = balancer
        .get("port")
        .filter(|port| port.node != Node::Null)
        .and_then(|port| {
            let name = "loadbalancer_apiserver.port";
            reader.parse_value::<NonZeroU16>(name, port, "a port (1-65535)")
        });
    Some((host, port.map_or(bind_port, NonZeroU16::get)))
}

/// kubespray has its proxy on workers only, at the API server's own port, which its sample files set.
/// Here control planes have it as well, so that port is taken.
fn proxy(reader: &mut Reader<'_>, bind_port: u16, places: &mut PortPlaces) -> ApiProxy {
    let mut port = |name, place: &mut Option<Location>| {
        let port = reader.parsed::<NonZeroU16>(&[name], "a port (1-65535)")?;
        *place = port.location;
        Some(port.value.get())
    };
    let health_port = port(
        "loadbalancer_apiserver_healthcheck_port",
        &mut places.proxy_health,
    );
    let port = port("loadbalancer_apiserver_port", &mut places.proxy);
    let port = port.filter(|port| *port != bind_port);
    ApiProxy {
        port: port.unwrap_or(defaults::API_PROXY_PORT),
        health_port,
    }
}

/// Reads further names for the API server's certificate; a list may hold the load balancer's name as well.
fn certificate_names(reader: &mut Reader<'_>) -> Vec<String> {
    let mut values: Vec<(&str, Value)> = Vec::new();
    for name in [
        "supplementary_addresses_in_ssl_keys",
        "apiserver_loadbalancer_domain_name",
    ] {
        values.extend(reader.list(name).into_iter().map(|value| (name, value)));
    }
    let mut names = Vec::new();
    for (variable, value) in values {
        match value.text() {
            Some("") => {}
            Some(text) if is_certificate_name(text) => names.push(text.to_owned()),
            _ => reader.wrong_kind(variable, &value, "a name or an address, without port"),
        }
    }
    names
}
