//! Ports of this computer that lead to a machine: rules of the first card's NAT.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use super::super::{Lab, ProviderError};
use super::info::Info;
use crate::model::{ForwardedPort, Protocol};

/// Names of our rules, before their number: a user's own rules are left alone.
const NAME: &str = "kinstall-";

/// Returns a rule as VBoxManage takes it. A port that is out of range would be stored without a word, but
/// has no way to get here.
pub fn rule(index: usize, port: ForwardedPort) -> String {
    let protocol = protocol(port.protocol);
    format!(
        "{NAME}{index},{protocol},127.0.0.1,{},,{}",
        port.host, port.guest
    )
}

/// Returns the names of our rules.
pub fn names(machine: &Info) -> Vec<&str> {
    let rules = machine.starting_with("Forwarding(");
    rules
        .filter_map(|(_, rule)| rule.split(',').next())
        .filter(|it| number(it).is_some())
        .collect()
}

/// Reads our rules, in their order.
pub fn read(machine: &Info) -> Vec<ForwardedPort> {
    let rules = machine.starting_with("Forwarding(");
    let mut ports: Vec<(usize, ForwardedPort)> = rules
        .filter_map(|(_, rule)| {
            let fields: Vec<&str> = rule.split(',').collect();
            let [name, protocol, _, host, _, guest] = fields[..] else {
                return None;
            };
            let port = ForwardedPort {
                host: host.parse().ok()?,
                guest: guest.parse().ok()?,
                protocol: if protocol == "udp" {
                    Protocol::Udp
                } else {
                    Protocol::Tcp
                },
            };
            Some((number(name)?, port))
        })
        .collect();
    ports.sort_by_key(|(index, _)| *index);
    ports.into_iter().map(|(_, port)| port).collect()
}

/// Returns the first port that another program has: VirtualBox would start the machine without the rule
/// and say so only in its log.
pub fn taken(ports: &[ForwardedPort]) -> Option<ForwardedPort> {
    let is_taken = |port: &&ForwardedPort| {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.host));
        match port.protocol {
            Protocol::Tcp => TcpListener::bind(address).is_err(),
            Protocol::Udp => UdpSocket::bind(address).is_err(),
        }
    };
    ports.iter().find(is_taken).copied()
}

/// Says that a port is taken, with what to do.
pub fn obstacle(lab: &Lab, host: &str, port: ForwardedPort) -> ProviderError {
    let port = port.host;
    ProviderError::Obstacle {
        message: format!("failed to start machine `{host}`: port {port} of this computer is taken"),
        hints: vec![
            format!(
                "end the program that listens on it (`ss -ltnup`, or `netstat -ano` on Windows), or forward another port: `machine_forwarded_ports` of {host}"
            ),
            format!(
                "other machines of cluster {} may forward it, too",
                lab.cluster
            ),
        ],
    }
}

fn number(name: &str) -> Option<usize> {
    name.strip_prefix(NAME)?.parse().ok()
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{ForwardedPort, Info, Protocol, names, read, rule, taken};

    #[test]
    fn rules_are_read_as_they_are_written_and_others_left_alone() {
        let ports: Vec<ForwardedPort> = (0..12)
            .map(|it| format!("{}:80", 8080 + it).parse().unwrap())
            .collect();
        let mut lines: Vec<String> = ports
            .iter()
            .enumerate()
            .map(|(index, port)| rule(index, *port))
            .collect();
        lines.push("ssh,tcp,127.0.0.1,2222,,22".into());
        // VirtualBox sorts them by name.
        lines.sort();
        let lines = lines.iter().enumerate();
        let text = lines
            .map(|(index, line)| format!("Forwarding({index})=\"{line}\"\n"))
            .collect::<Vec<_>>()
            .concat();
        let info = Info::parse(&text);
        assert_eq!(read(&info), ports);
        assert_eq!(names(&info).len(), 12);
    }

    #[test]
    fn a_port_that_is_taken_is_found() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = ForwardedPort {
            host: listener.local_addr().unwrap().port(),
            guest: 80,
            protocol: Protocol::Tcp,
        };
        assert_eq!(taken(&[port]), Some(port));
        drop(listener);
        assert_eq!(taken(&[port]), None);
    }
}
