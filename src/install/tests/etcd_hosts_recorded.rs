//! Etcd on hosts: what `up` writes down of them, and what is refused by it.

use super::Lab;
use super::etcd_hosts::{is_member, lab, recorded, settled};
use crate::install::left_over;
use crate::install::members::{self, Members};
use crate::plan::{etcd_hosts, foreign};
use crate::resource::{CommandState, Sha256};

#[test]
fn a_host_of_etcd_that_the_inventory_lost_is_one_and_can_not_get_another_address() {
    let mut lab = lab();
    let members = recorded(&lab.cluster);
    let host = |lab: &Lab, name: &str| lab.cluster.host(name).unwrap().clone();
    for name in ["node1", "node3", "controll-plane"] {
        let before = host(&lab, name);
        let mut rest = lab.cluster.clone();
        rest.hosts.retain(|it| it.name != name);
        let cluster = members::with(&rest, &members.departed(&rest));
        assert_eq!(cluster.host(name).unwrap().roles, before.roles, "{name}");
    }
    lab.cluster.hosts[0].address = Some("10.0.0.1".parse().unwrap());
    let moved = members.moved_control_planes(&lab.cluster);
    let diagnostic = left_over::moved_control_plane(&moved[0]);
    insta::assert_snapshot!(diagnostic.message, @"host of etcd `node1` can't get the address 10.0.0.1 in place: it is a member of the cluster at 192.168.56.21");
}

/// Its other hosts of etcd would look like workers, which leave without a question to etcd.
#[test]
fn hosts_of_etcd_stay_what_they_are_where_the_inventory_has_etcd_on_its_control_planes() {
    let mut lab = lab();
    let members = recorded(&lab.cluster);
    let refuse = |lab: &Lab| left_over::refuse_etcd_on_control_planes(&members, &lab.cluster);
    refuse(&lab).unwrap();

    lab.cluster.etcd.on_hosts = false;
    lab.cluster.hosts.retain(|it| it.roles.is_node());
    for host in &mut lab.cluster.hosts {
        host.roles.etcd = host.roles.control_plane;
    }
    let refusal = refuse(&lab).unwrap_err().remove(0);
    insta::assert_snapshot!(refusal.message, @"etcd of this cluster runs as a service of node1, node2, node3, and the inventory has it on its control planes");
    let cluster = members::with(&lab.cluster, &members.departed(&lab.cluster));
    for name in ["node1", "node2"] {
        assert!(cluster.host(name).unwrap().roles.etcd, "{name}");
    }

    // Without such members there is nothing to refuse.
    let lab = Lab::new();
    let members = recorded(&lab.cluster);
    left_over::refuse_etcd_on_control_planes(&members, &lab.cluster).unwrap();
}

#[test]
fn a_host_is_a_member_by_what_is_found_and_not_by_the_inventory() {
    let mut lab = lab();
    let found = |lab: &Lab| {
        lab.with_input(&[], |input| {
            etcd_hosts::members(input, &foreign::carriers(input))
        })
    };
    assert!(found(&lab).is_empty());
    is_member(&mut lab, "node1");
    is_member(&mut lab, "node2");
    assert_eq!(found(&lab), ["node1", "node2"]);
    let commands = &mut lab.facts["node2"].commands;
    commands.insert(etcd_hosts::STEP.to_owned(), CommandState::Begun);
    assert_eq!(found(&lab), ["node1"]);
    let traces = &mut lab.facts["node1"].traces;
    let path = "/etc/etcd/pki/ca.crt".to_owned();
    traces.authorities.insert(path, Sha256::of(b"theirs"));
    assert!(found(&lab).is_empty());

    let plan = settled().plan();
    let planned: Vec<_> = etcd_hosts::planned(&plan).collect();
    assert_eq!(planned, ["node1", "node2", "node3"]);
}

/// What a dead host of etcd has is no part of any cluster then.
#[test]
fn who_ran_etcd_is_forgotten_with_the_last_control_plane() {
    let folder = tempfile::tempdir().unwrap();
    let lab = lab();
    let names: Vec<String> = lab.facts.keys().cloned().collect();
    let marks = |joined: &[String], left: &[&str]| {
        let left: Vec<String> = left.iter().map(ToString::to_string).collect();
        Members::update(folder.path(), &lab.cluster, joined, &left).unwrap();
        let members = Members::load(folder.path()).unwrap().unwrap();
        members.etcd_hosts().join(" ")
    };
    // A first run that fails early leaves no mark.
    assert_eq!(marks(&names, &[]), "");
    Members::have_etcd(folder.path(), &names[..3]).unwrap();
    assert_eq!(marks(&names, &[]), "node1 node2 node3");
    assert_eq!(marks(&[], &["node1"]), "node2 node3");
    assert_eq!(marks(&[], &["controll-plane"]), "");
}

#[test]
fn the_hosts_of_etcd_are_not_exchanged_at_once() {
    let mut lab = lab();
    let members = recorded(&lab.cluster);
    let refuse = |lab: &Lab| left_over::refuse_etcd_on_others(&members, &lab.cluster);
    refuse(&lab).unwrap();
    for (from, to) in [("node1", "e4"), ("node2", "e5")] {
        lab.rename(from, to);
    }
    refuse(&lab).unwrap();
    // One that stays as a worker is no host of etcd.
    let last = lab.cluster.hosts.iter_mut().find(|it| it.name == "node3");
    last.unwrap().roles.etcd = false;
    let refusal = refuse(&lab).unwrap_err().remove(0);
    insta::assert_snapshot!(refusal.message, @"the inventory has none of the hosts in `[etcd]` that run etcd now: node1, node2, node3");
    left_over::refuse_etcd_on_others(&recorded(&Lab::new().cluster), &lab.cluster).unwrap();
}
