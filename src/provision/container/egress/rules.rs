//! What is made for internet access: names, addresses and rules of nftables, as texts.

use ipnet::{IpNet, Ipv4Net};

use crate::resource::Sha256;

/// The table of nftables that all labs of this computer share.
const GUARD: &str = "kinstall-forwarding";

/// The card in the lab's namespace.
pub(super) const INSIDE: &str = "internet";

/// What a lab's things on this computer are called; no other lab's have the same names.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// The card on this computer.
    pub(super) interface: String,
    /// The table of nftables, of the family `ip`.
    pub(super) table: String,
}

/// What is set in the lab's namespace.
pub(super) struct Inside {
    /// For `ip -batch`.
    pub(super) addresses: String,
    /// For `nft -f`.
    pub(super) filter: String,
}

impl Names {
    pub(super) fn of(lab: &str) -> Self {
        let digits = Sha256::of(format!("{lab}/{INSIDE}").as_bytes()).to_string();
        Self {
            interface: format!("kin{}", &digits[..10]),
            table: format!("kinstall-{lab}"),
        }
    }
}

/// Makes both cards, for `ip -batch`.
pub(super) fn cards(names: &Names, network: Ipv4Net, namespace: &str) -> String {
    let (computer, interface) = (ends(network).0, &names.interface);
    format!(
        "link add name {interface} type veth peer name {INSIDE} netns {namespace}\n\
         address add {computer}/30 dev {interface}\n\
         link set {interface} up\n"
    )
}

/// What leaves the lab has the card's address from there on.
pub(super) fn inside(network: Ipv4Net, lab: IpNet) -> Inside {
    let (computer, own) = ends(network);
    Inside {
        addresses: format!(
            "address add {own}/30 dev {INSIDE}\n\
             link set {INSIDE} up\n\
             route replace default via {computer}\n"
        ),
        filter: format!(
            "table ip kinstall\n\
             delete table ip kinstall\n\
             table ip kinstall {{\n\
             \tchain postrouting {{\n\
             \t\ttype nat hook postrouting priority srcnat; policy accept;\n\
             \t\tip saddr {lab} oifname \"{INSIDE}\" masquerade\n\
             \t}}\n\
             }}\n"
        ),
    }
}

/// This computer's rules: they are about the lab's card only. Nothing from outside gets in, and connections learn what
/// packets fit.
pub(super) fn outside(names: &Names, network: Ipv4Net) -> String {
    let Names { interface, table } = names;
    format!(
        "table ip {table} {{\n\
         \tchain forward {{\n\
         \t\ttype filter hook forward priority filter; policy accept;\n\
         \t\toifname \"{interface}\" ct state established,related accept\n\
         \t\toifname \"{interface}\" drop\n\
         \t\tiifname \"{interface}\" tcp flags syn / syn,rst tcp option maxseg size set rt mtu\n\
         \t}}\n\
         \tchain postrouting {{\n\
         \t\ttype nat hook postrouting priority srcnat; policy accept;\n\
         \t\tip saddr {network} oifname != \"{interface}\" masquerade\n\
         \t}}\n\
         }}\n"
    )
}

/// Rules for cards that forward only because of labs. What programs of this computer have opened goes on: answers, and
/// ports that they lead on.
pub(super) fn guard(uplinks: &[String]) -> String {
    let reset = format!("table ip {GUARD}\ndelete table ip {GUARD}\n");
    if uplinks.is_empty() {
        return reset;
    }
    let uplinks = format!("\"{}\"", uplinks.join("\", \""));
    format!(
        "{reset}\
         table ip {GUARD} {{\n\
         \tchain forward {{\n\
         \t\ttype filter hook forward priority filter; policy accept;\n\
         \t\toifname \"kin*\" accept\n\
         \t\tct state established,related accept\n\
         \t\tct status dnat accept\n\
         \t\tiifname {{ {uplinks} }} drop\n\
         \t}}\n\
         }}\n"
    )
}

/// The addresses of this computer and of the lab.
fn ends(network: Ipv4Net) -> (std::net::Ipv4Addr, std::net::Ipv4Addr) {
    let first = u32::from(network.network());
    ((first + 1).into(), (first + 2).into())
}

#[cfg(test)]
mod tests {
    use super::{Names, cards, guard, inside, outside};

    #[test]
    fn what_a_lab_gets() {
        let names = Names::of("4f2a91c0");
        assert!(names.interface.len() < 16);
        assert_ne!(names.interface, Names::of("4f2a91c1").interface);
        let network = "10.255.254.0/30".parse().unwrap();
        let inside = inside(network, "192.168.56.0/24".parse().unwrap());
        let parts = [
            cards(&names, network, "/labs/4f2a91c0/network-namespace"),
            inside.addresses,
            inside.filter,
            outside(&names, network),
            guard(&["eth0".to_owned(), "wlan0".to_owned()]),
            guard(&[]),
        ];
        insta::assert_snapshot!(parts.join("--\n"));
    }
}
