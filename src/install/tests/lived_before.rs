//! What the built-in playbooks do about machines that have lived before, and about clusters that live on.

use serde_json::json;

use super::{Lab, content, messages, objects, text};
use crate::model::Taint;
use crate::plan;
use crate::playbook::Sources;
use crate::resource::Resource;
use crate::wire::{Batch, frame};

#[test]
fn replicas_of_the_dns_never_share_a_node() {
    let replicas = |lab: &Lab| {
        let objects = objects(&lab.plan());
        let is_dns = |it: &&serde_json::Value| {
            text(it, "/metadata/name") == "coredns" && text(it, "/kind") == "Deployment"
        };
        let spec = &objects.iter().find(is_dns).unwrap()["spec"];
        let affinity = "/template/spec/affinity/podAntiAffinity\
                        /requiredDuringSchedulingIgnoredDuringExecution/0/topologyKey";
        assert_eq!(
            spec.pointer(affinity),
            Some(&json!("kubernetes.io/hostname"))
        );
        spec["replicas"].clone()
    };
    let mut lab = Lab::new();
    assert_eq!(replicas(&lab), 2);
    // A second one would wait forever for a node that takes it.
    for host in &mut lab.cluster.hosts[1..] {
        host.taints.push(Taint {
            key: "dedicated".into(),
            value: "storage".into(),
            effect: "NoSchedule".into(),
        });
    }
    assert_eq!(replicas(&lab), 1);
}

#[test]
fn files_of_an_earlier_pod_network_are_not_read() {
    let plan = Lab::new().plan();
    let containerd = content(&plan, "node1", "/etc/containerd/config.toml");
    assert!(containerd.contains("conf_dir = '/etc/cni/kinstall.d'"));
    assert!(!containerd.contains("/etc/cni/net.d"));
    let sources = Sources::builtin();
    let plugin = &sources.templates["flannel/cni.json.tera"].text;
    let plugin: serde_json::Value = serde_json::from_str(plugin).unwrap();
    // A bridge that is there already may have an address of an earlier network.
    assert_eq!(plugin["plugins"][0]["delegate"]["forceAddress"], true);
    let flannel = &sources.templates["flannel/flannel.yaml.tera"].text;
    assert!(!flannel.contains("/etc/cni/net.d"));
}

#[test]
fn what_may_keep_hosts_from_working_is_said_before() {
    let mut lab = Lab::new();
    let notices = |lab: &Lab, all| {
        let notices = plan::surroundings::notices(&lab.cluster, &lab.facts, all);
        notices
            .into_iter()
            .map(|notice| format!("{}: {}", notice.host, notice.message))
            .collect::<Vec<_>>()
    };
    assert!(notices(&lab, true).is_empty());
    for (index, facts) in lab.facts.values_mut().enumerate() {
        let address = lab.cluster.hosts[index].address.unwrap();
        facts.addresses = vec![format!("eth0 {address}/24")];
        facts.surroundings.mtus = [("eth0".to_owned(), 1500)].into();
        facts.surroundings.machine_id = format!("id{index}");
        facts.surroundings.inotify_instances = 128;
        facts.surroundings.disk_size_mib = 20_000;
        facts.disk_free_mib = 15_000;
    }
    assert!(notices(&lab, true).is_empty());
    let facts = &mut lab.facts["node1"];
    facts.container.clear();
    facts.surroundings.clock_ahead = -90_000;
    facts.surroundings.mtus.insert("eth0".to_owned(), 1280);
    facts.surroundings.machine_id = "id2".to_owned();
    facts.surroundings.inotify_instances = 128;
    facts.surroundings.dropping_chains = vec!["ip filter FORWARD".to_owned()];
    facts.disk_free_mib = 2_500;
    lab.facts["controll-plane"].surroundings.inotify_instances = 32;
    let said = notices(&lab, false);
    insta::assert_snapshot!(said.join("\n"));
    // A node that works has a firewall that lets through what it must.
    lab.facts["node1"].traces.joined = true;
    assert_eq!(notices(&lab, false).len(), said.len() - 1);
    assert_eq!(notices(&lab, true).len(), said.len());
}

#[test]
fn machines_of_another_cluster_are_refused_unless_they_are_given_away() {
    let mut lab = Lab::new();
    lab.facts["node1"].traces.data = vec!["etcd data in /var/lib/etcd".to_owned()];
    lab.facts["node2"].traces.distributions = vec!["K3s in /var/lib/rancher/k3s/server".to_owned()];
    lab.facts["node3"].surroundings.drop_ins =
        vec!["/etc/systemd/system/kubelet.service.d/x.conf".to_owned()];
    let errors = lab.try_plan(&[]).unwrap_err();
    insta::assert_snapshot!(messages(&errors));
    let take_over = ["node1".to_owned(), "node2".to_owned()];
    let errors = lab.try_plan(&take_over).unwrap_err();
    // Another distribution has to remove itself.
    assert_eq!(errors.len(), 1);
    lab.facts["node2"].traces.distributions.clear();
    let errors = lab.try_plan(&take_over).unwrap_err();
    assert!(errors[0].message.contains("kubelet.service.d/x.conf"));
    lab.facts["node3"].surroundings.drop_ins.clear();
    let plan = lab.try_plan(&take_over).unwrap();
    let resets: Vec<_> = plan
        .phases
        .iter()
        .flat_map(|phase| &phase.batches)
        .filter(|(_, batch)| batch.steps.iter().any(|step| step.id == "take-over/reset"))
        .map(|(host, _)| host.as_str())
        .collect();
    assert_eq!(resets, ["node1"]);
}

#[test]
fn nodes_that_joined_are_looked_after_and_others_lose_their_old_nodes() {
    let mut lab = Lab::new();
    let ids = |lab: &Lab, host: &str| -> Vec<String> {
        let plan = lab.plan();
        let batches = plan.phases.iter().filter_map(|it| it.batches.get(host));
        batches
            .flat_map(|batch| batch.steps.iter().map(|step| step.id.clone()))
            .collect()
    };
    let fresh = ids(&lab, "node1");
    assert!(fresh.contains(&"join/way to the control plane".to_owned()));
    assert!(!fresh.contains(&"members/registration".to_owned()));
    let first = ids(&lab, "controll-plane");
    assert!(
        first.contains(&"old-nodes/node[node1]".to_owned()),
        "{first:?}"
    );
    assert!(!first.contains(&"old-nodes/node[controll-plane]".to_owned()));

    lab.facts["node1"].traces.joined = true;
    let joined = ids(&lab, "node1");
    for id in ["members/registration", "pod-addresses/addresses"] {
        assert!(joined.contains(&id.to_owned()), "{id}: {joined:?}");
    }
    // A kubelet whose certificate has expired does not run.
    let place = |id: &str| joined.iter().position(|it| it == id).expect(id);
    assert!(
        place("kubelet-credentials/certificate of a worker")
            < place("kubelet-credentials/running service")
    );
    assert!(!joined.contains(&"join/way to the control plane".to_owned()));
    let first = ids(&lab, "controll-plane");
    assert!(!first.contains(&"old-nodes/node[node1]".to_owned()));
    assert!(first.contains(&"old-nodes/node[node2]".to_owned()));
}

#[test]
fn nothing_is_recovered_from_that_kinstall_has_not_made() {
    let plan = Lab::new().plan();
    let steps = plan.phases.iter().flat_map(|phase| phase.batches.values());
    let mut count = 0;
    for step in steps.flat_map(|batch| &batch.steps) {
        if let Resource::Command(command) = &step.resource
            && command.recover.is_some()
        {
            assert!(command.preflight.is_some(), "{}", step.id);
            assert!(!command.leaves.is_empty(), "{}", step.id);
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn every_batch_arrives_as_it_was_sent() {
    let mut lab = Lab::new();
    for host in &mut lab.cluster.hosts {
        host.taints.push(Taint {
            key: "dedicated".into(),
            value: String::new(),
            effect: "NoSchedule".into(),
        });
    }
    for joined in [false, true] {
        for facts in lab.facts.values_mut() {
            facts.traces.joined = joined;
        }
        for batch in lab.plan().phases.iter().flat_map(|it| it.batches.values()) {
            let mut bytes = frame::encode(batch).unwrap();
            let arrived: Option<Batch> = frame::decode(&mut bytes).unwrap();
            assert_eq!(arrived.as_ref(), Some(batch));
        }
    }
}
