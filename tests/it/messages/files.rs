//! Files that can't be read as what they are.

use super::{GOOD, messages, with_variables};

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
    warning: key `kube_version` stands twice in the same mapping
     --> group_vars/all.yml:2:1
      |
    2 | kube_version: 1.36.0
      | ^^^^^^^^^^^^ this one counts, as in Ansible
      |
      = hint: remove the first one, in line 1, or this one
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

    error: a host line has a word that is no variable
     --> inventory.ini:8:7
      |
    8 | node1 ip = 192.168.56.21
      |       ^^ expected key=value
      |
      = hint: one host per line; no spaces around `=` on host lines; values with spaces in quotes
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
fn expressions_that_are_needed() {
    insta::assert_snapshot!(
        with_variables("node_domain: \"{{ lookup('file', 'DOMAIN') }}\"\ndns_domain: \"{{ missing }}\"\nkube_version: \"{{ a }}\"\na: \"{{ kube_version }}\"\n"),
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

        error: kinstall can't evaluate the expression `lookup('file', 'DOMAIN')`
         --> group_vars/all.yml:1:14
          |
        1 | node_domain: "{{ lookup('file', 'DOMAIN') }}"
          |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ needed here
          |
          = hint: write the value itself; kinstall resolves `{{ name }}`, `{{ hostvars['host']['name'] }}`, `{{ lookup('env', 'NAME') }}` and `{{ … | default('x') }}`
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
     |
     = hint: name the host in the inventory, or remove the file
    ");
}

#[test]
fn encrypted_files_and_values() {
    insta::assert_snapshot!(messages(&[
        ("inventory.ini", GOOD),
        ("group_vars/all.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
    ]), @r"
    warning: group_vars/all.yml is encrypted with ansible-vault, so its variables are not known
     --> group_vars/all.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^ left out
      |
      = hint: name the file that holds the password: `--vault-password-file FILE`
    ");
    insta::assert_snapshot!(
        with_variables("ansible_become_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"),
        @r"
    error: a value is encrypted with ansible-vault: kinstall has no password for it
     --> group_vars/all.yml:2:3
      |
    2 | /   $ANSIBLE_VAULT;1.1;AES256
    3 | |   6162
      | |_______^ encrypted
      |
      = hint: name the file that holds the password: `--vault-password-file FILE`
      = hint: kinstall needs `ansible_become_password`
    "
    );
}
