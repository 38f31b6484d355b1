//! Hosts, groups and networks that don't fit together.

use super::{GOOD, messages, spoiled, with_variables};

#[test]
fn the_good_inventory_is_good() {
    assert_eq!(spoiled("[all]", "[all]"), "");
}

#[test]
fn unknown_group_member() {
    insta::assert_snapshot!(spoiled("[kube-node]\nnode1\nnode2", "[kube-node]\nnode1\nnode3"), @r"
    error: group `kube_node` has the unknown member `node3`
      --> inventory.ini:14:1
       |
    14 | node3
       | ^^^^^ no host line defines it
       |
       = hint: did you mean `node1`?
       = hint: to add the host, write `node3 ansible_host=ADDRESS ip=ADDRESS` in `[all]`

    warning: `node2` is not part of the cluster
     --> inventory.ini:3:1
      |
    3 | node2 ansible_host=192.168.56.22 ip=192.168.56.22
      | ^^^^^ in no role group
      |
      = hint: add it to `[kube_node]` or `[kube_control_plane]` to make it a node
    ");
}

#[test]
fn unknown_group_member_where_hosts_stand_in_their_groups() {
    insta::assert_snapshot!(messages(&[("inventory.ini", "\
[kube_control_plane]
alpha ansible_host=10.0.0.1

[kube_node]
beta ansible_host=10.0.0.2
gamma

[etcd]
alpah
")]), @r"
    error: group `etcd` has the unknown member `alpah`
     --> inventory.ini:9:1
      |
    9 | alpah
      | ^^^^^ no host line defines it
      |
      = hint: did you mean `alpha`?
      = hint: to add the host, write `alpah ansible_host=ADDRESS ip=ADDRESS` in `[all]`
    ");
}

#[test]
fn host_without_an_address() {
    insta::assert_snapshot!(messages(&[("inventory.ini", "\
[kube_control_plane]
alpha.example.com

[kube_node]
beta.example.com ansible_host=beta

[all:vars]
kinstall_provider=qemu
")]), @r"
    error: host `alpha.example.com` has no address
     --> inventory.ini:2:1
      |
    2 | alpha.example.com
      | ^^^^^^^^^^^^^^^^^ where is it?
      |
      = hint: a machine that kinstall makes gets its address from the inventory: write `alpha.example.com ip=ADDRESS`

    error: host `beta.example.com` has no address
     --> inventory.ini:5:1
      |
    5 | beta.example.com ansible_host=beta
      | ^^^^^^^^^^^^^^^^ where is it?
      |
      = hint: a machine that kinstall makes gets its address from the inventory: write `beta.example.com ip=ADDRESS`
    ");
}

#[test]
fn unknown_child_group() {
    insta::assert_snapshot!(spoiled("kube-master\nkube-node\n", "kube-master\nkube-nodes\n"), @r"
    error: group `k8s_cluster` has the unknown child `kube-nodes`
      --> inventory.ini:18:1
       |
    18 | kube-nodes
       | ^^^^^^^^^^ no such group
       |
       = hint: did you mean `kube-node`?
    ");
}

#[test]
fn duplicate_address() {
    insta::assert_snapshot!(spoiled("ip=192.168.56.22", "ip=192.168.56.21"), @r"
    error: `node1` and `node2` have the same address 192.168.56.21
     --> inventory.ini:3:37
      |
    3 | node2 ansible_host=192.168.56.22 ip=192.168.56.21
      |                                     ^^^^^^^^^^^^^ second time
      |
      = hint: the first time is inventory.ini:2; every node needs an address of its own
    ");
}

#[test]
fn address_out_of_range() {
    insta::assert_snapshot!(
        messages(&[("inventory.ini", &GOOD.replace("ip=192.168.56.22", "ip=192.168.56.322").replace("ip=192.168.56.21", "ip=255.255.255.255"))]),
        @r"
    error: `node1` can't have the address 255.255.255.255
     --> inventory.ini:2:37
      |
    2 | node1 ansible_host=192.168.56.21 ip=255.255.255.255
      |                                     ^^^^^^^^^^^^^^^ out of the range of host addresses
      |
      = hint: give the address that the other nodes reach it at

    error: `ip` of `node2` is not an IP address: `192.168.56.322`
     --> inventory.ini:3:37
      |
    3 | node2 ansible_host=192.168.56.22 ip=192.168.56.322
      |                                     ^^^^^^^^^^^^^^ 322 is out of range: each part is 0 to 255
      |
      = hint: write an address such as 192.168.56.21
    "
    );
}

#[test]
fn an_address_that_other_nodes_cannot_reach_is_refused() {
    for address in ["127.0.0.1", "0.0.0.0", "224.0.0.1", "::1"] {
        let inventory = GOOD.replace("ip=192.168.56.22", &format!("ip={address}"));
        let said = messages(&[("inventory.ini", &inventory)]);
        let expected = format!("error: `node2` can't have the address {address}");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn another_container_runtime_is_said() {
    let said = with_variables("container_manager: docker\n");
    let expected = "kinstall installs containerd instead of `docker`";
    assert!(said.contains(expected), "{said}");
    assert_eq!(with_variables("container_manager: containerd\n"), "");
}

#[test]
fn overlapping_networks() {
    insta::assert_snapshot!(
        with_variables("kube_pods_subnet: 10.233.0.0/16\nkube_service_addresses: 192.168.56.0/24\n"),
        @r"
    error: service network 192.168.56.0/24 holds the address 192.168.56.21 of `node1`
     --> group_vars/all.yml:2:25
      |
    2 | kube_service_addresses: 192.168.56.0/24
      |                         ^^^^^^^^^^^^^^^ must be apart from the nodes
      |
      = hint: set `kube_service_addresses` to a private network that nothing else uses
    "
    );
    insta::assert_snapshot!(with_variables("kube_pods_subnet: 10.233.0.0/16\n"), @r"
    error: pod network 10.233.0.0/16 and service network 10.233.0.0/18 overlap
     --> group_vars/all.yml:1:19
      |
    1 | kube_pods_subnet: 10.233.0.0/16
      |                   ^^^^^^^^^^^^^ must be apart
      |
      = hint: set `kube_pods_subnet` and `kube_service_addresses` to networks that share no address
    ");
}

#[test]
fn pod_network_too_small() {
    insta::assert_snapshot!(with_variables("kube_pods_subnet: 10.1.0.0/23\n"), @r"
    error: pod network 10.1.0.0/23 has room for 2 nodes of /24, not for 3
     --> group_vars/all.yml:1:19
      |
    1 | kube_pods_subnet: 10.1.0.0/23
      |                   ^^^^^^^^^^^ too small
      |
      = hint: choose a larger `kube_pods_subnet` or a longer `kube_network_node_prefix`
    ");
}

#[test]
fn metallb_range_with_a_node() {
    insta::assert_snapshot!(
        with_variables("metallb_enabled: true\nmetallb_ip_range:\n  - 192.168.56.11-192.168.56.21\n"),
        @r"
    error: MetalLB range 192.168.56.11-192.168.56.21 holds the address of `node1`, `controll-plane`
     --> group_vars/all.yml:3:5
      |
    3 |   - 192.168.56.11-192.168.56.21
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^ must be free addresses
      |
      = hint: a service would take the node's address away: choose a range without nodes
    "
    );
}

#[test]
fn metallb_range_outside_reversed_and_missing() {
    insta::assert_snapshot!(
        with_variables("metallb_enabled: true\nmetallb_ip_range: [10.1.0.1-10.1.0.9]\n"),
        @r"
    warning: MetalLB range 10.1.0.1-10.1.0.9 lies outside the node network 192.168.56.0/24
     --> group_vars/all.yml:2:20
      |
    2 | metallb_ip_range: [10.1.0.1-10.1.0.9]
      |                    ^^^^^^^^^^^^^^^^^ reachable only with a route
      |
      = hint: in layer 2 mode, choose free addresses of the node network
    "
    );
    insta::assert_snapshot!(
        with_variables("metallb_enabled: true\nmetallb_ip_range: 192.168.56.9-192.168.56.8\nmetallb_protocol: bgp\n"),
        @r"
    error: MetalLB's BGP mode is not supported
     --> group_vars/all.yml:3:19
      |
    3 | metallb_protocol: bgp
      |                   ^^^ must be layer2
      |
      = hint: use layer2, which needs no router; the pool must be free addresses of the node network

    error: `metallb_ip_range` holds a range that ends before it begins
     --> group_vars/all.yml:2:19
      |
    2 | metallb_ip_range: 192.168.56.9-192.168.56.8
      |                   ^^^^^^^^^^^^^^^^^^^^^^^^^ the first address is the higher one
      |
      = hint: write `192.168.56.8-192.168.56.9`
    "
    );
    insta::assert_snapshot!(with_variables("metallb_enabled: true\n"), @r#"
    error: MetalLB has no addresses to give away
     --> group_vars/all.yml:1:18
      |
    1 | metallb_enabled: true
      |                  ^^^^ enabled here
      |
      = hint: set `metallb_ip_range: ["192.168.56.50-192.168.56.99"]` with free addresses of the node network
    "#);
}

#[test]
fn empty_control_plane() {
    insta::assert_snapshot!(spoiled("[kube-master]\ncontroll-plane", "[kube-master]"), @r"
    error: the cluster has no control plane
     --> inventory.ini:6:2
      |
    6 | [kube-master]
      |  ^^^^^^^^^^^ no hosts
      |
      = hint: add a host to `[kube_control_plane]` (or `[kube-master]`)
    ");
    insta::assert_snapshot!(
        messages(&[("inventory.ini", "[kube_masters]\na ip=10.0.0.1\n[kube_node]\na\n")]),
        @r"
    error: the cluster has no control plane
     --> inventory.ini:1:2
      |
    1 | [kube_masters]
      |  ^^^^^^^^^^^^ not a group that kinstall knows
      |
      = hint: did you mean `kube_control_plane`?
    "
    );
}

#[test]
fn even_etcd_count() {
    insta::assert_snapshot!(
        messages(&[("inventory.ini", &GOOD.replace("[kube-master]\n", "[kube-master]\nnode1\n").replace("[etcd]\n", "[etcd]\nnode1\n"))]),
        @r"
    warning: etcd has an even number of members: 2
      --> inventory.ini:10:2
       |
    10 | [etcd]
       |  ^^^^ 2 control planes run etcd
       |
       = hint: the cluster survives the loss of 0 of them, as it would with 1: add or remove a control plane
    "
    );
}

#[test]
fn several_control_planes_without_a_common_endpoint() {
    insta::assert_snapshot!(
        messages(&[
            ("inventory.ini", &GOOD.replace("[kube-master]\n", "[kube-master]\nnode1\nnode2\n").replace("[etcd]\n", "[etcd]\nnode1\nnode2\n")),
            ("group_vars/all.yml", "loadbalancer_apiserver_localhost: false\n"),
        ]),
        @r"
    warning: all nodes reach the API at the first of 3 control planes, `node1`
     --> inventory.ini:2:1
      |
    2 | node1 ansible_host=192.168.56.21 ip=192.168.56.21
      | ^^^^^ the cluster depends on this one
      |
      = hint: leave out `loadbalancer_apiserver_localhost: false`, or put a load balancer before them: `loadbalancer_apiserver: {address: …, port: 6443}`
    "
    );
}

#[test]
fn a_host_that_only_runs_etcd_and_a_host_of_no_role() {
    insta::assert_snapshot!(
        messages(&[("inventory.ini", &GOOD.replace("[all]\n", "[all]\nstore ip=192.168.56.30\nprinter ip=192.168.56.31\n").replace("[etcd]\n", "[etcd]\nstore\n"))]),
        @r"
    warning: etcd has an even number of members: 2
      --> inventory.ini:11:2
       |
    11 | [etcd]
       |  ^^^^ 2 hosts run etcd
       |
       = hint: the cluster survives the loss of 0 of them, as it would with 1: add or remove a host of `[etcd]`

    warning: `printer` is not part of the cluster
     --> inventory.ini:3:1
      |
    3 | printer ip=192.168.56.31
      | ^^^^^^^ in no role group
      |
      = hint: add it to `[kube_node]` or `[kube_control_plane]` to make it a node
    "
    );
}

#[test]
fn a_folder_for_etcds_data() {
    let with_folder = |inventory: &str, folder: &str| {
        let variables = format!("etcd_data_dir: {folder}\n");
        let said = messages(&[
            ("inventory.ini", inventory),
            ("group_vars/all.yml", &variables),
        ]);
        said.trim_end().to_owned()
    };
    let on_hosts = GOOD.replace("[etcd]\n", "[etcd]\nnode1\nnode2\n");
    let said = [
        // kubespray's default, and a good one.
        with_folder(&on_hosts, "/var/lib/etcd"),
        with_folder(&on_hosts, "/srv/etcd"),
        with_folder(&on_hosts, "/var/lib/etcd/data"),
        with_folder(&on_hosts, "data"),
        with_folder(GOOD, "/srv/etcd"),
    ];
    insta::assert_snapshot!(said.join("\n----\n"));
}

#[test]
fn typing_error_in_a_variable() {
    insta::assert_snapshot!(
        with_variables("metalbl_enabled: true\nkube_pods_subent: 10.1.0.0/16\njellyfin_path: /srv\n"),
        @r"
    warning: unknown variable `metalbl_enabled`
     --> group_vars/all.yml:1:1
      |
    1 | metalbl_enabled: true
      | ^^^^^^^^^^^^^^^ has no effect
      |
      = hint: did you mean `metallb_enabled`?

    warning: unknown variable `kube_pods_subent`
     --> group_vars/all.yml:2:1
      |
    2 | kube_pods_subent: 10.1.0.0/16
      | ^^^^^^^^^^^^^^^^ has no effect
      |
      = hint: did you mean `kube_pods_subnet`?

    warning: kinstall doesn't know the variable `jellyfin_path`; it has no effect
     --> group_vars/all.yml:3:1
      |
    3 | jellyfin_path: /srv
      | ^^^^^^^^^^^^^ no effect
    "
    );
}
