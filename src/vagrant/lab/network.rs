//! Addresses and forwarded ports.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::Call;
use super::read::Reader;
use crate::diagnostic::Location;
use crate::model::Provider;
use crate::vagrant::evaluate::value::Value;

/// What VirtualBox allows on Linux and macOS without being told otherwise.
const ALLOWED: (Ipv4Addr, u8) = (Ipv4Addr::new(192, 168, 56, 0), 21);

/// The networks of one machine.
#[derive(Default)]
pub(super) struct Networks {
    pub address: Option<Ipv4Addr>,
    /// Further addresses with their prefix.
    pub others: Vec<String>,
    pub ports: Vec<(Port, Location)>,
    /// Why there is no address, if there is a network that could have had one.
    reason: Option<(Location, String)>,
}

/// A port of this computer that leads into a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Port {
    pub host: u64,
    pub guest: u64,
    pub is_udp: bool,
}

impl Port {
    pub fn text(self) -> String {
        let protocol = if self.is_udp { "/udp" } else { "" };
        format!("{}:{}{protocol}", self.host, self.guest)
    }
}

impl Reader<'_> {
    /// Reads `config.vm.network` in order; `defined` is where the machine stands.
    pub fn networks(&mut self, calls: &[&Call], defined: &Location) -> Networks {
        let mut networks = Networks::default();
        for call in calls {
            match call.name.as_str() {
                "vm.network" => self.network(call, &mut networks),
                "vm.forward_port" => {
                    if let [guest, host, ..] = &call.arguments[..] {
                        self.port(guest, host, false, &call.place, &mut networks);
                    }
                }
                _ => {}
            }
        }
        if networks.address.is_none() {
            let (place, reason) = networks.reason.take().unwrap_or_else(|| {
                let reason = "no private_network gives it an address; Vagrant went through NAT";
                (defined.clone(), reason.to_owned())
            });
            self.fill_in(&place, "ip", &reason);
        }
        networks
    }

    fn network(&mut self, call: &Call, networks: &mut Networks) {
        let place = &call.place;
        let Some(kind) = call.arguments.first().and_then(Value::as_text) else {
            self.left_out(place, "the kind of network is not known");
            return;
        };
        let options = call.arguments.last().cloned().unwrap_or(Value::Nil);
        match &*kind {
            "private_network" | "hostonly" => {
                let first = call.arguments.get(1).filter(|it| it.as_text().is_some());
                let address = first.cloned().or_else(|| options.option("ip"));
                self.private(address, &options, place, networks);
            }
            "forwarded_port" => {
                let (guest, host) = (options.option("guest"), options.option("host"));
                let id = options.option("id");
                let is_ssh = id.is_some_and(|it| it.as_text().as_deref() == Some("ssh"));
                if options.has_option("disabled") {
                    self.left_out(place, "the forwarded port is disabled");
                } else if is_ssh || matches!(guest, Some(Value::Integer(22))) {
                    self.left_out(place, "not needed: `kinstall ssh` finds the way itself");
                } else if let (Some(guest), Some(host)) = (guest, host) {
                    self.listening(&options, place);
                    let protocol = options.option("protocol");
                    let is_udp = protocol.is_some_and(|it| it.as_text().as_deref() == Some("udp"));
                    self.port(&guest, &host, is_udp, place, networks);
                } else {
                    let reason = "guest or host port is not written down";
                    self.fill_in(place, "machine_forwarded_ports", reason);
                }
            }
            "public_network" | "bridged" => {
                self.left_out(
                    place,
                    "kinstall has no bridged networks: machines are reached on the host-only network",
                );
                networks.reason.get_or_insert_with(|| {
                    let reason =
                        "a bridged address is not taken over; write one of the host-only network";
                    (place.clone(), reason.to_owned())
                });
            }
            _ => self.left_out(
                place,
                format!("`{kind}` is not a network that kinstall knows"),
            ),
        }
    }

    fn private(
        &mut self,
        address: Option<Value>,
        options: &Value,
        place: &Location,
        networks: &mut Networks,
    ) {
        let kind = options.option("type");
        let is_dynamic = kind.is_some_and(|it| it.as_text().as_deref() == Some("dhcp"));
        let Some(address) = address.filter(|it| !is_dynamic && !matches!(it, Value::Nil)) else {
            let reason = "its address comes by DHCP; kinstall needs a fixed one";
            self.without_address(place, reason, networks);
            return;
        };
        let Some(text) = address.as_text() else {
            let why = address.why_within();
            let reason = match why {
                Some(why) if why.place.line() == place.line() => why.reason.clone(),
                Some(why) => format!("{} (line {})", why.reason, why.place.line()),
                None => "the address is not a text".to_owned(),
            };
            self.without_address(place, &reason, networks);
            return;
        };
        let (text, own_prefix) = match text.trim().split_once('/') {
            Some((text, prefix)) => (text, prefix.parse::<u8>().ok()),
            None => (text.trim(), None),
        };
        let address: Ipv4Addr = match text.parse() {
            Ok(address) if address != Ipv4Addr::UNSPECIFIED => address,
            _ => {
                let reason = format!("`{text}` is not an IPv4 address");
                self.without_address(place, &reason, networks);
                return;
            }
        };
        let mask = options.option("netmask");
        let prefix = own_prefix
            .or_else(|| prefix_of(mask.as_ref()?))
            .unwrap_or(24);
        if options.option("virtualbox__intnet").is_some() {
            self.assumed(place, "the internal network becomes a host-only network");
        }
        if networks.address.is_some() {
            networks.others.push(format!("{address}/{prefix}"));
            return;
        }
        if prefix != 24 {
            self.left_out(
                place,
                format!("the prefix /{prefix}: kinstall's network is chosen by it alone"),
            );
        }
        let allowed = Ipv4Net::new(ALLOWED.0, ALLOWED.1);
        if self.provider == Provider::VirtualBox && allowed.is_ok_and(|it| !it.contains(&address)) {
            self.assumed(
                place,
                "outside of 192.168.56.0/21: VirtualBox allows that on Linux and macOS only after a line in /etc/vbox/networks.conf; `kinstall doctor` names it",
            );
        }
        networks.address = Some(address);
    }

    /// A further network without an address is left for the user; the first one is noted at the end.
    fn without_address(&mut self, place: &Location, reason: &str, networks: &mut Networks) {
        if networks.address.is_some() {
            self.fill_in(place, "machine_networks", reason);
        } else {
            networks.reason = Some((place.clone(), reason.to_owned()));
        }
    }

    /// Says where a port of this computer listens, if the Vagrantfile wants it elsewhere.
    fn listening(&mut self, options: &Value, place: &Location) {
        let address = options.option("host_ip");
        let address = address
            .as_ref()
            .and_then(Value::as_text)
            .unwrap_or_default();
        if !matches!(&*address, "" | "127.0.0.1" | "localhost") {
            let message = format!("host_ip {address}: forwarded ports listen on 127.0.0.1 only");
            self.left_out(place, message);
        }
    }

    fn port(
        &mut self,
        guest: &Value,
        host: &Value,
        is_udp: bool,
        place: &Location,
        networks: &mut Networks,
    ) {
        const VARIABLE: &str = "machine_forwarded_ports";
        let guest = self.number(guest, place, VARIABLE);
        let host = self.number(host, place, VARIABLE);
        let (Some(guest), Some(host)) = (guest, host) else {
            return;
        };
        let is_port = |port: u64| (1..=65535).contains(&port);
        if !is_port(guest) || !is_port(host) {
            self.fill_in(place, VARIABLE, &format!("{host}:{guest} are not ports"));
            return;
        }
        let port = Port {
            host,
            guest,
            is_udp,
        };
        networks.ports.push((port, place.clone()));
    }
}

fn prefix_of(mask: &Value) -> Option<u8> {
    if let Value::Integer(prefix) = mask {
        return u8::try_from(*prefix).ok();
    }
    let text = mask.as_text()?;
    if let Ok(prefix) = text.trim_start_matches('/').parse() {
        return Some(prefix);
    }
    ipnet::ipv4_mask_to_prefix(text.parse().ok()?).ok()
}
