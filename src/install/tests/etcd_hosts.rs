//! Etcd on hosts of its own: who begins it, who joins, and what is never done.

use super::Lab;
use super::control_planes::text;
use crate::install::members::Members;
use crate::install::removal::removable;
use crate::model::ClusterSpec;
use crate::plan::Plan;
use crate::playbook::Action;
use crate::provision::{MachineState, ObservedMachine};
use crate::resource::{CommandState, Condition, Content, Resource};
use crate::wire::{ControlPlaneState, EtcdService};

/// One control plane; `node1` and `node2` run etcd and nothing else, `node3` beside workloads.
pub(super) fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.cluster.etcd.on_hosts = true;
    for host in &mut lab.cluster.hosts {
        host.roles.etcd = !host.roles.control_plane;
        host.roles.worker = host.name == "node3";
    }
    lab
}

fn is_member(lab: &mut Lab, name: &str) {
    let facts = &mut lab.facts[name];
    facts.etcd = EtcdService {
        data_dir: lab.cluster.etcd.data_dir.clone(),
        has_data: true,
        has_access: true,
    };
    facts.etcd_version = "3.7.3".to_owned();
    facts
        .commands
        .insert("etcd/member".to_owned(), CommandState::Done);
}

/// Returns a lab in which all is done.
fn settled() -> Lab {
    let mut lab = lab();
    for name in ["node1", "node2", "node3"] {
        is_member(&mut lab, name);
    }
    let control_plane = &mut lab.facts["controll-plane"];
    control_plane.control_plane = ControlPlaneState::Ready;
    let init = "control-plane/init".to_owned();
    control_plane.commands.insert(init, CommandState::Done);
    lab
}

/// Returns the phases of etcd and of control planes.
fn of_etcd(mut plan: Plan) -> String {
    plan.phases
        .retain(|phase| phase.name.starts_with("etcd") || phase.name.starts_with("control-plane"));
    text(&plan)
}

/// Returns who begins etcd, who joins it behind the gate, and what is left out.
fn parts(lab: &Lab) -> String {
    let plan = lab.plan();
    let (mut begin, mut join) = (Vec::new(), Vec::new());
    for phase in &plan.phases {
        for (host, batch) in &phase.batches {
            let member = batch.steps.iter().find(|step| step.id == "etcd/member");
            let Some(Resource::Command(command)) = member.map(|step| &step.resource) else {
                continue;
            };
            let is_new = command.argv.iter().any(|it| it.contains("STATE=new"));
            if is_new {
                begin.push(host.as_str());
            }
            let gate = format!("etcd-gate/{host}");
            if plan.phases.iter().any(|phase| phase.name == gate) {
                assert!(!is_new, "{host}");
                join.push(host.as_str());
            }
        }
    }
    let left_out: Vec<String> = plan
        .left_out
        .iter()
        .map(|it| format!("; not {}: {}", it.phases.join(" "), it.reason))
        .collect();
    format!(
        "begins: {}; joins: {}{}",
        begin.join(" "),
        join.join(" "),
        left_out.concat()
    )
}

#[test]
fn members_join_one_after_another_before_there_is_a_control_plane() {
    insta::assert_snapshot!(of_etcd(lab().plan()));
}

#[test]
fn a_host_that_only_runs_etcd_gets_nothing_of_kubernetes() {
    let plan = lab().plan();
    let batches = plan.phases.iter().filter_map(|it| it.batches.get("node1"));
    let steps: Vec<String> = batches
        .flat_map(|batch| &batch.steps)
        .filter(|step| step.host.is_none())
        .map(|step| step.id.clone())
        .collect();
    insta::assert_snapshot!(steps.join("\n"));
    let nodes = plan.phases.iter().flat_map(|phase| phase.batches.values());
    let nodes = nodes.flat_map(|batch| &batch.steps).filter_map(|step| {
        let Resource::NodeObject(node) = &step.resource else {
            return None;
        };
        Some(node.name.as_str())
    });
    assert_eq!(nodes.collect::<Vec<_>>(), ["node3", "controll-plane"]);
}

#[test]
fn etcd_begins_only_where_there_is_certainly_no_cluster() {
    let mut table = Vec::new();
    let mut say = |what: &str, lab: &Lab| table.push(format!("{what}: {}", parts(lab)));
    say("nothing yet", &lab());
    say("all is done", &settled());

    let mut one = lab();
    is_member(&mut one, "node2");
    say("one that isn't the first of the inventory", &one);

    let mut silent = lab();
    silent.facts.shift_remove("node3");
    say("a host of etcd doesn't answer", &silent);
    let mut silent = lab();
    silent.facts.shift_remove("controll-plane");
    say("a control plane doesn't answer", &silent);
    let mut silent = settled();
    silent.facts.shift_remove("node1");
    say("a member doesn't answer", &silent);

    let mut lost = settled();
    lost.facts["node2"].etcd.has_data = false;
    say("the data of a member is gone", &lost);
    for name in ["node1", "node3"] {
        lost.facts[name].etcd.has_data = false;
    }
    say("the data of all members is gone", &lost);

    let mut begun = lab();
    is_member(&mut begun, "node1");
    let commands = &mut begun.facts["node1"].commands;
    commands.insert("etcd/member".to_owned(), CommandState::Begun);
    say("the first one was cut off", &begun);
    is_member(&mut begun, "node2");
    say("a join was cut off", &begun);
    insta::assert_snapshot!(table.join("\n"));
}

/// Who has the list uses it: it must not name hosts that are no members, where nothing can be done with etcd.
#[test]
fn the_list_of_members_is_left_alone_while_etcd_can_not_be_changed() {
    let writes = |lab: &Lab| {
        let plan = lab.plan();
        let mut hosts = Vec::new();
        for (host, batch) in plan.phases.iter().flat_map(|phase| &phase.batches) {
            let is_list = |resource: &Resource| matches!(resource, Resource::File(file) if file.path == "/etc/etcd/endpoints");
            if batch.steps.iter().any(|step| is_list(&step.resource)) {
                hosts.push(host.clone());
            }
        }
        hosts
    };
    assert_eq!(
        writes(&lab()),
        ["node1", "node2", "node3", "controll-plane"]
    );
    let mut gone = settled();
    for name in ["node1", "node2", "node3"] {
        gone.facts[name].etcd.has_data = false;
    }
    assert!(writes(&gone).is_empty());
}

/// What a cut-off join left is wiped on its host: the member has to be out of etcd before, even if it votes. One that was
/// done and answers has its data, and only its settings are lost.
#[test]
fn a_member_that_answers_stays_unless_its_join_was_cut_off() {
    let mut cut_off = settled();
    let commands = &mut cut_off.facts["node2"].commands;
    commands.insert("etcd/member".to_owned(), CommandState::Begun);
    let mut lost = settled();
    lost.facts["node2"].etcd = EtcdService::default();
    let mut new = settled();
    new.facts["node2"] = lab().facts["node2"].clone();
    for (lab, expected) in [(cut_off, false), (lost, true), (new, true)] {
        let plan = lab.plan();
        let gate = plan.phases.iter().find(|it| it.name == "etcd-gate/node2");
        let (on, batch) = gate.unwrap().batches.first().unwrap();
        assert_eq!(on, "node1");
        assert!(matches!(&batch.steps[0].resource, Resource::Wait(wait)
            if matches!(&wait.condition, Condition::ControlPlaneBears { kubeconfig: None, .. })));
        let Resource::EtcdMemberAbsent(absent) = &batch.steps[1].resource else {
            panic!("{batch:?}");
        };
        assert_eq!(absent.unless_healthy, expected);
        assert_eq!(batch.steps.len(), 2);
    }
}

/// They wait for other members, and nobody may be left to stop them.
#[test]
fn what_waits_for_etcd_ends_by_itself_before_it_would_be_stopped() {
    let plan = lab().plan();
    let batches = plan.phases.iter().flat_map(|phase| phase.batches.values());
    let resources = batches.flat_map(|batch| {
        let steps = batch.steps.iter().map(|step| &step.resource);
        steps.chain(batch.handlers.iter().map(|handler| &handler.resource))
    });
    let mut found = 0;
    for resource in resources {
        let Resource::Command(command) = resource else {
            continue;
        };
        if !command.argv.iter().any(|it| it.contains("endpoint health")) {
            continue;
        }
        found += 1;
        let [program, minutes, ..] = command.argv.as_slice() else {
            panic!("{command:?}");
        };
        assert_eq!(program, "timeout");
        let minutes = minutes.strip_suffix('m').unwrap();
        assert!(minutes.parse::<u32>().unwrap() * 60 < command.timeout);
    }
    assert_eq!(found, 6, "a member and a restart on each of three hosts");
}

#[test]
fn a_service_without_its_data_never_begins_another_cluster() {
    let plan = lab().plan();
    let phase = plan.phases.iter().find(|it| it.name == "etcd/node1");
    let steps = &phase.unwrap().batches["node1"].steps;
    let settings = steps.iter().find(|step| step.id == "etcd/settings");
    let Resource::File(settings) = &settings.unwrap().resource else {
        panic!("no file");
    };
    let Content::Text(text) = &settings.content else {
        panic!("no text");
    };
    insta::assert_snapshot!(text);
}

#[test]
fn api_servers_use_all_members_from_outside() {
    let plan = lab().plan();
    let phase = plan.phases.iter().find(|it| it.name == "control-plane");
    let steps = &phase.unwrap().batches["controll-plane"].steps;
    let configuration = steps
        .iter()
        .find(|it| it.id == "control-plane/configuration");
    let Resource::File(configuration) = &configuration.unwrap().resource else {
        panic!("no file");
    };
    let text = configuration.content.text().unwrap();
    let (_, etcd) = text.split_once("\netcd:\n").unwrap();
    let (etcd, _) = etcd.split_once("\n#").unwrap();
    insta::assert_snapshot!(etcd, @r"
    external:
      endpoints:
        - https://192.168.56.21:2379
        - https://192.168.56.22:2379
        - https://192.168.56.23:2379
      caFile: /etc/kubernetes/pki/etcd/ca.crt
      certFile: /etc/kubernetes/pki/apiserver-etcd-client.crt
      keyFile: /etc/kubernetes/pki/apiserver-etcd-client.key
    ");
}

#[test]
fn a_host_of_etcd_leaves_through_the_others_and_loses_its_service() {
    let leaving = ["node1".to_owned()];
    insta::assert_snapshot!(text(&settled().plan_of(Action::Remove, &leaving)));

    // It is a member whatever the inventory says, and dead ones are looked for as well.
    let leaving = ["node3".to_owned()];
    let mut lab = settled();
    lab.facts.shift_remove("node3");
    let mut hosts = lab.cluster.hosts.iter_mut();
    hosts.find(|it| it.name == "node3").unwrap().roles.etcd = false;
    let plan = text(&lab.plan_of(Action::Remove, &leaving));
    assert!(plan.contains("leave/etcd member[node3]"), "{plan}");

    // What the host has counts even where the cluster's etcd is said to be elsewhere.
    let mut lab = settled();
    lab.cluster.etcd.on_hosts = false;
    for host in &mut lab.cluster.hosts {
        host.roles.etcd = host.roles.control_plane;
    }
    let plan = text(&lab.plan_of(Action::Remove, &leaving));
    for step in ["leave/gate[node3]", "leave/etcd member[node3]"] {
        assert!(plan.contains(step), "{plan}");
    }
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
    let hosts = lab.cluster.hosts.iter();
    let observed: Vec<ObservedMachine> = hosts
        .map(|host| ObservedMachine {
            name: host.name.clone(),
            state: MachineState::Running,
            settings: None,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<String> = observed.iter().map(|it| it.name.clone()).collect();
    Members::update(folder.path(), &lab.cluster, &all, &[]).unwrap();
    let recorded = Members::load(folder.path()).unwrap();
    let remove = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        removable(&lab.cluster, recorded.as_ref(), &observed, &names)
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
    let observed: Vec<ObservedMachine> = lab
        .cluster
        .hosts
        .iter()
        .map(|host| ObservedMachine {
            name: host.name.clone(),
            state: MachineState::Running,
            settings: None,
        })
        .collect();
    let all: Vec<String> = observed.iter().map(|it| it.name.clone()).collect();
    let remove = |recorded: &ClusterSpec| {
        let folder = tempfile::tempdir().unwrap();
        Members::update(folder.path(), recorded, &all, &[]).unwrap();
        let recorded = Members::load(folder.path()).unwrap();
        let names = ["node1".to_owned()];
        let removed = removable(&lab.cluster, recorded.as_ref(), &observed, &names);
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
