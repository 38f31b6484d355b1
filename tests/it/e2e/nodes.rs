//! Nodes that come by `node add`, and what is written down of it.

use super::kinstall::{Kinstall, eventually};

/// Gives a lab back the node that it lost, by one command.
pub fn come_back_by_a_command(lab: &Kinstall) {
    let inventory = || std::fs::read_to_string(lab.path("inventory.ini")).unwrap();
    let before = inventory();
    let words = ["node3", "ansible_host=192.168.56.23", "ip=192.168.56.23"];
    let add = |options: &[&str]| lab.run(&[&["node", "add"], &words[..], options].concat());
    let taken = lab.run(&["node", "add", "node4", "ip=192.168.56.21"]);
    taken.expect_code(3);
    let plan = add(&["--plan"]).expect_code(2);
    assert!(plan.contains("+ machine"), "{plan}");
    assert_eq!(inventory(), before);
    add(&[]).expect_code(0);
    let line = words.join(" ");
    let expected = before
        .replace("\n\n[all:vars]", &format!("\n{line}\n\n[all:vars]"))
        .replace("\n\n[calico-rr]", "\nnode3\n\n[calico-rr]");
    assert_eq!(inventory(), expected);
    let nodes = lab.kubectl(&["get", "nodes", "-o", "name"]);
    assert!(nodes.contains("node3"), "{nodes}");
    eventually("nothing is left to do", 60, || {
        lab.run(&["plan"]).output.status.success()
    });
    add(&[]).expect_code(3);
    let runs: serde_json::Value =
        serde_json::from_str(&lab.ok(&["log", "--output", "json"])).unwrap();
    let run = runs
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .find(|run| run["command"] == "node add");
    let run = run.unwrap();
    assert_eq!(run["result"], "done");
    let shown = lab.ok(&["log", run["run"].as_str().unwrap()]);
    assert!(shown.contains("join/join"), "{shown}");
}

/// A worker gets another address: its machine, its name on the other hosts, its Node, and its pods' network.
pub fn get_another_address(lab: &Kinstall) {
    let address = |last: u8| format!("192.168.56.{last}");
    let line = |last| format!("node2 ansible_host={0} ip={0}", address(last));
    lab.edit("inventory.ini", &line(22), &line(32));
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(
        plan.contains("node2 (gets another address: assumed from the last run)"),
        "{plan}"
    );
    lab.ok(&["up"]);
    let node = lab.objects(&["get", "node", "node2"]);
    let addresses = node["status"]["addresses"].as_array().unwrap();
    assert!(
        addresses.iter().any(|it| it["address"] == *address(32)),
        "{node}"
    );
    lab.ok(&["verify", "--quick"]);
    lab.run(&["plan"]).expect_code(0);
}

/// One archive has what a report needs, and none of the lab's secrets.
pub fn a_report_has_no_secret(lab: &Kinstall) {
    let file = lab.path("report.tar.gz");
    lab.edit(
        "inventory.ini",
        "[all:vars]\n",
        "[all:vars]\nregistry_password=a word of ours\n",
    );
    let listed = lab.run(&["support", file.to_str().unwrap()]);
    listed.expect_code(0);
    let folder = tempfile::tempdir().unwrap();
    let unpacked = std::process::Command::new("tar")
        .arg("-xzf")
        .arg(&file)
        .arg("-C")
        .arg(folder.path())
        .status();
    assert!(unpacked.unwrap().success());
    let mut texts = Vec::new();
    read_all(folder.path(), &mut texts);
    let names: Vec<&str> = texts.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "versions.txt",
        "status.json",
        "facts.json",
        "runs.json",
        "inventory/inventory.ini",
        "nodes/node1/kubelet.log",
        "nodes/controll-plane/control-plane.log",
        "nodes/cluster/events.txt",
    ] {
        let has = names.iter().any(|found| found.ends_with(name));
        assert!(has, "{name}: {names:?}");
        assert!(listed.stderr().contains(name), "{name}");
    }
    let facts = texts.iter().find(|(name, _)| name.ends_with("facts.json"));
    assert!(facts.unwrap().1.contains("\"node1\": {"), "{facts:?}");
    let secrets = std::fs::read(lab.path(".kinstall/secrets.json")).unwrap();
    let mut wanted = vec!["a word of ours".to_owned(), "PRIVATE KEY".to_owned()];
    leaves(&serde_json::from_slice(&secrets).unwrap(), &mut wanted);
    for file in ["ssh/id_ed25519", "kubeconfig"] {
        let text = std::fs::read_to_string(lab.path(&format!(".kinstall/{file}"))).unwrap();
        let words = text.split_whitespace().filter(|word| word.len() >= 40);
        wanted.extend(words.map(str::to_owned));
    }
    assert!(wanted.len() > 50, "{}", wanted.len());
    for (name, text) in &texts {
        let found = wanted.iter().find(|secret| text.contains(secret.as_str()));
        assert!(found.is_none(), "{name}");
    }
}

/// Takes all strings, whole and line by line: keys are several lines long.
fn leaves(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => {
            let lines = text.lines().filter(|line| line.len() >= 16);
            found.extend(
                lines
                    .filter(|line| !line.starts_with("-----"))
                    .map(str::to_owned),
            );
        }
        serde_json::Value::Object(fields) => fields.values().for_each(|it| leaves(it, found)),
        _ => {}
    }
}

fn read_all(folder: &std::path::Path, texts: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, texts);
        } else {
            let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
            texts.push((path.display().to_string(), text));
        }
    }
}
