//! Etcd on hosts: what a reset takes from them, and which machines stay.

use super::Lab;
use super::etcd_hosts::{lab, recorded, settled};
use crate::install::removal::removable;
use crate::model::ClusterSpec;
use crate::playbook::Action;
use crate::provision::{MachineState, ObservedMachine};
use crate::resource::{CommandState, Resource};
use crate::wire::EtcdService;

/// Returns the machines of a lab, all of which run.
fn machines(lab: &Lab) -> Vec<ObservedMachine> {
    let hosts = lab.cluster.hosts.iter();
    hosts
        .map(|host| ObservedMachine {
            name: host.name.clone(),
            state: MachineState::Running,
            settings: None,
        })
        .collect()
}

/// The group may be gone from the inventory by then; what the user has of etcd stays.
#[test]
fn a_reset_takes_what_a_host_has_of_etcd_wherever_the_inventory_has_it() {
    let steps = |lab: &Lab, name: &str| {
        let plan = lab.plan_of(Action::Reset, &[name.to_owned()]);
        let batches = plan.phases.iter().filter_map(|it| it.batches.get(name));
        let steps = batches.flat_map(|batch| &batch.steps);
        let of_etcd = steps.filter(|step| step.id.starts_with("reset/etcd"));
        of_etcd
            .map(|step| match &step.resource {
                Resource::Absent(absent) => absent.path.clone(),
                _ => step.id.clone(),
            })
            .collect::<Vec<String>>()
    };
    let mut lab = settled();
    lab.facts["controll-plane"].etcd.has_access = true;
    for on_hosts in [true, false] {
        lab.cluster.etcd.on_hosts = on_hosts;
        lab.cluster.etcd.data_dir = "/srv/another".to_owned();
        let member = [
            "reset/etcd",
            "/var/lib/etcd-data/member",
            "/etc/etcd/pki",
            "/etc/etcd/endpoints",
            "/etc/etcd/etcd.env",
        ];
        assert_eq!(steps(&lab, "node1"), member);
        let client = ["/etc/etcd/pki", "/etc/etcd/endpoints"];
        assert_eq!(steps(&lab, "controll-plane"), client);
        lab.facts["node2"].etcd = EtcdService::default();
        assert!(steps(&lab, "node2").is_empty());
    }
}

#[test]
fn a_machine_that_etcd_or_the_cluster_can_not_do_without_is_not_removed_alone() {
    let lab = lab();
    let observed = machines(&lab);
    let recorded = recorded(&lab.cluster);
    let remove = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        removable(&lab.cluster, Some(&recorded), &observed, &names)
            .map_err(|errors| errors[0].message.clone())
    };
    assert_eq!(remove(&["node1"]).unwrap(), ["node1"]);
    let refusals = [
        remove(&["node1", "node2"]).unwrap_err(),
        remove(&["node1", "node2", "node3"]).unwrap_err(),
        remove(&["controll-plane"]).unwrap_err(),
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r"
    without node1, node2 only 1 of 3 hosts of etcd are left, and etcd stops
    without node1, node2, node3 the cluster has no etcd
    without controll-plane the cluster has no control plane
    ");
}

/// The inventory may name three hosts of etcd where it is in the pods of two control planes.
#[test]
fn a_majority_of_the_members_that_etcd_really_has_stays() {
    let mut lab = lab();
    for host in &mut lab.cluster.hosts {
        host.roles.control_plane = host.name == "node1" || host.name == "controll-plane";
        host.roles.etcd = host.name != "node3";
    }
    let observed = machines(&lab);
    let remove = |cluster: &ClusterSpec| {
        let recorded = recorded(cluster);
        let names = ["node1".to_owned()];
        let removed = removable(&lab.cluster, Some(&recorded), &observed, &names);
        removed
            .map(|it| it.len())
            .map_err(|errors| errors[0].message.clone())
    };
    assert_eq!(remove(&lab.cluster), Ok(1));
    let mut stacked = lab.cluster.clone();
    stacked.etcd.on_hosts = false;
    let refusal = "without node1 only 1 of 2 control planes are left, and etcd stops";
    assert_eq!(remove(&stacked), Err(refusal.to_owned()));
}

/// The next `up` must not take it for a member that needs nothing, nor leave one alone that nobody looks after.
#[test]
fn half_a_removal_leaves_no_member_whatever_the_inventory_says() {
    let mut lab = settled();
    let mut hosts = lab.cluster.hosts.iter_mut();
    hosts.find(|it| it.name == "node3").unwrap().roles.etcd = false;
    let plan = lab.plan_of(Action::Remove, &["node3".to_owned()]);
    let batches = plan.phases.iter().filter_map(|it| it.batches.get("node3"));
    let mut steps = batches.flat_map(|batch| &batch.steps);
    let step = steps.find(|step| step.id == "leave/no join is done");
    let Resource::Command(command) = &step.unwrap().resource else {
        panic!("no command");
    };
    let script = command.argv.last().unwrap();
    assert!(
        script.contains("for step in join/join etcd/member;"),
        "{script}"
    );

    let commands = &mut lab.facts["node3"].commands;
    commands.insert("etcd/member".to_owned(), CommandState::Begun);
    let refusal = lab.try_plan(&[]).unwrap_err().remove(0);
    assert!(
        refusal
            .hints
            .join("\n")
            .contains("`kinstall node remove node3`")
    );
}
