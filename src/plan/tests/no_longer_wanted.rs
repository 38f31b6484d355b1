//! What kinstall made once and no step has any more.

use super::super::no_longer_wanted::notices;
use super::fixture::Fixture;
use super::step_ids;
use crate::resource::{Made, Resource, Thing};
use crate::wire::ControlPlaneState;

const PHASE: &str = "no-longer-wanted";

fn file(path: &str) -> Thing {
    Thing::File(path.to_owned())
}

/// Says that kinstall made things on a host.
fn made(fixture: &mut Fixture, host: &str, things: &[Thing]) {
    let made = things.iter().map(|thing| Made {
        thing: thing.clone(),
        is_changed: false,
    });
    fixture.facts[host].made.extend(made);
}

/// Every host has the same steps.
fn fixture() -> Fixture {
    let mut fixture = Fixture::without_playbooks();
    fixture.add_playbook(
        "component: c\nphase: prepare\nsteps:\n\
         - name: file\n  file: { path: /etc/file, content: a }\n\
         - name: gone\n  absent: { path: /etc/gone }\n\
         - name: off\n  when: \"false\"\n  file: { path: /etc/off, content: a }\n\
         - name: unit\n  unit: { name: wanted.service, state: running }\n\
         - name: command\n  command: { argv: [\"true\"], creates: /etc/created }\n\
         - name: parameter\n  sysctl: { key: vm.wanted, value: \"1\" }\n\
         - name: module\n  kernel_module: { name: wanted }\n\
         - name: block\n  block: { path: /etc/hosts, name: wanted, content: a }\n",
    );
    fixture.add_playbook_file(
        "nodes.yml",
        "component: nodes\nphase: verify\non: control_plane\nfor_each_host: all\nsteps:\n\
         - name: node\n  node_object: { name: \"{{ host.name }}\", labels: \"{}\", taints: \"[]\" }\n",
    );
    fixture
}

#[test]
fn what_no_step_has_goes_units_first_and_folders_last() {
    let mut fixture = fixture();
    let block = |name: &str| Thing::Block {
        path: "/etc/hosts".to_owned(),
        name: name.to_owned(),
    };
    let things = [
        file("/etc/file"),
        file("/etc/gone/below"),
        file("/etc/gone-by-name"),
        file("/etc/off"),
        file("/etc/created"),
        file("/etc/systemd/system/wanted.service"),
        file("/usr/local/sbin/program"),
        file("/etc/systemd/system/x.service"),
        file("/etc/systemd/system/x.timer"),
        Thing::Directory("/etc/a".to_owned()),
        Thing::Directory("/etc/a/b".to_owned()),
        Thing::Symlink("/etc/a/b/link".to_owned()),
        Thing::Sysctl("vm.wanted".to_owned()),
        Thing::Sysctl("vm.unwanted".to_owned()),
        Thing::KernelModule("wanted".to_owned()),
        Thing::KernelModule("unwanted".to_owned()),
        block("wanted"),
        block("unwanted"),
    ];
    made(&mut fixture, "node1", &things);
    let plan = fixture.build().unwrap();
    assert_eq!(
        step_ids(&plan, PHASE, "node1"),
        [
            "no-longer-wanted//etc/systemd/system/x.timer",
            "no-longer-wanted//etc/systemd/system/x.service",
            "no-longer-wanted//etc/gone-by-name",
            "no-longer-wanted//etc/off",
            "no-longer-wanted//usr/local/sbin/program",
            "no-longer-wanted//etc/a/b/link",
            "no-longer-wanted/block unwanted in /etc/hosts",
            "no-longer-wanted/kernel parameter vm.unwanted",
            "no-longer-wanted/kernel module unwanted",
            "no-longer-wanted//etc/a/b",
            "no-longer-wanted//etc/a",
        ]
    );
    assert_eq!(step_ids(&plan, PHASE, "node2"), [""; 0]);
    let last = plan.phases.last().unwrap();
    assert_eq!(
        (last.name.as_str(), &last.over[..]),
        (PHASE, &["verify".to_owned()][..])
    );
    let Resource::NoLongerWanted(folder) = &last.batches["node1"].steps[10].resource else {
        panic!("{last:?}");
    };
    assert_eq!(folder.inside, ["/etc/a/b/link", "/etc/a/b"]);
}

#[test]
fn what_was_changed_stays_and_is_said() {
    let mut fixture = fixture();
    made(
        &mut fixture,
        "node1",
        &[file("/etc/file"), file("/etc/old")],
    );
    for made in &mut fixture.facts["node1"].made {
        made.is_changed = true;
    }
    let plan = fixture.build().unwrap();
    assert!(plan.phases.iter().all(|phase| phase.name != PHASE));
    let said = notices(&plan, &fixture.input());
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].host, "node1");
    assert!(said[0].message.starts_with("/etc/old stays: "), "{said:?}");
}

/// Makes something so; the name is a worker's.
type Case = fn(&mut Fixture, &str);

/// What the plan doesn't show may be wanted.
#[test]
fn nothing_goes_where_the_plan_is_not_all_that_is_wanted() {
    let control_plane = Fixture::new()
        .cluster
        .control_planes()
        .next()
        .unwrap()
        .name
        .clone();
    let worker = |fixture: &Fixture| {
        let mut hosts = fixture.cluster.hosts.iter();
        hosts
            .find(|host| !host.roles.control_plane)
            .unwrap()
            .name
            .clone()
    };
    // (what is so, whether things go from the control plane, and from a worker)
    let table: [(&str, Case, bool, bool); 4] = [
        ("all is well", |_, _| {}, true, true),
        (
            "a limit",
            |fixture, worker| fixture.limit = Some(vec![worker.to_owned()]),
            false,
            false,
        ),
        (
            "a host that doesn't answer: the control plane may do something for it",
            |fixture, worker| {
                let mut hosts = fixture.facts.keys().rev();
                let other = hosts.find(|name| *name != worker).unwrap().clone();
                fixture.facts.shift_remove(&other);
            },
            false,
            true,
        ),
        (
            "a worker that is a control plane still",
            |fixture, worker| fixture.facts[worker].control_plane = ControlPlaneState::Silent,
            true,
            false,
        ),
    ];
    for (what, change, from_control_plane, from_worker) in table {
        let mut fixture = fixture();
        fixture.set_up(&control_plane);
        let worker = worker(&fixture);
        for host in [&control_plane, &worker] {
            made(&mut fixture, host, &[file("/etc/old")]);
        }
        change(&mut fixture, &worker);
        let plan = fixture.build().unwrap();
        let goes = |host: &str| !step_ids(&plan, PHASE, host).is_empty();
        assert_eq!(goes(&control_plane), from_control_plane, "{what}");
        assert_eq!(goes(&worker), from_worker, "{what}");
    }
}
