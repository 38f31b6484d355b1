//! Values that can't be what they stand for.

use super::{GOOD, messages, with_variables};

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
      = hint: only lower-case letters, digits, `-` and `.`; `cluster_name` is the domain of services as well where there is no `dns_domain`: set `dns_domain: ite.local`

    error: `Master_1` is not a valid name for a Kubernetes node
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

    error: `ansible_ssh_common_args` can't be followed: the ProxyCommand `nc -X 5 %h %p` is not of the form `ssh -W %h:%p [user@]host` or `ssh [user@]host nc %h %p`
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

    error: unknown provider `contianer`
     --> group_vars/all.yml:1:20
      |
    1 | kinstall_provider: contianer
      |                    ^^^^^^^^^ not valid
      |
      = hint: did you mean `container`?

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

    error: `kube_version` is not a version: `newest`
     --> group_vars/all.yml:2:15
      |
    2 | kube_version: newest
      |               ^^^^^^ must have two or three parts
      |
      = hint: write it like `1.37.2`, or like `1.37` for the newest patch release of the bundle
    ");
}

#[test]
fn a_cluster_has_one_value() {
    insta::assert_snapshot!(messages(&[
        ("inventory.ini", GOOD),
        ("group_vars/kube-master.yml", "kube_pods_subnet: 10.1.0.0/16\n"),
        ("group_vars/kube_node.yml", "kube_pods_subnet: 10.2.0.0/16\n"),
    ]), @r"
    error: `kube_pods_subnet` differs between `node1` and `controll-plane`
     --> group_vars/kube_node.yml:1:19
      |
    1 | kube_pods_subnet: 10.2.0.0/16
      |                   ^^^^^^^^^^^ the other value
      |
      = hint: one cluster has one value: set it once, for the group `all`
    ");
}

#[test]
fn volumes_that_can_not_be() {
    insta::assert_snapshot!(with_variables(
        "local_path_provisioner_enabled: maybe\n\
         local_path_provisioner_namespace: My_Volumes\n\
         local_path_provisioner_storage_class: disk!\n\
         local_path_provisioner_reclaim_policy: Recycle\n\
         local_path_provisioner_claim_root: /opt/../..\n"
    ));
}

#[test]
fn a_port_that_can_not_be() {
    let told = with_variables("registry_enabled: true\nregistry_port: 70000\n");
    assert!(
        told.contains("`registry_port` can't be `70000`") && told.contains("write a port: `5000`"),
        "{told}"
    );
}

#[test]
fn registries_that_can_not_be_asked() {
    insta::assert_snapshot!(with_variables(
        "\
kinstall_provider: container
containerd_registries_mirrors:
  - { mirrors: [] }
  - { prefix: 'docker.io/library', mirrors: [] }
  - prefix: ../../ssl
  - prefix: quay.io
    blocked: true
    mirrors:
      - { host: 'https://a b' }
      - { host: 'https://quay.example.com', capabilities: [fetch], ca: own.pem, header: {x: y} }
      - { host: 'https://login.example.com', auth: { password: geheim } }
docker_insecure_registries: [10.0.0.0/8]
containerd_registry_auth:
  - { username: me, password: geheim }
"
    ));
}

#[test]
fn proxies_that_can_not_be_asked_are_named_without_their_password() {
    insta::assert_snapshot!(with_variables(
        "\
kinstall_provider: container
http_proxy: 'http://me:geheim @10.0.0.1:3128'
https_proxy: http://10.0.0.1:3128
additional_no_proxy: ['a.example.com,$b']
"
    ));
}
