//! Etcd on hosts of its own: who begins it, who joins, and what is never done.

use super::Lab;
use super::control_planes::text;
use crate::install::members::Members;
use crate::model::{ClusterSpec, HostSpec};
use crate::plan::Plan;
use crate::playbook::Action;
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

pub(super) fn is_member(lab: &mut Lab, name: &str) {
    let facts = &mut lab.facts[name];
    facts.etcd = EtcdService {
        data_dir: lab.cluster.etcd.data_dir.clone(),
        has_data: true,
        has_access: true,
        ..EtcdService::default()
    };
    facts.etcd_version = "3.7.3".to_owned();
    facts
        .commands
        .insert("etcd/member".to_owned(), CommandState::Done);
}

/// Returns a lab in which all is done.
pub(super) fn settled() -> Lab {
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

/// Returns the members that `up` has written down when all is done.
pub(super) fn recorded(cluster: &ClusterSpec) -> Members {
    let folder = tempfile::tempdir().unwrap();
    let names = |hosts: &mut dyn Iterator<Item = &HostSpec>| -> Vec<String> {
        hosts.map(|host| host.name.clone()).collect()
    };
    let all = names(&mut cluster.hosts.iter());
    let etcd = names(&mut cluster.etcd_hosts().filter(|_| cluster.etcd.on_hosts));
    Members::update(folder.path(), cluster, &all, &[]).unwrap();
    Members::have_etcd(folder.path(), &etcd).unwrap();
    Members::load(folder.path()).unwrap().unwrap()
}

/// Returns the phases of etcd and of control planes.
fn of_etcd(mut plan: Plan) -> String {
    plan.phases
        .retain(|phase| phase.name.starts_with("etcd") || phase.name.starts_with("control-plane"));
    text(&plan)
}

/// Returns who begins etcd, who joins it behind the gate, and what is left out.
pub(super) fn parts(lab: &Lab) -> String {
    parts_of(&lab.plan())
}

pub(super) fn parts_of(plan: &Plan) -> String {
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

/// Returns the program that makes a member of a host.
fn member_script(plan: &Plan, host: &str) -> String {
    let batches = plan.phases.iter().filter_map(|it| it.batches.get(host));
    let mut steps = batches.flat_map(|batch| &batch.steps);
    let member = steps.find(|step| step.id == "etcd/member").unwrap();
    match &member.resource {
        Resource::Command(command) => command.argv.join(" "),
        other => panic!("{other:?}"),
    }
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
    lost.facts["node2"].etcd_version.clear();
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

/// Once it votes, the others need it, whenever its machine starts again.
#[test]
fn a_member_starts_with_its_machine_from_its_first_start_on() {
    let plan = lab().plan();
    for host in ["node1", "node2"] {
        let script = member_script(&plan, host);
        let lines: Vec<&str> = script.lines().map(str::trim).collect();
        let place = |line: &str| lines.iter().position(|it| *it == line).expect(line);
        let start = place("systemctl restart etcd.service");
        assert!(place("systemctl daemon-reload") < place("systemctl enable etcd.service"));
        assert!(place("systemctl enable etcd.service") < start);
    }
}

/// None of them is ready before a majority is, and the chain waits for each.
#[test]
fn members_that_were_stopped_start_together() {
    let starting = |lab: &Lab| {
        let plan = lab.plan();
        let prepare = plan.phases.iter().find(|it| it.name == "prepare").unwrap();
        let mut hosts = Vec::new();
        for (host, batch) in &prepare.batches {
            if batch
                .steps
                .iter()
                .any(|step| step.id == "etcd-start/member")
            {
                hosts.push(host.clone());
            }
        }
        hosts
    };
    let mut lab = settled();
    assert_eq!(starting(&lab), ["node1", "node2", "node3"]);
    // One without its data, and one whose join was cut off, have their turn in the chain.
    lab.facts["node1"].etcd.has_data = false;
    let commands = &mut lab.facts["node2"].commands;
    commands.insert("etcd/member".to_owned(), CommandState::Begun);
    assert_eq!(starting(&lab), ["node3"]);
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
