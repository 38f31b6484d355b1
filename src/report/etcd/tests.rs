use super::*;

/// Two members as etcdctl prints them, the second one without an answer, and a learner that has not started.
const LISTING: &str = r#"== members
{"header":{"cluster_id":1,"member_id":10,"raft_term":3},"members":[
  {"ID":11,"name":"cp2","peerURLs":["https://192.168.56.12:2380"],"clientURLs":["https://192.168.56.12:2379"]},
  {"ID":10,"name":"cp1","peerURLs":["https://192.168.56.11:2380"],"clientURLs":["https://192.168.56.11:2379"]},
  {"ID":12,"name":"","peerURLs":["https://192.168.56.13:2380"],"clientURLs":[],"isLearner":true}]}
== status
[{"Endpoint":"https://192.168.56.11:2379","Status":{"header":{"member_id":10},"version":"3.7.0","dbSize":4096,"dbSizeInUse":1024,"leader":10,"raftIndex":77,"raftTerm":3}}]

== health
[{"endpoint":"https://192.168.56.11:2379","health":true,"took":"2ms"},{"endpoint":"https://192.168.56.12:2379","health":false,"error":"context deadline exceeded"}]

== alarms
{"header":{},"alarms":[{"memberID":10,"alarm":1}]}
"#;

#[test]
fn each_member_has_what_etcdctl_says_of_it() {
    let status = EtcdStatus::read("cp1", LISTING).unwrap();
    let [ghost, first, second] = status.members.as_slice() else {
        panic!("{status:#?}");
    };
    assert_eq!(ghost.title(), "https://192.168.56.13:2380");
    let state = first.state.as_ref().unwrap();
    assert!(first.healthy && state.leader);
    assert_eq!(
        (first.id.as_str(), state.size, state.size_in_use),
        ("a", 4096, 1024)
    );
    assert_eq!((second.healthy, &second.state), (false, &None));
}

#[test]
fn what_is_wrong_is_said_of_each_member_and_of_all() {
    let mut status = EtcdStatus::read("cp1", LISTING).unwrap();
    status.compare(&["cp1".to_owned(), "cp3".to_owned()]);
    insta::assert_snapshot!(status.problems.join("\n"), @r"
    the member https://192.168.56.13:2380 has not started
    the member cp1 has raised the alarm NOSPACE
    the member cp2 does not answer
    1 of 2 voting members are healthy, 2 are needed: etcd takes no writes
    `cp3` should have a member of etcd, and has none
    the member cp2 is of no host that the inventory gives one
    ");
}

#[test]
fn without_a_list_of_members_there_is_no_status() {
    assert_eq!(
        EtcdStatus::read("cp1", "== members\n\n== status\n[]\n"),
        None
    );
}
