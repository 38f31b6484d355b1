//! Etcd on hosts, and machines that carry another cluster: none of its data ever gets into this one's etcd.

use super::control_planes::text;
use super::etcd_hosts::{is_member, lab, parts_of, settled};
use super::{Lab, messages};
use crate::plan::Plan;
use crate::resource::{Resource, Sha256};
use crate::wire::{ControlPlaneState, EtcdService};

/// Gives a host traces of another cluster.
fn is_of_another(lab: &mut Lab, name: &str) {
    let traces = &mut lab.facts[name].traces;
    let path = "/etc/etcd/pki/ca.crt".to_owned();
    traces.authorities.insert(path, Sha256::of(b"theirs"));
}

fn all(lab: &Lab) -> Vec<String> {
    lab.facts.keys().cloned().collect()
}

/// Returns the program by which a host's etcd goes when the host is taken over.
fn taken(plan: &Plan, host: &str) -> Option<String> {
    let batches = plan.phases.iter().filter_map(|it| it.batches.get(host));
    let mut steps = batches.flat_map(|batch| &batch.steps);
    let step = steps.find(|step| step.id == "take-over/etcd on the host")?;
    match &step.resource {
        Resource::Command(command) => command.argv.last().cloned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_of_etcd_is_not_taken_over_with_what_it_has() {
    let mut lab = lab();
    // As an earlier cluster of kinstall's leaves it.
    is_member(&mut lab, "node1");
    is_of_another(&mut lab, "node1");
    let mut said = Vec::new();
    for flags in [Vec::new(), all(&lab)] {
        let errors = lab.try_plan(&flags).unwrap_err();
        assert_eq!(errors.len(), 1, "{}", messages(&errors));
        said.push(format!(
            "{}\n{}",
            errors[0].message,
            errors[0].hints.join("\n")
        ));
    }
    assert_eq!(said[0], said[1]);
    insta::assert_snapshot!(said[0], @r"
    `node1` belongs to another cluster: `/etc/etcd/pki/ca.crt` with another cluster's authority
    nothing was changed: a host of `[etcd]` can't be taken over with what it has
    wipe it first: `kinstall reset node1` with the project that made that cluster, or install the machine anew
    `kinstall down node1` removes the machine, if kinstall made it; the next `up` makes a new one
    ");
}

/// The same line is run again, weeks later.
#[test]
fn the_flag_means_nothing_for_hosts_without_another_cluster() {
    let mut lab = settled();
    let flags = all(&lab);
    let plan = lab.try_plan(&flags).unwrap();
    assert_eq!(text(&plan), text(&lab.plan()));
    lab.facts["node1"] = super::etcd_hosts::lab().facts["node1"].clone();
    let plan = lab.try_plan(&flags).unwrap();
    assert_eq!(parts_of(&plan), "begins: ; joins: node1");
}

#[test]
fn a_control_plane_that_is_taken_over_has_nothing_in_this_etcd() {
    let mut lab = lab();
    let facts = &mut lab.facts["controll-plane"];
    facts.control_plane = ControlPlaneState::Ready;
    let of_lab = |lab: &Lab| parts_of(&lab.try_plan(&all(lab)).unwrap());
    assert!(of_lab(&lab).contains("etcd never begins"));
    is_of_another(&mut lab, "controll-plane");
    assert_eq!(of_lab(&lab), "begins: node1; joins: node2 node3");
}

/// kubeadm doesn't know of it: it would keep its port, and who has its list of members asks it.
#[test]
fn a_node_that_is_taken_over_loses_the_etcd_that_kinstall_made_of_it() {
    let mut lab = Lab::new();
    is_of_another(&mut lab, "node1");
    assert_eq!(taken(&lab.try_plan(&all(&lab)).unwrap(), "node1"), None);
    lab.facts["node1"].etcd = EtcdService {
        data_dir: "/srv/etcd".to_owned(),
        has_data: true,
        has_access: true,
        ..EtcdService::default()
    };
    let plan = lab.try_plan(&all(&lab)).unwrap();
    insta::assert_snapshot!(taken(&plan, "node1").unwrap(), @r"
    systemctl disable --now etcd.service
    rm -rf /srv/etcd/member
    rm -f /etc/etcd/endpoints
    rm -rf /etc/etcd/pki
    rm -f /etc/etcd/etcd.env
    ");
    lab.facts["node1"].etcd.data_dir.clear();
    let plan = lab.try_plan(&all(&lab)).unwrap();
    insta::assert_snapshot!(taken(&plan, "node1").unwrap(), @r"
    rm -f /etc/etcd/endpoints
    rm -rf /etc/etcd/pki
    ");
}
