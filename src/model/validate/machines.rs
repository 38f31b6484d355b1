//! Hosts that are one machine, and machines that want the same of this computer.

use super::super::{ClusterSpec, Method};
use super::{Places, error};
use crate::diagnostic::Diagnostics;

pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    for (index, (host, location)) in spec.hosts.iter().zip(&places.names).enumerate() {
        let way = |it: &super::super::HostSpec| {
            let connection = &it.connection;
            if connection.method == Method::Local {
                return ("this computer".to_owned(), 0, Vec::new());
            }
            (
                connection.host.clone(),
                connection.port(),
                connection.jumps().to_vec(),
            )
        };
        let earlier = &spec.hosts[..index];
        // Two with the same address are told of elsewhere.
        let same = earlier.iter().find(|other| {
            way(other) == way(host) && (host.address.is_none() || other.address != host.address)
        });
        if let Some(other) = same {
            diagnostics.push(
                error(
                    location,
                    format!("`{}` and `{}` are the same machine", other.name, host.name),
                    match host.connection.method {
                        Method::Local => "both are this computer".to_owned(),
                        Method::Ssh => format!(
                            "both are at {} port {}",
                            host.connection.host,
                            host.connection.port()
                        ),
                    },
                )
                .hint("every node needs a machine of its own: give each its own `ansible_host` or `ansible_port`"),
            );
        }
        let taken = host.machine.forwarded_ports.iter().find_map(|port| {
            let is_same = |other: &super::super::ForwardedPort| {
                other.host == port.host && other.protocol == port.protocol
            };
            let other = earlier
                .iter()
                .find(|other| other.machine.forwarded_ports.iter().any(is_same))?;
            Some((port, other))
        });
        if let Some((port, other)) = taken {
            diagnostics.push(
                error(
                    location,
                    format!("`{}` and `{}` forward the same port {}", other.name, host.name, port.host),
                    "second time",
                )
                .hint("a port of this computer leads to one machine: change `machine_forwarded_ports` of one"),
            );
        }
    }
}
