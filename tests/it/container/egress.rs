//! Internet access of nodes, on a computer of the test's own.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use kinstall::provision::Provider as _;

use super::lab::TestLab;
use crate::own_computer;

#[test]
#[ignore = "needs root: `./test container`"]
fn nodes_reach_what_this_computer_reaches_and_leave_it_as_it_was() {
    let name = "container::egress::nodes_reach_what_this_computer_reaches_and_leave_it_as_it_was";
    if !own_computer::enter(name) {
        return;
    }
    let before = state();
    let mut one = lab("egress-one");
    let said = up(&one);
    assert!(said.contains("forwards packets of out0"), "{said}");
    assert!(reaches(&one), "{:?}", one.provider.notices(&one.lab));
    assert_eq!(one.provider.notices(&one.lab), Vec::<String>::new());
    assert_eq!(forwarding("all"), "0", "only the cards concerned forward");
    // It forwards for the lab, not for its neighbours.
    assert!(!own_computer::office_is_open_to_neighbours());
    nft(&one, &["delete", "table", "ip", "kinstall-forwarding"]);
    assert!(own_computer::office_is_open_to_neighbours());
    up(&one);
    assert!(!own_computer::office_is_open_to_neighbours());
    // Again: nothing to do, nothing to say.
    let with_one = state();
    assert!(!up(&one).contains("forwards"));
    assert_eq!(state(), with_one);

    // Another lab with the same addresses, and its end.
    let two = lab("egress-two");
    assert!(!up(&two).contains("forwards"));
    assert!(reaches(&two) && reaches(&one));
    assert_eq!(two.down(), Vec::<String>::new());
    assert_eq!(state(), with_one);

    // A firewall that was loaded anew has flushed all rules.
    nft(&one, &["flush", "ruleset"]);
    assert!(!reaches(&one));
    up(&one);
    assert!(reaches(&one));
    nft(&one, &["add", "table", "ip", "filter"]);
    let chain = "{ type filter hook forward priority filter; policy drop; }";
    nft(&one, &["add", "chain", "ip", "filter", "FORWARD", chain]);
    let notices = one.provider.notices(&one.lab).join("\n");
    assert!(
        notices.contains("chain `ip filter FORWARD` drops"),
        "{notices}"
    );
    assert!(!reaches(&one));
    // What the message says to do.
    for rule in notices.split('`').filter(|part| part.starts_with("nft ")) {
        nft(&one, &rule.split(' ').skip(1).collect::<Vec<_>>());
    }
    assert_eq!(one.provider.notices(&one.lab), Vec::<String>::new());
    assert!(reaches(&one));
    nft(&one, &["delete", "table", "ip", "filter"]);

    // What a supervisor that was killed left is found again.
    one.kill_supervisor();
    up(&one);
    assert!(reaches(&one));

    // Shut while the lab runs: this computer is as before, and nodes learn at once that there are no names.
    one.lab.egress = false;
    let boot = one.ssh("root", 0, super::BOOT);
    up(&one);
    assert!(!reaches(&one));
    assert_eq!(state(), before);
    let names = one.ssh("root", 0, "time -p getent ahostsv4 server.example.test");
    assert!(
        names.is_err_and(|said| said.contains("real 0.")),
        "it waits for an answer"
    );
    assert_eq!(one.ssh("root", 0, super::BOOT), boot);

    one.lab.egress = true;
    up(&one);
    assert!(reaches(&one));
    assert_eq!(one.down(), Vec::<String>::new());
    assert_eq!(state(), before);
}

fn lab(name: &str) -> TestLab {
    let mut test = TestLab::new(name, 1);
    test.lab.egress = true;
    test
}

/// Returns what `up` reports.
fn up(test: &TestLab) -> String {
    let said = Mutex::new(String::new());
    let report = |host: &str, state: &str| {
        writeln!(said.lock().unwrap(), "{host} {state}").unwrap();
    };
    let result = test.provider.up(&test.lab, &[], &report);
    result.unwrap_or_else(|error| panic!("{error:?}"));
    said.into_inner().unwrap()
}

/// Whether the node gets an answer from the server, by its name and by its address, and looks like this computer to it.
fn reaches(test: &TestLab) -> bool {
    own_computer::SERVER.iter().all(|host| {
        let command = format!("timeout 3 bash -c 'exec 3<>/dev/tcp/{host}/80 && cat <&3'");
        let answer = test.ssh("root", 0, &command);
        answer.as_deref() == Ok(own_computer::ADDRESS)
    })
}

/// All that internet access changes on a computer.
fn state() -> String {
    let output = |command: &mut Command| {
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let links = output(Command::new("ip").args(["-brief", "link"]));
    let addresses = output(Command::new("ip").args(["-brief", "-4", "address"]));
    let routes = output(Command::new("ip").args(["route"]));
    let forwards = ["all", "default", "out0"].map(forwarding).join(" ");
    let mut folders: Vec<_> = fs::read_dir("/run/kinstall/forwarding/out0")
        .into_iter()
        .flatten()
        .collect();
    folders.retain(Result::is_ok);
    let rules = image().map_or_else(String::new, |image| {
        output(
            Command::new("chroot")
                .arg(image)
                .args(["/usr/sbin/nft", "list", "ruleset"]),
        )
    });
    format!(
        "{links}{addresses}{routes}{forwards}\n{} labs\n{rules}",
        folders.len()
    )
}

fn forwarding(interface: &str) -> String {
    let path = format!("/proc/sys/net/ipv4/conf/{interface}/forwarding");
    fs::read_to_string(path).unwrap().trim().to_owned()
}

/// Runs the image's `nft` on this computer.
fn nft(test: &TestLab, arguments: &[&str]) {
    let record = fs::read(test.lab.directory.join("lab.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let mut command = Command::new("chroot");
    command
        .arg(record["image"].as_str().unwrap())
        .arg("/usr/sbin/nft");
    assert!(
        command.args(arguments).status().unwrap().success(),
        "{arguments:?}"
    );
}

/// The base image, which the test finds built or not.
fn image() -> Option<PathBuf> {
    let images = fs::read_dir("/var/cache/kinstall/container")
        .ok()?
        .flatten();
    let mut roots = images.map(|entry| entry.path());
    roots.find(|root| root.join("usr/sbin/nft").exists())
}
