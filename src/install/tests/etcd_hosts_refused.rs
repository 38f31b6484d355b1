//! Etcd on hosts: inventories and machines that are refused before anything is changed.

use super::Lab;
use super::etcd_hosts::{lab, settled};
use crate::plan::etcd_hosts::STEP;
use crate::playbook::Action;
use crate::resource::CommandState;

#[test]
fn etcd_does_not_move() {
    let mut refusals = Vec::new();
    let mut refuse = |lab: &Lab| {
        let errors = lab.try_plan(&[]).unwrap_err();
        refusals.extend(errors.iter().map(|error| {
            let hints: Vec<String> = error.hints.iter().map(|it| format!("\n  {it}")).collect();
            format!("{}{}", error.message, hints.concat())
        }));
    };
    // Etcd of the control plane runs already.
    let mut stacked = lab();
    stacked.facts["controll-plane"].etcd_version = "3.7.3".to_owned();
    refuse(&stacked);
    // Who the members are follows from the inventory, for this as well.
    let defragmented = stacked.try_plan_of(Action::Defrag, &[], &[]);
    let errors = defragmented.unwrap_err();
    assert!(errors[0].message.contains("on its control planes"));
    // And the other way round.
    let mut back = settled();
    back.cluster.etcd.on_hosts = false;
    for host in &mut back.cluster.hosts {
        host.roles.etcd = host.roles.control_plane;
        host.roles.worker = !host.roles.control_plane;
    }
    for name in ["node2", "node3"] {
        back.facts[name] = lab().facts[name].clone();
    }
    refuse(&back);
    let mut member = settled();
    member
        .cluster
        .hosts
        .iter_mut()
        .filter(|it| it.name == "node3")
        .for_each(|it| it.roles.etcd = false);
    refuse(&member);
    let mut folder = settled();
    folder.cluster.etcd.data_dir = "/srv/etcd".to_owned();
    for name in ["node2", "node3"] {
        folder.facts[name].etcd.data_dir = "/srv/etcd".to_owned();
    }
    refuse(&folder);
    insta::assert_snapshot!(refusals.join("\n\n"));
}

/// Nobody of `[etcd]` need answer, or be there any more: what a control plane has tells as well.
#[test]
fn etcd_is_not_looked_for_on_control_planes_that_use_hosts() {
    let mut lab = Lab::new();
    lab.facts["controll-plane"].etcd.has_access = true;
    for action in Action::ALL {
        let refused = lab.try_plan_of(action, &[], &[]).map(drop);
        if matches!(action, Action::Reset | Action::Remove) {
            refused.unwrap();
        } else {
            let message = refused.unwrap_err().remove(0).message;
            assert!(message.contains("as `controll-plane` has it"), "{message}");
        }
    }
    // A worker may have had it.
    lab.facts["controll-plane"].etcd.has_access = false;
    lab.facts["node1"].etcd.has_access = true;
    lab.plan();
}

/// It would never start, and everything behind it would wait for that.
#[test]
fn a_host_that_was_taken_out_of_etcd_while_it_was_off_is_no_member() {
    let mut lab = settled();
    let url = |name: &str| lab.cluster.host(name).unwrap().etcd_peer_url().unwrap();
    let peers = vec![url("node2"), url("node3")];
    lab.plan();
    lab.facts["node3"].etcd.peers = peers;
    let refusals = lab.try_plan(&[]).unwrap_err();
    assert_eq!(refusals.len(), 1);
    assert!(
        refusals[0]
            .message
            .contains("`node1` is no member of etcd any more")
    );
    assert!(refusals[0].hints[1].contains("`kinstall reset node1`"));
    lab.plan_of(Action::Remove, &["node1".to_owned()]);
    // A machine without its data joins.
    lab.facts["node1"].etcd.has_data = false;
    lab.plan();
}

#[test]
fn a_node_leaves_kubernetes_before_it_only_runs_etcd() {
    let mut lab = settled();
    lab.facts["node3"].traces.joined = true;
    lab.plan();
    let mut hosts = lab.cluster.hosts.iter_mut();
    hosts.find(|it| it.name == "node3").unwrap().roles.worker = false;
    let refusal = lab.try_plan(&[]).unwrap_err().remove(0);
    insta::assert_snapshot!(refusal.message, @"`node3` is a node of Kubernetes, and the inventory has it in `[etcd]` alone");
    assert!(refusal.hints[1].contains("`kinstall node remove node3`"));
    lab.plan_of(Action::Remove, &["node3".to_owned()]);
}

#[test]
fn an_etcd_of_the_users_own_is_not_replaced() {
    let mut lab = lab();
    let unit = "/etc/systemd/system/etcd.service";
    // Not where none is wanted.
    lab.facts["controll-plane"].etcd.other_unit = Some(unit.to_owned());
    lab.plan();
    lab.facts["node1"].etcd.other_unit = Some(unit.to_owned());
    let refusal = lab.try_plan(&[]).unwrap_err().remove(0);
    insta::assert_snapshot!(refusal.message, @"`node1` runs an etcd of its own: `/etc/systemd/system/etcd.service` isn't kinstall's");
    // Where kinstall has made a member, it mends its unit.
    let commands = &mut lab.facts["node1"].commands;
    commands.insert(STEP.to_owned(), CommandState::Done);
    lab.plan();
}
