//! What is to be done with machines, for every state that they are found in.

use std::path::PathBuf;

use super::{Lab, Machine, MachineAction, MachineSettings, MachineState, ObservedMachine, changes};
use crate::model::{MachineDefaults, MachineSpec};
use crate::secret::Secret;

fn lab() -> Lab {
    let machine = |number: u8| Machine {
        name: format!("n{number}"),
        address: format!("192.168.56.{number}").parse().unwrap(),
        spec: MachineSpec {
            cpus: 2,
            memory_mib: 2048,
            disk_gib: 20,
            image: "debian-13".into(),
            extra_disks_gib: vec![10],
            networks: vec!["192.168.57.1/24".parse().unwrap()],
            forwarded_ports: vec!["8080:80".parse().unwrap()],
            shared_folders: Vec::new(),
        },
        host_key: Secret::new(""),
    };
    Lab {
        id: "test".into(),
        cluster: "test".into(),
        directory: PathBuf::from("/lab"),
        gateway: "192.168.56.1/24".parse().unwrap(),
        user: "kinstall".into(),
        authorized_key: String::new(),
        machines: vec![machine(1), machine(2)],
        inventory_folder: PathBuf::new(),
        egress: true,
        defaults: MachineDefaults::default(),
        forwards: Vec::new(),
    }
}

/// Returns what a machine has that was made from the lab's description.
fn settings(lab: &Lab, index: usize) -> MachineSettings {
    let machine = &lab.machines[index];
    MachineSettings {
        cpus: machine.spec.cpus,
        memory_mib: machine.spec.memory_mib,
        disk_mib: machine.spec.disk_gib << 10,
        extra_disks_gib: machine.spec.extra_disks_gib.clone(),
        forwarded_ports: machine.spec.forwarded_ports.clone(),
        shared_folders: machine.spec.shared_folders.clone(),
        made_with: super::made_with(lab, machine),
        takes_address: false,
        egress: Some(lab.egress),
        changes_egress: false,
    }
}

fn observed(name: &str, state: MachineState, settings: Option<MachineSettings>) -> ObservedMachine {
    ObservedMachine {
        name: name.into(),
        state,
        settings,
    }
}

/// Plans for a first machine that was found like this; the second is as it should be.
fn plan_for(state: MachineState, has: impl Fn(&mut MachineSettings)) -> String {
    let lab = lab();
    let mut first = settings(&lab, 0);
    has(&mut first);
    let found = [
        observed("n1", state, Some(first)),
        observed("n2", MachineState::Running, Some(settings(&lab, 1))),
    ];
    let all = changes(&lab, &found);
    let lines: Vec<String> = all
        .iter()
        .flat_map(|change| describe(&change.host, &change.action))
        .collect();
    lines.join("\n")
}

fn describe(host: &str, action: &MachineAction) -> Vec<String> {
    let MachineAction::Change {
        settings,
        needs_halt,
        runs,
    } = action
    else {
        return vec![format!("{host}: {action:?}")];
    };
    let mut lines: Vec<String> = settings
        .iter()
        .map(|it| {
            let reason = it.impossible.unwrap_or("possible");
            format!("{host}: {} {} -> {} ({reason})", it.setting, it.from, it.to)
        })
        .collect();
    lines.push(format!("{host}: halt {needs_halt}, runs {runs}"));
    lines
}

#[test]
fn a_machine_by_its_state() {
    use MachineState::{
        Aborted, Absent, Paused, Running, Stopped, Suspended, Unfinished, Unreadable,
    };
    let states = [
        Absent, Unfinished, Unreadable, Stopped, Suspended, Paused, Aborted, Running,
    ];
    let lines: Vec<String> = states
        .into_iter()
        .map(|state| {
            let line = format!("{} => {}", state.name(), plan_for(state, |_| ()));
            line.trim_end().to_owned()
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    absent => n1: Create
    unfinished => n1: Create
    unreadable => n1: state unreadable -> running (its state can't be read: `kinstall down NODE` removes it, then `kinstall up` makes it)
    n1: halt false, runs false
    stopped => n1: Start
    suspended => n1: Start
    paused => n1: Start
    aborted => n1: Start
    running =>
    ");
}

#[test]
fn a_machine_that_nobody_saw_is_created() {
    let found = changes(&lab(), &[]);
    let created = [("n1", MachineAction::Create), ("n2", MachineAction::Create)];
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.host.as_str(), it.action.clone()))
        .collect();
    assert_eq!(found, created);
}

#[test]
fn settings_that_differ() {
    let all = plan_for(MachineState::Running, |has| {
        has.cpus = 1;
        has.memory_mib = 1000;
        has.disk_mib = 10 << 10;
        has.extra_disks_gib = Vec::new();
        has.forwarded_ports = Vec::new();
        has.made_with.image = "debian-12".into();
        has.made_with.addresses.pop();
        has.made_with.defaults.as_mut().unwrap().time_zone = Some("Asia/Seoul".into());
    });
    insta::assert_snapshot!(all, @r"
    n1: CPUs 1 -> 2 (possible)
    n1: memory 1000 MiB -> 2048 MiB (possible)
    n1: disk 10 GiB -> 20 GiB (possible)
    n1: extra disks (GiB) none -> 10 (possible)
    n1: forwarded ports none -> 8080:80 (possible)
    n1: image debian-12 -> debian-13 (set at the first boot: `kinstall down NODE`, then `kinstall up`)
    n1: further networks none -> 192.168.57.1/24 (set at the first boot: `kinstall down NODE`, then `kinstall up`)
    n1: time zone Asia/Seoul -> none (set at the first boot: `kinstall down NODE`, then `kinstall up`)
    n1: halt true, runs true
    ");
}

#[test]
fn disks_that_would_shrink_stay() {
    let stays = plan_for(MachineState::Stopped, |has| {
        has.disk_mib = 30 << 10;
        has.extra_disks_gib = vec![10, 5];
    });
    insta::assert_snapshot!(stays, @r"
    n1: disk 30 GiB -> 20 GiB (disks can't shrink: `kinstall down NODE`, then `kinstall up`)
    n1: extra disks (GiB) 10, 5 -> 10 (disks can only be added: `kinstall down NODE`, then `kinstall up`)
    n1: halt false, runs false
    ");
}

#[test]
fn only_what_a_running_machine_can_not_change_halts_it() {
    let ports = |has: &mut MachineSettings| has.forwarded_ports = Vec::new();
    let memory = |has: &mut MachineSettings| has.memory_mib = 512;
    let image = |has: &mut MachineSettings| has.made_with.image = "other".into();
    let halt = |state, has: &dyn Fn(&mut MachineSettings)| {
        plan_for(state, has).lines().last().unwrap().to_owned()
    };
    assert_eq!(
        halt(MachineState::Running, &ports),
        "n1: halt false, runs true"
    );
    assert_eq!(
        halt(MachineState::Running, &memory),
        "n1: halt true, runs true"
    );
    assert_eq!(
        halt(MachineState::Suspended, &memory),
        "n1: halt true, runs false"
    );
    assert_eq!(
        halt(MachineState::Stopped, &memory),
        "n1: halt false, runs false"
    );
    assert_eq!(
        halt(MachineState::Running, &image),
        "n1: halt false, runs true"
    );
}

#[test]
fn a_machine_that_runs_can_not_be_asked_before_it_has_its_new_address() {
    let is_move = |state, takes_address, address: &str| {
        let lab = lab();
        let mut first = settings(&lab, 0);
        first.takes_address = takes_address;
        first.made_with.addresses[0] = address.parse().unwrap();
        first.cpus += 1;
        changes(&lab, &[observed("n1", state, Some(first))])[0].is_move()
    };
    assert!(is_move(MachineState::Running, true, "192.168.56.9/24"));
    assert!(!is_move(MachineState::Running, false, "192.168.56.9/24"));
    assert!(!is_move(MachineState::Stopped, true, "192.168.56.9/24"));
    let same = super::made_with(&lab(), &lab().machines[0]).addresses[0].to_string();
    assert!(!is_move(MachineState::Running, true, &same));
}

#[test]
fn a_cluster_can_not_be_where_a_machine_has_another_address() {
    let in_the_way = |has: &dyn Fn(&mut MachineSettings)| {
        let lab = lab();
        let mut first = settings(&lab, 0);
        has(&mut first);
        let found = [observed("n1", MachineState::Running, Some(first))];
        let all = changes(&lab, &found);
        all[0].impossible().any(super::SettingChange::is_in_the_way)
    };
    assert!(in_the_way(&|has| {
        has.made_with.addresses[0] = "192.168.56.9/24".parse().unwrap();
    }));
    assert!(!in_the_way(&|has| has.made_with.addresses.truncate(1)));
    assert!(!in_the_way(&|has| has.made_with.image = "other".into()));
}

#[test]
fn what_can_not_be_done_is_no_change() {
    let lab = lab();
    let mut has = settings(&lab, 0);
    has.made_with.image = "other".into();
    let found = [
        observed("n1", MachineState::Running, Some(has.clone())),
        observed("n2", MachineState::Running, None),
    ];
    let one = changes(&lab, &found);
    assert_eq!(one.len(), 1);
    assert!(!one[0].is_possible());
    has.cpus = 7;
    let found = [observed("n1", MachineState::Running, Some(has))];
    assert!(changes(&lab, &found)[0].is_possible());
}

#[test]
fn machines_that_the_inventory_does_not_have_go_last() {
    let lab = lab();
    let found = [
        observed("gone", MachineState::Stopped, None),
        observed("old", MachineState::Absent, None),
        observed("n2", MachineState::Running, None),
    ];
    let all = changes(&lab, &found);
    let lines: Vec<String> = all
        .iter()
        .flat_map(|it| describe(&it.host, &it.action))
        .collect();
    assert_eq!(lines, ["n1: Create", "gone: Remove"]);
    let removals: Vec<bool> = all.iter().map(super::MachineChange::is_removal).collect();
    assert_eq!(removals, [false, true]);
}

#[test]
fn a_container_gets_another_address_by_a_restart() {
    let changed = plan_for(MachineState::Running, |has| {
        has.takes_address = true;
        has.made_with.addresses[0] = "192.168.56.9/24".parse().unwrap();
    });
    insta::assert_snapshot!(changed, @r"
    n1: address 192.168.56.9/24 -> 192.168.56.1/24 (possible)
    n1: halt true, runs true
    ");
}
