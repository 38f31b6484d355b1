//! Where hosts are, and how they are reached.

use std::collections::BTreeMap;

use kinstall::model::{ClusterSpec, ReportedAddresses};

use super::{REST, errors, host, load, messages, one, spec};

#[test]
fn a_blank_address_is_an_error_and_no_host_vanishes() {
    for value in [
        "",
        "''",
        "\"\"",
        "'  '",
        "~",
        "null",
        "\"{{ nothing | default('') }}\"",
    ] {
        for name in ["ip", "access_ip", "ansible_host"] {
            let text = format!(
                "all:\n  hosts:\n    n1: {{ip: 10.0.0.1}}\n    n2:\n      {name}: {value}\n  children:\n    \
                 kube_control_plane: {{hosts: {{n1: }}}}\n    kube_node: {{hosts: {{n1: , n2: }}}}\n"
            );
            assert_eq!(
                errors(&[("hosts.yaml", &text)]),
                format!("`{name}` of `n2` has no value"),
                "{name}: {value}"
            );
        }
    }
    let text = "all:\n  hosts:\n    n1: {ansible_host: , ip: }\n  children:\n    \
                kube_control_plane: {hosts: {n1: }}\n    kube_node: {hosts: {n1: }}\n";
    assert_eq!(
        errors(&[("hosts.yaml", text)]),
        "`ip` of `n1` has no value\n`ansible_host` of `n1` has no value"
    );
}

#[test]
fn addresses_and_connections_are_kubesprays() {
    for (line, expected) in [
        (
            "n1 ip=10.0.0.11",
            "10.0.0.11 10.0.0.11 n1:22 else 10.0.0.11",
        ),
        (
            "n1 ansible_host=n1.example.com ip=10.0.0.11",
            "10.0.0.11 10.0.0.11 n1.example.com:22",
        ),
        ("n1 ansible_host=203.0.113.10", "? ? 203.0.113.10:22"),
        (
            "n1 ansible_host=203.0.113.10 access_ip=203.0.113.10",
            "? 203.0.113.10 203.0.113.10:22",
        ),
        (
            "n1 ansible_host=10.0.0.11",
            "10.0.0.11 10.0.0.11 10.0.0.11:22",
        ),
        (
            "n1 ansible_host=100.64.0.7",
            "100.64.0.7 100.64.0.7 100.64.0.7:22",
        ),
        ("n1 ansible_host=127.0.0.1", "? ? 127.0.0.1:22"),
        ("n1 ansible_host=n1.example.com", "? ? n1.example.com:22"),
        (
            "n1 ansible_host=root@n1.example.com",
            "? ? root@n1.example.com:22",
        ),
        (
            "n1 ansible_host=root@10.0.0.11",
            "10.0.0.11 10.0.0.11 root@10.0.0.11:22",
        ),
        (
            "n1 ansible_host=root@n1.lab ansible_user=me",
            "? ? me@n1.lab:22",
        ),
        ("n1", "? ? n1:22"),
        ("n1:2222", "? ? n1:2222"),
        (
            "n1 ip=10.0.0.11 access_ip=203.0.113.10",
            "10.0.0.11 203.0.113.10 n1:22 else 10.0.0.11",
        ),
        (
            "n1 ansible_connection=local ansible_host=10.0.0.11 ip=10.0.0.11",
            "10.0.0.11 10.0.0.11 local",
        ),
        ("n1 ansible_connection=local", "? ? local"),
        ("n1 ansible_connection=ansible.builtin.local", "? ? local"),
    ] {
        assert_eq!(one(line), expected, "{line}");
    }
    let direct = "[kube_control_plane]\nn1 ansible_connection=local\n[kube_node]\nn1\n";
    assert_eq!(host(&spec(&[("hosts.ini", direct)]).hosts[0]), "? ? local");
}

#[test]
fn the_access_address_is_how_others_reach_the_control_plane() {
    let text = format!("[all]\nn1 ip=10.0.0.11 access_ip=203.0.113.10\n{REST}");
    let variables = "loadbalancer_apiserver_localhost: false\n";
    let cluster = spec(&[("inventory.ini", &text), ("group_vars/all.yml", variables)]);
    assert_eq!(cluster.control_plane.endpoint_host, "203.0.113.10");
}

/// Asks hosts of an inventory that say they have these addresses, the first on the default route.
fn asked(text: &str, answers: &[(&str, &[&str])]) -> Result<ClusterSpec, String> {
    let reported: BTreeMap<String, ReportedAddresses> = answers
        .iter()
        .map(|(name, addresses)| {
            let all: Vec<_> = addresses.iter().map(|it| it.parse().unwrap()).collect();
            let default = all.first().copied();
            ((*name).to_owned(), ReportedAddresses { all, default })
        })
        .collect();
    let cluster = spec(&[("inventory.ini", text)]);
    cluster
        .with_reported(&reported)
        .map_err(|errors| messages(&errors))
}

#[test]
fn a_host_without_an_address_is_asked_for_it() {
    for (line, addresses, expected) in [
        (
            "n1 ansible_host=203.0.113.10",
            &["10.128.0.2", "127.0.0.1"][..],
            "10.128.0.2",
        ),
        (
            "n1 ansible_host=n1.example.com",
            &["10.128.0.2"],
            "10.128.0.2",
        ),
        ("n1 ansible_connection=local", &["10.128.0.2"], "10.128.0.2"),
        // A lab of Vagrant: the default route is the same on all machines, the address to connect to isn't.
        (
            "n1 ansible_host=192.168.56.11",
            &["10.0.2.15", "192.168.56.11"],
            "192.168.56.11",
        ),
        // An address before the host that only looks like its own.
        ("n1 ansible_host=192.168.1.7", &["10.0.0.5"], "10.0.0.5"),
        ("n1 ip=10.0.0.11", &["10.0.2.15", "10.0.0.11"], "10.0.0.11"),
    ] {
        let text = format!("[all]\n{line}\n{REST}");
        let cluster = asked(&text, &[("n1", addresses)]).unwrap();
        let found = cluster.hosts[0].address.unwrap().to_string();
        assert_eq!(found, expected, "{line}");
        assert_eq!(
            cluster.api_servers(),
            [format!("{expected}:6443")],
            "{line}"
        );
        assert!(
            cluster
                .network
                .node_cidr
                .contains(&cluster.hosts[0].address.unwrap()),
            "{line}"
        );
    }
}

#[test]
fn what_hosts_say_is_held_against_the_inventory() {
    let two = "[all]\nn1 ansible_host=203.0.113.10\nn2 ansible_host=203.0.113.11\n[kube_control_plane]\nn1\n\
               [kube_node]\nn2\n";
    assert_eq!(
        asked(two, &[("n1", &["10.0.2.15"]), ("n2", &["10.0.2.15"])]).unwrap_err(),
        "`n1` and `n2` have the same address 10.0.2.15"
    );
    assert!(
        asked(two, &[("n1", &["10.233.64.7"]), ("n2", &["10.0.0.2"])])
            .unwrap_err()
            .contains("pod network 10.233.64.0/18 holds the address 10.233.64.7 of `n1`")
    );
    let given = format!("[all]\nn1 ip=203.0.113.10\n{REST}");
    assert_eq!(
        asked(&given, &[("n1", &["10.0.0.5"])]).unwrap_err(),
        "`n1` doesn't have the address 203.0.113.10"
    );
}

#[test]
fn one_machine_with_two_names_is_no_two_nodes() {
    for (first, second) in [
        ("n1 ip=10.0.0.5", "n2 ip=192.168.1.5"),
        ("n1 ansible_host=n1.example.com", "n2 ip=192.168.1.5"),
        ("n1 ip=192.168.1.5", "n2 ansible_host=203.0.113.10"),
    ] {
        let two = format!("[all]\n{first}\n{second}\n[kube_control_plane]\nn1\n[kube_node]\nn2\n");
        let both = ["10.0.0.5", "192.168.1.5"];
        assert_eq!(
            asked(&two, &[("n1", &both), ("n2", &both)]).unwrap_err(),
            "`n1` and `n2` are the same machine",
            "{first}, {second}"
        );
        // What machines have behind a bridge or a NAT of their own is not their address as a node.
        let own = |address: &'static str| [address, "172.17.0.1", "10.0.2.15"];
        let (one, other) = if first.contains("192.168.1.5") {
            ("192.168.1.5", "10.0.0.6")
        } else {
            ("10.0.0.5", "192.168.1.5")
        };
        asked(&two, &[("n1", &own(one)), ("n2", &own(other))]).unwrap();
    }
}

#[test]
fn machines_of_kinstalls_own_need_an_address() {
    let text = format!("[all]\nn1\n[all:vars]\nkinstall_provider=qemu\n{REST}");
    assert_eq!(
        errors(&[("inventory.ini", &text)]),
        "host `n1` has no address"
    );
}

#[test]
fn a_load_balancer_has_an_address_or_a_name() {
    let endpoint = |variables: &str| {
        let text = format!("[all]\nn1 ip=10.0.0.11\n{REST}");
        let loaded = load(&[("inventory.ini", &text), ("group_vars/all.yml", variables)]);
        match loaded {
            Ok(loaded) => {
                let control_plane = loaded.cluster.control_plane;
                format!(
                    "{}:{}",
                    control_plane.endpoint_host, control_plane.endpoint_port
                )
            }
            Err(errors) => messages(&errors),
        }
    };
    let name = "apiserver_loadbalancer_domain_name: lb.example.com\n";
    let nowhere = "the load balancer of the API servers has neither an address nor a name";
    for (variables, expected) in [
        (
            "loadbalancer_apiserver: {port: 443}\n",
            "lb.example.com:443",
        ),
        (
            "loadbalancer_apiserver: {address: , port: 443}\n",
            "lb.example.com:443",
        ),
        (
            "loadbalancer_apiserver: {address: '', port: 443}\n",
            "lb.example.com:443",
        ),
        (
            "loadbalancer_apiserver: {address: 10.0.0.5, port: 443}\n",
            "10.0.0.5:443",
        ),
        (
            "loadbalancer_apiserver: {address: 10.0.0.5}\n",
            "10.0.0.5:6443",
        ),
        (
            "loadbalancer_apiserver: {address: 10.0.0.5, port: }\n",
            "10.0.0.5:6443",
        ),
        (
            "loadbalancer_apiserver_localhost: false\n",
            "10.0.0.11:6443",
        ),
    ] {
        assert_eq!(
            endpoint(&format!("{name}{variables}")),
            expected,
            "{variables}"
        );
    }
    for (variables, expected) in [
        ("loadbalancer_apiserver: {port: 443}\n", nowhere),
        ("loadbalancer_apiserver: {address: , port: 443}\n", nowhere),
        (
            "loadbalancer_apiserver: 10.0.0.5\n",
            "`loadbalancer_apiserver` must be a mapping with `address` and `port`, not `10.0.0.5`",
        ),
    ] {
        assert_eq!(endpoint(variables), expected, "{variables}");
    }
}
