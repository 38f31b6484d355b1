//! The members that `up` writes down, and what the inventory doesn't have any more.

use super::{Lab, control_planes};
use crate::install::installation::restore::require_members;
use crate::install::left_over::{self, LeftOver};
use crate::install::lost;
use crate::install::members::{self, Members};
use crate::model::{AddressSource, Method};

fn names(lab: &Lab) -> Vec<String> {
    lab.cluster.hosts.iter().map(|it| it.name.clone()).collect()
}

#[test]
fn a_member_that_the_inventory_lost_is_reached_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new();
    assert_eq!(Members::load(folder.path()).unwrap(), None);
    let host = lab.cluster.hosts.last_mut().unwrap();
    host.connection.user = Some("admin".to_owned());
    host.connection.port = Some(2222);
    host.connection.password = Some(crate::secret::Secret::new("hunter2"));
    let host = host.clone();
    let all = names(&lab);
    Members::update(folder.path(), &lab.cluster, &all, &[]).unwrap();
    let text = std::fs::read_to_string(folder.path().join("members.json")).unwrap();
    assert!(!text.contains("hunter2"), "{text}");

    lab.cluster.hosts.pop();
    let departed = Members::load(folder.path()).unwrap().unwrap();
    let departed = departed.departed(&lab.cluster);
    let cluster = members::with(&lab.cluster, &departed);
    let found = cluster.host(&host.name).unwrap();
    assert_eq!(found.address, host.address);
    assert_eq!(found.roles, host.roles);
    assert_eq!(found.address_source, AddressSource::Inventory);
    let connection = &found.connection;
    assert_eq!(connection.method, Method::Ssh);
    assert_eq!(
        (
            &*connection.host,
            connection.port,
            connection.user.as_deref()
        ),
        (&*host.connection.host, Some(2222), Some("admin"))
    );
    assert!(connection.password.is_none());

    // When it has left, it is forgotten.
    Members::update(folder.path(), &cluster, &[], &[host.name]).unwrap();
    let rest = Members::load(folder.path()).unwrap().unwrap();
    assert!(rest.departed(&lab.cluster).is_empty());
}

#[test]
fn a_cluster_that_would_lose_all_its_control_planes_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new();
    let all = names(&lab);
    Members::update(folder.path(), &lab.cluster, &all, &[]).unwrap();
    let members = Members::load(folder.path()).unwrap().unwrap();
    assert!(!members.lacks_control_planes(&lab.cluster));
    lab.cluster.hosts.remove(0);
    assert!(!members.lacks_control_planes(&lab.cluster));
    lab.rename("controll-plane", "another");
    assert!(members.lacks_control_planes(&lab.cluster));
}

#[test]
fn a_control_plane_can_not_get_another_address() {
    let text = [Lab::new(), control_planes::lab()].map(|mut lab| {
        let folder = tempfile::tempdir().unwrap();
        let all = names(&lab);
        Members::update(folder.path(), &lab.cluster, &all, &[]).unwrap();
        let members = Members::load(folder.path()).unwrap().unwrap();
        assert_eq!(members.moved_control_planes(&lab.cluster), []);
        let mut give = |is_control_plane: bool| {
            let mut hosts = lab.cluster.hosts.iter_mut();
            let host = hosts.find(|it| it.roles.control_plane == is_control_plane);
            host.unwrap().address = Some("10.0.0.1".parse().unwrap());
            members.moved_control_planes(&lab.cluster)
        };
        assert_eq!(give(false), []);
        let moved = give(true);
        let diagnostic = left_over::moved_control_plane(&moved[0]);
        format!("{}\n{}\n", diagnostic.message, diagnostic.hints.join("\n"))
    });
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn a_restore_is_refused_while_a_control_plane_that_the_inventory_lost_is_in_the_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = control_planes::lab();
    let check = |lab: &Lab| require_members(folder.path(), &lab.cluster, "a restore");
    check(&lab).unwrap();
    let all = names(&lab);
    Members::update(folder.path(), &lab.cluster, &all, &[]).unwrap();
    check(&lab).unwrap();
    let hosts = &mut lab.cluster.hosts;
    let worker = hosts.iter().position(|it| !it.roles.control_plane);
    hosts.remove(worker.unwrap());
    check(&lab).unwrap();
    let hosts = &mut lab.cluster.hosts;
    let control_plane = hosts.iter().rposition(|it| it.roles.control_plane);
    let lost = hosts.remove(control_plane.unwrap()).name;
    let refusal = check(&lab).unwrap_err().remove(0);
    assert!(refusal.message.contains(&lost), "{}", refusal.message);

    // `up` has taken it out.
    Members::update(folder.path(), &lab.cluster, &[], &[lost]).unwrap();
    check(&lab).unwrap();
}

/// Its disk has the old cluster.
#[test]
fn a_host_that_was_given_up_does_not_start_again_until_it_was_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let lab = control_planes::lab();
    let all = names(&lab);
    let all_names: Vec<&str> = all.iter().map(String::as_str).collect();
    Members::update(folder.path(), &lab.cluster, &all, &[]).unwrap();
    let given_up = &all[..1];
    Members::give_up(folder.path(), given_up).unwrap();
    let refusal = lost::refuse(folder.path(), &all_names)
        .unwrap_err()
        .remove(0);
    assert!(refusal.message.contains(&all[0]), "{}", refusal.message);
    lost::refuse(folder.path(), &all_names[1..]).unwrap();
    // What the others do changes nothing about it.
    Members::update(folder.path(), &lab.cluster, &all[1..], &[]).unwrap();
    lost::refuse(folder.path(), &all_names).unwrap_err();

    // Out of the cluster, its machine is still as it was.
    Members::update(folder.path(), &lab.cluster, &[], given_up).unwrap();
    lost::refuse(folder.path(), &all_names).unwrap_err();
    Members::are_gone(folder.path(), &[given_up[0].as_str()]).unwrap();
    lost::refuse(folder.path(), &all_names).unwrap();
    // All were there in a restore.
    Members::give_up(folder.path(), given_up).unwrap();
    Members::give_up(folder.path(), &[]).unwrap();
    lost::refuse(folder.path(), &all_names).unwrap();
}

#[test]
fn the_question_names_members_and_machines() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new();
    let all = names(&lab);
    Members::update(folder.path(), &lab.cluster, &all, &[]).unwrap();
    let stays = |name: &str| !["node2", "node3"].contains(&name);
    lab.cluster.hosts.retain(|host| stays(&host.name));
    let members = Members::load(folder.path()).unwrap().unwrap();
    let question = |members, machines: &[&str]| {
        let left_over = LeftOver {
            members,
            machines: machines.iter().map(ToString::to_string).collect(),
            ..LeftOver::default()
        };
        left_over.question()
    };
    let departed = members.departed(&lab.cluster);
    let questions = [
        question(departed.clone(), &["node2", "node3"]),
        question(departed, &[]),
        question(Vec::new(), &["spare"]),
    ];
    insta::assert_snapshot!(questions.join("\n"), @"
    The inventory doesn't have node2, node3 any more. Take node2, node3 out of the cluster? Remove the machine node2, node3 with everything on it?
    The inventory doesn't have node2, node3 any more. Take node2, node3 out of the cluster?
    The inventory doesn't have spare any more. Remove the machine spare with everything on it?
    ");
}
