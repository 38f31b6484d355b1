//! The resources' law on a real node: after `up`, `plan` finds nothing; and `plan` changes nothing.

use std::io::Write as _;
use std::process::Stdio;

use super::kinstall::Kinstall;
use crate::program::playbooks_without_steps;

/// One machine that is everything.
const INVENTORY: &str = "\
[all]
solo ansible_host=192.168.56.21 ip=192.168.56.21
[kube-master]
solo
[etcd]
solo
[kube-node]
solo
[k8s-cluster:children]
kube-master
kube-node
";

/// The playbooks that stay; the others would make a cluster.
const KEPT: [&str; 5] = [
    "base.yml",
    "hosts-file.yml",
    "programs.yml",
    "containerd.yml",
    "kubelet.yml",
];

#[test]
#[ignore = "needs root and a bundle: `./test clusters`"]
fn resources_keep_their_law_on_a_real_node() {
    let lab = Kinstall::with_the_lab_inventory();
    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
    write_playbooks(&lab);
    up(&lab);
    on_node(&lab, include_str!("resources/prepare.sh"));
    let own = include_str!("resources/playbooks/resources.yml");
    write(&lab, "resources.yml", own);

    let before = state(&lab);
    let plan = plan(&lab).expect_code(2);
    for step in own
        .lines()
        .filter_map(|line| line.strip_prefix("  - name: "))
    {
        // These are as they should be on a fresh machine.
        let is_there = ["package", "port", "socket", "restart"].contains(&step);
        let is_shown = plan.contains(&format!("resources/{step}:"));
        assert_eq!(is_shown, !is_there, "{step}:\n{plan}");
    }
    assert_same(&before, &state(&lab), "a check changed something");

    up(&lab);
    on_node(&lab, include_str!("resources/verify.sh"));
    let after = state(&lab);
    let plan = self::plan(&lab).expect_code(0);
    assert!(plan.contains("Nothing to do"), "{plan}");
    assert!(up(&lab).contains("0 changed"));
    assert_same(&after, &state(&lab), "a second `up` changed something");

    write(
        &lab,
        "resources.yml",
        &own.replace("answer=42", "answer=43"),
    );
    let plan = self::plan(&lab).expect_code(2);
    assert!(plan.contains("+answer=43"), "{plan}");
    assert!(plan.contains("resources/restart: state"), "{plan}");
    let started = "systemctl show -p ExecMainStartTimestampMonotonic kinstall-test";
    let before = on_node(&lab, started);
    assert!(up(&lab).contains("2 changed"));
    assert_ne!(on_node(&lab, started), before);
    self::plan(&lab).expect_code(0);
    what_no_step_has_any_more_goes(&lab);
}

/// As with a kinstall that doesn't have the playbook any more. One file was changed by hand meanwhile.
fn what_no_step_has_any_more_goes(lab: &Kinstall) {
    on_node(lab, "echo by hand >> /etc/kinstall-test/settings");
    std::fs::remove_file(lab.path("overrides/playbooks/resources.yml")).unwrap();
    let before = state(lab);
    let finished = plan(lab);
    let shown = finished.expect_code(2);
    let steps: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("no-longer-wanted/"))
        .collect();
    insta::assert_snapshot!(steps.join("\n"), @r"
      ~ no-longer-wanted//etc/systemd/system/kinstall-test.service: enabled enabled -> disabled
      * no-longer-wanted//etc/systemd/system/kinstall-test.service: state active -> stopped
      - no-longer-wanted//etc/systemd/system/kinstall-test.service: file
      - no-longer-wanted//etc/kinstall-test/secret: file
      - no-longer-wanted//etc/kinstall-test/link: link
      - no-longer-wanted/block test in /etc/hosts: block test
      - no-longer-wanted/kernel parameter net.ipv4.conf.all.log_martians: value at boot (the kernel keeps it until then) 1 -> gone
    ");
    let stays = "/etc/kinstall-test/settings stays: kinstall made it";
    assert!(finished.stderr().contains(stays), "{}", finished.stderr());
    assert_same(&before, &state(lab), "a check changed something");

    let recap = up(lab);
    assert!(recap.contains(" 5 changed"), "{recap}");
    assert!(recap.contains(stays), "{recap}");
    on_node(lab, include_str!("resources/verify-gone.sh"));
    let after = state(lab);
    plan(lab).expect_code(0);
    assert!(up(lab).contains(" 0 changed"));
    assert_same(&after, &state(lab), "a second `up` changed something");

    on_node(lab, "rm /etc/kinstall-test/settings");
    let shown = plan(lab).expect_code(2);
    assert!(
        shown.contains("- no-longer-wanted//etc/kinstall-test: directory"),
        "{shown}"
    );
    assert!(up(lab).contains(" 1 changed"));
    on_node(lab, "test ! -e /etc/kinstall-test");
    plan(lab).expect_code(0);
}

/// Leaves what is about the machine alone, and empties what is about a cluster.
fn write_playbooks(lab: &Kinstall) {
    for (name, text) in playbooks_without_steps() {
        if !KEPT.contains(&name.as_str()) {
            write(lab, &name, &text);
        }
    }
}

fn write(lab: &Kinstall, name: &str, text: &str) {
    let path = lab.path("overrides/playbooks").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn plan(lab: &Kinstall) -> super::kinstall::Finished {
    lab.run(&["plan", "--overrides", "overrides"])
}

/// Returns the recap.
fn up(lab: &Kinstall) -> String {
    let finished = lab.run(&["up", "--overrides", "overrides"]);
    finished.expect_code(0);
    finished.stderr()
}

fn state(lab: &Kinstall) -> String {
    on_node(lab, include_str!("resources/state.sh"))
}

/// Shows the lines that differ; there are thousands that don't.
#[track_caller]
fn assert_same(before: &str, after: &str, what: &str) {
    let only_in = |one: &str, other: &str| -> Vec<String> {
        let other: std::collections::HashSet<&str> = other.lines().collect();
        let lines = one.lines().filter(|line| !other.contains(line));
        lines.map(str::to_owned).collect()
    };
    let (gone, new) = (only_in(before, after), only_in(after, before));
    assert!(
        gone.is_empty() && new.is_empty(),
        "{what}: {gone:#?} became {new:#?}"
    );
}

/// Runs a script on the node as root; it must succeed.
fn on_node(lab: &Kinstall, script: &str) -> String {
    let mut child = lab
        .command(&["ssh", "solo", "--", "sudo", "sh"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}
