//! Machine settings by other tools' names, and what is said about them.

use kinstall::model;

use super::{GOOD, messages, with_variables, written};

/// Returns what the first host's machine is to be, with these variables of all hosts.
fn machine(variables: &str) -> String {
    let folder = written(&[("inventory.ini", GOOD), ("group_vars/all.yml", variables)]);
    let (spec, _) = model::load(&folder.path().join("inventory.ini")).unwrap();
    let (machine, all) = (&spec.hosts[0].machine, &spec.machines);
    format!(
        "{} {} {} {} {:?} {:?}",
        machine.cpus, machine.memory_mib, machine.disk_gib, machine.image, all.time_zone, all.proxy
    )
}

#[test]
fn settings_are_understood_by_other_tools_names() {
    let plain = "2 2048 20 debian-13 None None";
    for (variables, expected) in [
        ("", plain),
        ("vm_cpus: 3", "3 2048 20 debian-13 None None"),
        ("vm_cpu: 3", "3 2048 20 debian-13 None None"),
        ("vm_vcpus: 3", "3 2048 20 debian-13 None None"),
        ("vm_cores: 3", "3 2048 20 debian-13 None None"),
        ("cpus: 3", "3 2048 20 debian-13 None None"),
        ("vm_memory: 4096", "2 4096 20 debian-13 None None"),
        ("vm_memory_mb: 4096", "2 4096 20 debian-13 None None"),
        ("vm_mem: 4096", "2 4096 20 debian-13 None None"),
        ("vm_ram: 4G", "2 4096 20 debian-13 None None"),
        ("memory: 4096", "2 4096 20 debian-13 None None"),
        ("vm_disk_size: 30G", "2 2048 30 debian-13 None None"),
        ("vm_disk: 30", "2 2048 30 debian-13 None None"),
        ("vm_disk_gb: 30", "2 2048 30 debian-13 None None"),
        ("vagrant_box: a/b", "2 2048 20 a/b None None"),
        ("vm_box: a/b", "2 2048 20 a/b None None"),
        ("ntp_timezone: Z", r#"2 2048 20 debian-13 Some("Z") None"#),
        ("timezone: Z", r#"2 2048 20 debian-13 Some("Z") None"#),
        ("http_proxy: P", r#"2 2048 20 debian-13 None Some("P")"#),
        ("https_proxy: P", r#"2 2048 20 debian-13 None Some("P")"#),
        // kinstall's own names come first.
        (
            "memory: 4096\nmachine_memory: 64",
            "2 64 20 debian-13 None None",
        ),
        (
            "timezone: Z\nmachine_time_zone: W",
            r#"2 2048 20 debian-13 Some("W") None"#,
        ),
        (
            "http_proxy: P\nmachine_proxy: Q",
            r#"2 2048 20 debian-13 None Some("Q")"#,
        ),
        // These count another unit, or mean something else.
        ("memory: 4\nvm_disk: 20480\nvm_cpu: host", plain),
        (
            "vm_disk: /dev/vda\nvm_memory: \"{{ lookup('env', 'M') }}\"",
            plain,
        ),
    ] {
        assert_eq!(machine(variables), expected, "{variables}");
    }
}

#[test]
fn other_tools_values_are_no_errors() {
    insta::assert_snapshot!(messages(&[
        ("inventory.ini", GOOD),
        ("group_vars/all.yml", "\
kinstall_provider: virtualbox
memory: 4
vm_disk: local-lvm:20
http_proxy: \"{{ lookup('file', 'proxy') }}\"
"),
        ("host_vars/node1.yml", "timezone: Europe/Berlin\n"),
        ("host_vars/node2.yml", "timezone: Europe/Paris\n"),
    ]), @r#"
    warning: `memory` must be a size in MiB such as 2048, or with a unit such as 2G, not `4`
     --> group_vars/all.yml:2:9
      |
    2 | memory: 4
      |         ^ expected a size in MiB such as 2048, or with a unit such as 2G
      |
      = hint: kinstall reads it as `machine_memory`; it has no effect in this form

    warning: `vm_disk` must be a size in GiB such as 20, or with a unit such as 20G, not `local-lvm:20`
     --> group_vars/all.yml:3:10
      |
    3 | vm_disk: local-lvm:20
      |          ^^^^^^^^^^^^ expected a size in GiB such as 20, or with a unit such as 20G
      |
      = hint: kinstall reads it as `machine_disk`; it has no effect in this form

    warning: kinstall can't evaluate the expression `lookup('file', 'proxy')`
     --> group_vars/all.yml:4:13
      |
    4 | http_proxy: "{{ lookup('file', 'proxy') }}"
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ needed here
      |
      = hint: `http_proxy` has no effect in this form: containerd gets no proxy

    warning: `timezone` differs between `node2` and `node1`
     --> host_vars/node2.yml:1:11
      |
    1 | timezone: Europe/Paris
      |           ^^^^^^^^^^^^ the other value
      |
      = hint: kinstall reads it as `machine_time_zone`; all machines get the first value
    "#);
}

#[test]
fn a_time_zone_is_for_virtual_machines_that_kinstall_makes() {
    insta::assert_snapshot!(with_variables("\
kinstall_provider: existing
ntp_timezone: Europe/Berlin
http_proxy: http://10.0.0.1:3128
https_proxy: http://10.0.0.1:3128
no_proxy: 10.0.0.0/8
"), @r"
    warning: `ntp_timezone` is only for virtual machines that kinstall makes
     --> group_vars/all.yml:2:15
      |
    2 | ntp_timezone: Europe/Berlin
      |               ^^^^^^^^^^^^^ no effect on others
      |
      = hint: other hosts keep their time zone
    ");
}
