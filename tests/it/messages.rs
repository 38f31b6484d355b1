//! The whole text of the messages for bad input, as the user sees it.

use std::fs;

use kinstall::model;
use kinstall::ui::diagnostic::render;

/// A small right inventory to spoil.
const GOOD: &str = "\
[all]
node1 ansible_host=192.168.56.21 ip=192.168.56.21
node2 ansible_host=192.168.56.22 ip=192.168.56.22
controll-plane ansible_host=192.168.56.11 ip=192.168.56.11

[kube-master]
controll-plane

[etcd]
controll-plane

[kube-node]
node1
node2

[k8s-cluster:children]
kube-master
kube-node
";

/// Returns all messages for an inventory of these files; the first is the inventory itself.
fn messages(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let path = folder.path().join(files[0].0);
    let diagnostics = model::load(&path).map_or_else(|errors| errors, |(_, warnings)| warnings);
    let parts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| render(diagnostic, false))
        .collect();
    parts
        .join("\n\n")
        .replace(&format!("{}/", folder.path().display()), "")
}

/// Returns the messages for the good inventory with one text replaced.
fn spoiled(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    messages(&[("inventory.ini", &GOOD.replacen(from, to, 1))])
}

/// Returns the messages for the good inventory with variables for all hosts.
fn with_variables(text: &str) -> String {
    messages(&[("inventory.ini", GOOD), ("group_vars/all.yml", text)])
}

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

    error: host `gamma` has no address
     --> inventory.ini:6:1
      |
    6 | gamma
      | ^^^^^ where is it?
      |
      = hint: write `gamma ansible_host=ADDRESS ip=ADDRESS`
    ");
}

#[test]
fn host_without_an_address() {
    insta::assert_snapshot!(messages(&[("inventory.ini", "\
[kube_control_plane]
alpha.example.com

[kube_node]
beta.example.com ansible_host=beta
")]), @r"
    error: host `alpha.example.com` has no address
     --> inventory.ini:2:1
      |
    2 | alpha.example.com
      | ^^^^^^^^^^^^^^^^^ where is it?
      |
      = hint: write `alpha.example.com ansible_host=ADDRESS ip=ADDRESS`

    error: `ansible_host` of `beta.example.com` is not an IP address: `beta`
     --> inventory.ini:5:31
      |
    5 | beta.example.com ansible_host=beta
      |                               ^^^^ a name can't tell the node its address
      |
      = hint: add `ip=ADDRESS` to `beta.example.com`; names are fine for `ansible_host` then
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

    warning: all nodes reach the API at the first of 2 control planes, 192.168.56.21
     --> inventory.ini:2:1
      |
    2 | node1 ansible_host=192.168.56.21 ip=192.168.56.21
      | ^^^^^ the cluster depends on this one
      |
      = hint: put a load balancer before them: `loadbalancer_apiserver: {address: …, port: 6443}`
    "
    );
}

#[test]
fn separate_etcd_host_and_a_host_of_no_role() {
    insta::assert_snapshot!(
        messages(&[("inventory.ini", &GOOD.replace("[all]\n", "[all]\nstore ip=192.168.56.30\nprinter ip=192.168.56.31\n").replace("[etcd]\n", "[etcd]\nstore\n"))]),
        @r"
    error: `store` is an etcd member and nothing else
      --> inventory.ini:12:1
       |
    12 | store
       | ^^^^^ separate etcd hosts are not supported
       |
       = hint: kinstall runs etcd on the control planes
       = hint: add the host to `[kube_control_plane]`, or remove it from `[etcd]`

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

    warning: unknown variable `jellyfin_path`
     --> group_vars/all.yml:3:1
      |
    3 | jellyfin_path: /srv
      | ^^^^^^^^^^^^^ has no effect
      |
      = hint: neither kinstall nor kubespray uses it
    "
    );
}

#[test]
fn broken_yaml() {
    insta::assert_snapshot!(with_variables("metallb_enabled: true\nmetallb_ip_range: [192.168.56.50\nip: 3\n"), @r"
    error: broken YAML: illegal placement of ':' indicator
     --> group_vars/all.yml:3:3
      |
    3 | ip: 3
      |   ^ can't be read from here
    ");
    insta::assert_snapshot!(with_variables("a: 1\n  b: 2\n"), @r"
    error: broken YAML: mapping values are not allowed in this context
     --> group_vars/all.yml:2:4
      |
    2 |   b: 2
      |    ^ can't be read from here
    ");
    insta::assert_snapshot!(with_variables("kube_version: 1.37.0\nkube_version: 1.36.0\n"), @r"
    error: key `kube_version` stands twice in the same mapping
     --> group_vars/all.yml:2:1
      |
    2 | kube_version: 1.36.0
      | ^^^^^^^^^^^^ second time
      |
      = hint: remove one of the two
    ");
    insta::assert_snapshot!(with_variables("just text\n"), @r"
    error: variable file holds `just text` instead of variables
     --> group_vars/all.yml:1:1
      |
    1 | just text
      | ^^^^^^^^^ expected `name: value`
    ");
}

#[test]
fn broken_ini() {
    insta::assert_snapshot!(messages(&[("inventory.ini", "\
[all
node1 ip=192.168.56.21
[kube-node:childs]
[kube node]
[kube-mastre:vars]
x = 1
[kube-master]
node1 ip = 192.168.56.21
node2 ip='192.168.56.22
node[3:1]
[kube-master:vars]
ansible_user: me
[k8s-cluster:children]
kube-master node1
")]), @r"
    error: section header isn't closed
     --> inventory.ini:1:1
      |
    1 | [all
      | ^^^^ `]` is missing
      |
      = hint: write `[all]`

    error: section `[kube-node:childs]` has the unknown type `childs`
     --> inventory.ini:3:12
      |
    3 | [kube-node:childs]
      |            ^^^^^^ must be `children`, `vars` or nothing

    error: `kube node` is no group name
     --> inventory.ini:4:2
      |
    4 | [kube node]
      |  ^^^^^^^^^ spaces are not allowed here
      |
      = hint: write `[group]`, `[group:children]` or `[group:vars]`

    error: a host line has a word that is no variable
     --> inventory.ini:8:7
      |
    8 | node1 ip = 192.168.56.21
      |       ^^ expected key=value
      |
      = hint: one host per line; no spaces around `=` on host lines; values with spaces in quotes

    error: a host line has a word that is no variable
     --> inventory.ini:8:12
      |
    8 | node1 ip = 192.168.56.21
      |            ^^^^^^^^^^^^^ expected key=value
      |
      = hint: one host per line; no spaces around `=` on host lines; values with spaces in quotes

    error: quote isn't closed
     --> inventory.ini:9:10
      |
    9 | node2 ip='192.168.56.22
      |          ^^^^^^^^^^^^^^ opened here
      |
      = hint: close it on the same line

    error: host range `node[3:1]` is wrong: `3` comes after `1`
      --> inventory.ini:10:1
       |
    10 | node[3:1]
       | ^^^^^^^^^ can't be expanded

    error: section `[kube-master:vars]` has a line that is no variable
      --> inventory.ini:12:1
       |
    12 | ansible_user: me
       | ^^^^^^^^^^^^^^^^ expected key = value
       |
       = hint: write `ansible_user = …`

    error: `kube-master node1` is no group name
      --> inventory.ini:14:1
       |
    14 | kube-master node1
       | ^^^^^^^^^^^^^^^^^ expected one group name
       |
       = hint: hosts belong into `[k8s-cluster]`, variables into `[k8s-cluster:vars]`

    error: section `[kube-mastre:vars]` sets variables of an unknown group
     --> inventory.ini:5:2
      |
    5 | [kube-mastre:vars]
      |  ^^^^^^^^^^^ no such group
      |
      = hint: did you mean `kube-master`?
    ");
}

#[test]
fn groups_in_a_circle() {
    insta::assert_snapshot!(
        messages(&[("inventory.ini", "[a:children]\nb\n[b:children]\nc\n[c:children]\na\n")]),
        @r"
    error: group `a` contains itself: a -> b -> c -> a
     --> inventory.ini:6:1
      |
    6 | a
      | ^ this closes the circle
      |
      = hint: remove one of these children
    "
    );
}

#[test]
fn broken_yaml_inventory() {
    insta::assert_snapshot!(messages(&[("hosts.yaml", "\
all:
  hosts:
    n[2:1]:
      ip: 10.0.0.1
  childern:
    kube_node:
  extra: 1
  children:
    etcd:
      hosts: [a, b]
")]), @r"
    error: host range `n[2:1]` is wrong: `2` comes after `1`
     --> hosts.yaml:3:5
      |
    3 |     n[2:1]:
      |     ^^^^^^ can't be expanded

    error: group `all` has the unknown key `childern`
     --> hosts.yaml:5:3
      |
    5 |   childern:
      |   ^^^^^^^^ not known here
      |
      = hint: did you mean `children`?

    warning: group `all` has the unknown key `extra`
     --> hosts.yaml:7:3
      |
    7 |   extra: 1
      |   ^^^^^ left out, as Ansible does
      |
      = hint: a group holds `hosts`, `children` and `vars`

    error: a list stands where a mapping should be
      --> hosts.yaml:10:14
       |
    10 |       hosts: [a, b]
       |              ^ expected host names with a colon behind them
    ");
}

#[test]
fn names_that_kubernetes_refuses() {
    insta::assert_snapshot!(messages(&[("inventory.ini", "\
[kube_control_plane]
Master_1 ip=10.0.0.1
[kube_node]
Master_1
[all:vars]
cluster_name=ITE.local
")]), @r"
    error: `ITE.local` is no DNS domain for a cluster
     --> inventory.ini:6:14
      |
    6 | cluster_name=ITE.local
      |              ^^^^^^^^^ not valid
      |
      = hint: only lower-case letters, digits, `-` and `.`: `dns_domain: ite.local`

    error: `Master_1` is no name for a Kubernetes node
     --> inventory.ini:2:1
      |
    2 | Master_1 ip=10.0.0.1
      | ^^^^^^^^ not valid
      |
      = hint: only lower-case letters, digits, `-` and `.`; letter or digit first and last
      = hint: call it `master-1`
    ");
}

#[test]
fn connections_that_cannot_work() {
    insta::assert_snapshot!(messages(&[("inventory.ini", "\
[kube_control_plane]
a ip=10.0.0.1 ansible_connection=local ansible_port=70000 ansible_become_method=su ansible_ssh_pass=geheim
[kube_node]
b ip=10.0.0.2 ansible_ssh_common_args='-o StrictHostKeyChecking=no -o ProxyCommand=\"nc -X 5 %h %p\"'
c ip=10.0.0.3 ansible_password=ab#cd ansible_ssh_common_args='-o StrictHostKeyChecking=no -C'
")]), @r#"
    error: connection `local` is not supported
     --> inventory.ini:2:34
      |
    2 | a ip=10.0.0.1 ansible_connection=local ansible_port=70000 ansible_become_method=su ansible_ssh_pass=******
      |                                  ^^^^^ must be ssh
      |
      = hint: install an SSH server and set `ansible_host=127.0.0.1` and `ip` to the address of the node

    error: `ansible_port` must be a port (1-65535), not `70000`
     --> inventory.ini:2:53
      |
    2 | a ip=10.0.0.1 ansible_connection=local ansible_port=70000 ansible_become_method=su ansible_ssh_pass=******
      |                                                     ^^^^^ expected a port (1-65535)

    error: `ansible_become_method` must be `sudo`, not `su`
     --> inventory.ini:2:81
      |
    2 | a ip=10.0.0.1 ansible_connection=local ansible_port=70000 ansible_become_method=su ansible_ssh_pass=******
      |                                                                                 ^^ not supported
      |
      = hint: remove it

    error: `ansible_ssh_common_args` can't be followed: the ProxyCommand `nc -X 5 %h %p` is not of the form `ssh -W %h:%p [user@]host`
     --> inventory.ini:4:39
      |
    4 | b ip=10.0.0.2 ansible_ssh_common_args='-o StrictHostKeyChecking=no -o ProxyCommand="nc -X 5 %h %p"'
      |                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ OpenSSH options
      |
      = hint: jump hosts are written `-J [user@]host[:port]`

    warning: `#` starts a comment in the middle of a word
     --> inventory.ini:5:34
      |
    5 | c ip=10.0.0.3 ansible_password=***** ansible_ssh_common_args='-o StrictHostKeyChecking=no -C'
      |                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ left out, as Ansible does
      |
      = hint: if it belongs to the value, put the value in quotes
    "#);
}

#[test]
fn wrong_values_are_all_reported() {
    insta::assert_snapshot!(with_variables("\
kinstall_provider: contianer
kube_version: newest
kube_pods_subnet: ten
kube_service_addresses: 10.233.0.7/18
kube_proxy_mode: userspace
enable_nodelocaldns: maybe
upstream_dns_servers: [127.0.0.53]
machine_memory: lots
node_labels: [a]
node_taints: [x]
loadbalancer_apiserver: 10.0.0.1
"), @r"
    error: `node_labels` must be a mapping of names to values, not a list
     --> group_vars/all.yml:9:14
      |
    9 | node_labels: [a]
      |              ^ expected a mapping of names to values

    error: `node_taints` must be a list of key=value:effect, not `x`
      --> group_vars/all.yml:10:15
       |
    10 | node_taints: [x]
       |               ^ expected a list of key=value:effect

    error: `machine_memory` must be a size in MiB such as 2048, or with a unit such as 2G, not `lots`
     --> group_vars/all.yml:8:17
      |
    8 | machine_memory: lots
      |                 ^^^^ expected a size in MiB such as 2048, or with a unit such as 2G

    error: `kube_pods_subnet` must be a network such as 10.233.64.0/18, not `ten`
     --> group_vars/all.yml:3:19
      |
    3 | kube_pods_subnet: ten
      |                   ^^^ expected a network such as 10.233.64.0/18

    error: `kube_service_addresses` is an address inside a network: `10.233.0.7/18`
     --> group_vars/all.yml:4:25
      |
    4 | kube_service_addresses: 10.233.0.7/18
      |                         ^^^^^^^^^^^^^ has bits behind the prefix
      |
      = hint: write `10.233.0.0/18`

    error: `kube_proxy_mode` is unknown: `userspace`
     --> group_vars/all.yml:5:18
      |
    5 | kube_proxy_mode: userspace
      |                  ^^^^^^^^^ must be nftables or iptables
      |
      = hint: remove it to get nftables

    error: `loadbalancer_apiserver` must be a mapping with `address` and `port`, not `10.0.0.1`
      --> group_vars/all.yml:11:25
       |
    11 | loadbalancer_apiserver: 10.0.0.1
       |                         ^^^^^^^^ expected a mapping with `address` and `port`

    error: `kube_version` is no version: `newest`
     --> group_vars/all.yml:2:15
      |
    2 | kube_version: newest
      |               ^^^^^^ must have three parts
      |
      = hint: write it like `1.37.2`

    error: `enable_nodelocaldns` must be true or false, not `maybe`
     --> group_vars/all.yml:6:22
      |
    6 | enable_nodelocaldns: maybe
      |                      ^^^^^ expected true or false

    error: upstream DNS server `127.0.0.53` is the node itself
     --> group_vars/all.yml:7:24
      |
    7 | upstream_dns_servers: [127.0.0.53]
      |                        ^^^^^^^^^^ a loopback address
      |
      = hint: pods would ask themselves in a circle: name a server outside the node

    error: unknown provider `contianer`
     --> group_vars/all.yml:1:20
      |
    1 | kinstall_provider: contianer
      |                    ^^^^^^^^^ not valid
      |
      = hint: did you mean `container`?
    ");
}

#[test]
fn a_cluster_has_one_value() {
    insta::assert_snapshot!(messages(&[
        ("inventory.ini", GOOD),
        ("group_vars/kube-master.yml", "kube_pods_subnet: 10.1.0.0/16\n"),
        ("group_vars/kube_node.yml", "kube_pods_subnet: 10.2.0.0/16\n"),
    ]), @r"
    error: `kube_pods_subnet` is another for `node1` than for `controll-plane`
     --> group_vars/kube_node.yml:1:19
      |
    1 | kube_pods_subnet: 10.2.0.0/16
      |                   ^^^^^^^^^^^ the other value
      |
      = hint: one cluster has one value: set it once, for the group `all`
    ");
}

#[test]
fn expressions_that_are_needed() {
    insta::assert_snapshot!(
        with_variables("node_domain: \"{{ lookup('env', 'DOMAIN') }}\"\ndns_domain: \"{{ missing }}\"\nkube_version: \"{{ a }}\"\na: \"{{ kube_version }}\"\n"),
        @r#"
    error: `missing` is not set for host `controll-plane`
     --> group_vars/all.yml:2:13
      |
    2 | dns_domain: "{{ missing }}"
      |             ^^^^^^^^^^^^^^^ refers to `missing`
      |
      = hint: set `missing`, or write the value itself here
      = hint: kinstall needs `dns_domain`

    error: variables refer to each other in a circle
     --> group_vars/all.yml:4:4
      |
    4 | a: "{{ kube_version }}"
      |    ^^^^^^^^^^^^^^^^^^^^ part of the circle
      |
      = hint: kinstall needs `kube_version`

    error: kinstall can't evaluate the expression `lookup('env', 'DOMAIN')`
     --> group_vars/all.yml:1:14
      |
    1 | node_domain: "{{ lookup('env', 'DOMAIN') }}"
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ needed here
      |
      = hint: write the value itself; kinstall resolves only `{{ name }}` and `{{ name | default('x') }}`
      = hint: kinstall needs `node_domain`
    "#
    );
}

#[test]
fn files_that_are_never_read() {
    insta::assert_snapshot!(messages(&[
        ("inventory.ini", GOOD),
        ("group_vars/all/x.yml", "node_domain: a.example\n"),
        ("group_vars/all.yml", "node_domain: b.example\n"),
        ("group_vars/kube_nodes.yml", "ip: 1\n"),
        ("host_vars/node9.yml", "ip: 1\n"),
    ]), @r"
    warning: group_vars/all.yml is never read
     |
     = hint: group_vars/all comes first, and Ansible takes only one of the two; move the file into that folder

    warning: group_vars/kube_nodes.yml is never read: the inventory has no group `kube_nodes`
     |
     = hint: did you mean `kube_node`?

    warning: host_vars/node9.yml is never read: the inventory has no host `node9`
    ");
}

#[test]
fn encrypted_files_and_values() {
    insta::assert_snapshot!(messages(&[
        ("inventory.ini", GOOD),
        ("group_vars/all.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
    ]), @r"
    error: group_vars/all.yml is encrypted with ansible-vault
     |
     = hint: kinstall can't decrypt it: run `ansible-vault decrypt` on a copy, or leave the file out
    ");
    insta::assert_snapshot!(
        with_variables("ansible_become_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"),
        @r"
    error: `ansible_become_password` is encrypted with ansible-vault
     --> group_vars/all.yml:2:3
      |
    2 | /   $ANSIBLE_VAULT;1.1;AES256
    3 | |   6162
      | |_______^ kinstall can't decrypt this
      |
      = hint: leave it out and let kinstall ask for it, or log in with a key
    "
    );
}
