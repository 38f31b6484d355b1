//! What hosts were like when a run reached them last, from the journals.

use std::collections::BTreeMap;
use std::path::Path;

use super::history;
use crate::diagnostic::Diagnostics;
use crate::plan::foreign::JOINING_STEPS;
use crate::resource::CommandState;
use crate::run::RunEvent;
use crate::wire::{ClusterTraces, ControlPlaneState, Event, Facts, StepState, Surroundings};

/// Takes Kubernetes off a node.
const RESET: &str = "reset/kubeadm";

/// Returns what is known of some hosts: what they said last, and what was made of them since.
pub(super) fn facts(
    directory: &Path,
    mut wanted: Vec<String>,
) -> Result<BTreeMap<String, Facts>, Diagnostics> {
    let mut found = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    for run in history::names(directory)?.iter().rev() {
        let mut said = of_run(&history::events(directory, run)?);
        wanted.retain(|host| match said.remove(host) {
            Some(facts) => {
                found.insert(host.clone(), facts);
                false
            }
            None => true,
        });
        if wanted.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// Returns what hosts were like at the end of a run, by name.
fn of_run(events: &[RunEvent]) -> BTreeMap<String, Facts> {
    let mut hosts: BTreeMap<String, Facts> = BTreeMap::new();
    for event in events {
        let RunEvent::Agent { host, event } = event else {
            continue;
        };
        match event {
            Event::Hello { facts, .. } => {
                hosts.insert(host.clone(), lasting(facts));
            }
            Event::Step {
                id,
                state: StepState::Changed { .. },
                ..
            } => {
                if let Some(facts) = hosts.get_mut(host) {
                    add_step(facts, id);
                }
            }
            _ => {}
        }
    }
    hosts
}

/// Returns what is still so when the machine has been off: what ran doesn't, and what was wrong may have been mended.
fn lasting(facts: &Facts) -> Facts {
    let facts = facts.clone();
    Facts {
        hostname: facts.hostname,
        program: facts.program,
        os: facts.os,
        kernel: facts.kernel,
        architecture: facts.architecture,
        cpus: facts.cpus,
        memory_mib: facts.memory_mib,
        cgroup_version: facts.cgroup_version,
        container: facts.container,
        can_lower_oom_score: facts.can_lower_oom_score,
        name_servers: facts.name_servers,
        control_plane: match facts.control_plane {
            ControlPlaneState::Absent => ControlPlaneState::Absent,
            ControlPlaneState::Silent | ControlPlaneState::Ready => ControlPlaneState::Silent,
        },
        encryption_algorithm: facts.encryption_algorithm,
        commands: facts.commands,
        traces: ClusterTraces {
            joined: facts.traces.joined,
            pod_networks: facts.traces.pod_networks,
            ..ClusterTraces::default()
        },
        surroundings: Surroundings {
            packaged_drop_ins: facts.surroundings.packaged_drop_ins,
            registries: facts.surroundings.registries,
            ..Surroundings::default()
        },
        ..Facts::default()
    }
}

/// Adds what a step has made of the node.
fn add_step(facts: &mut Facts, id: &str) {
    if JOINING_STEPS.contains(&id) {
        facts.commands.insert(id.to_owned(), CommandState::Done);
        facts.traces.joined = true;
        if id != "join/join" {
            facts.control_plane = ControlPlaneState::Silent;
        }
    } else if id == RESET {
        facts.commands.clear();
        facts.traces.joined = false;
        facts.control_plane = ControlPlaneState::Absent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::PROTOCOL;

    fn hello(facts: Facts) -> RunEvent {
        RunEvent::Agent {
            host: "node1".to_owned(),
            event: Event::Hello {
                protocol: PROTOCOL,
                facts,
            },
        }
    }

    fn changed(step: &str) -> RunEvent {
        RunEvent::Agent {
            host: "node1".to_owned(),
            event: Event::Step {
                phase: "phase".to_owned(),
                id: step.to_owned(),
                state: StepState::Changed {
                    changes: Vec::new(),
                    milliseconds: 1,
                },
            },
        }
    }

    fn member() -> Facts {
        let mut facts = Facts {
            control_plane: ControlPlaneState::Ready,
            kubernetes_version: "1.36.1".to_owned(),
            nodes: vec!["node1".to_owned()],
            ..Facts::default()
        };
        facts.traces.joined = true;
        facts.traces.data = vec!["etcd's data".to_owned()];
        facts
    }

    #[test]
    fn what_a_run_made_of_a_host_counts_and_what_ran_or_may_have_been_mended_does_not() {
        let bare = Facts::default;
        let silent = ControlPlaneState::Silent;
        // (what happened, has joined, is a control plane)
        let table = [
            (vec![hello(bare())], false, ControlPlaneState::Absent),
            (
                vec![hello(bare()), changed("join/join")],
                true,
                ControlPlaneState::Absent,
            ),
            (
                vec![hello(bare()), changed("control-plane/init")],
                true,
                silent,
            ),
            (vec![hello(member())], true, silent),
            (
                vec![hello(member()), changed("reset/kubeadm")],
                false,
                ControlPlaneState::Absent,
            ),
        ];
        for (events, joined, control_plane) in table {
            let facts = &of_run(&events)["node1"];
            assert_eq!(facts.traces.joined, joined, "{events:?}");
            assert_eq!(facts.control_plane, control_plane, "{events:?}");
            assert_eq!(facts.kubernetes_version, "", "{events:?}");
            assert!(facts.nodes.is_empty() && facts.traces.data.is_empty());
        }
    }

    #[test]
    fn the_last_run_that_reached_a_host_tells_what_it_is_like() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        std::fs::create_dir(&runs).unwrap();
        let line = |event: &RunEvent| serde_json::to_string(event).unwrap();
        for (run, lines) in [
            ("20270101T000000Z-1", vec![line(&hello(Facts::default()))]),
            ("20270102T000000Z-1", vec![line(&hello(member()))]),
            ("20270103T000000Z-1", vec!["{\"agent\":{\"cut".to_owned()]),
        ] {
            std::fs::write(runs.join(format!("{run}.jsonl")), lines.join("\n")).unwrap();
        }
        let wanted = vec!["node1".to_owned(), "node2".to_owned()];
        let found = facts(folder.path(), wanted).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["node1"]);
        assert!(found["node1"].traces.joined);
    }
}
