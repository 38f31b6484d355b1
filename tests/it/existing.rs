//! Hosts that are there already: first contact, the lab's key, and looking without changing.

use std::fs;
use std::os::unix::fs::chown;
use std::process::Stdio;
use std::time::Duration;

use kinstall::ssh::keys::fingerprint;

use crate::free_port::free_port;
use crate::program::{Project, files};
use crate::sshd::namespace::{self, PASSWORD};
use crate::sshd::server::Sshd;

/// A project of one host, which is this server, with nothing to install on it.
fn project(sshd: &Sshd, variables: &str) -> Project {
    let port = sshd.port;
    let line = format!("node1 ansible_host=127.0.0.1 ansible_port={port} {variables}");
    Project::of_host(&line)
        .hiding(sshd.path("").display().to_string(), "SSHD/")
        .hiding(format!(":{port}"), ":PORT")
        .hiding(fingerprint(&sshd.host_key.public).unwrap(), "FINGERPRINT")
        .without_steps()
}

fn authorized_keys(sshd: &Sshd) -> String {
    fs::read_to_string(sshd.path("home/.ssh/authorized_keys")).unwrap_or_default()
}

#[test]
fn first_contact_by_password_then_by_the_labs_key() {
    let sshd = namespace::start_node("PasswordAuthentication yes", "192m");
    chown(sshd.path("home"), Some(64_001), Some(64_000)).unwrap();
    let both = format!(
        "ansible_user=asked ansible_password=\"{PASSWORD}\" ansible_become_password=\"{PASSWORD}\""
    );
    let project = project(&sshd, &both);

    // What only looks leaves no key there.
    project.run(&["plan"]);
    project.run(&["status"]);
    project.run(&["ssh", "node1", "--", "true"]);
    assert_eq!(authorized_keys(&sshd), "");
    assert!(!project.path(".kinstall/ssh/id_ed25519").exists());

    insta::assert_snapshot!(project.run(&["up"]));
    let key = fs::read_to_string(project.path(".kinstall/ssh/id_ed25519.pub")).unwrap();
    assert_eq!(authorized_keys(&sshd), key);

    // From now on without the login password; sudo's is still needed.
    let inventory = fs::read_to_string(project.path("inventory.ini")).unwrap();
    let inventory = inventory.replace(&format!("ansible_password=\"{PASSWORD}\""), "");
    project.write("inventory.ini", &inventory);
    insta::assert_snapshot!("later_by_the_labs_key", project.run(&["up"]));
    assert_eq!(authorized_keys(&sshd), key);
    assert_eq!(
        project.run(&["ssh", "node1", "--", "id", "-un"]),
        "exit code 0\n--- stdout\nasked"
    );
    let removed = project.run(&["down", "--yes"]);
    assert!(removed.starts_with("exit code 3\n"), "{removed}");
}

#[test]
fn a_log_tells_what_happens_inside_and_no_secret() {
    let sshd = namespace::start_node("PasswordAuthentication yes", "192m");
    chown(sshd.path("home"), Some(64_001), Some(64_000)).unwrap();
    let both = format!(
        "ansible_user=asked ansible_password=\"{PASSWORD}\" ansible_become_password=\"{PASSWORD}\""
    );
    let project = project(&sshd, &both);
    let file = sshd.path("motd").display().to_string();
    project.write(
        "overrides/playbooks/motd.yml",
        &format!(
            "component: motd\nphase: prepare\nsteps:\n  - name: greeting\n    file: {{ path: {file}, content: \"a quiet word\\n\" }}\n"
        ),
    );
    let quiet = project.run(&["plan"]);
    assert!(!quiet.contains("keys are exchanged"), "{quiet}");
    let shown = project.run(&["-vv", "up"]);
    let log = project.log();
    for line in [
        "keys are exchanged host=\"127.0.0.1\" server=SSH-2.0-OpenSSH",
        "login refused user=\"asked\" credential=\"kinstall's key for this lab\"",
        "logged in user=\"asked\" credential=\"password\"",
        "planned phase=\"prepare\"",
        "host{name=\"node1\"}: kinstall::agent: step{id=\"motd/greeting\"}: kinstall::agent::batch: begins changes=1",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
        assert!(log.contains(line), "{line}\n{log}");
    }
    // Every message is for -vv only.
    let message = "from the agent kind=\"phase done\"";
    assert!(shown.contains(message), "{shown}");
    assert!(!log.contains(message), "{log}");
    for secret in [PASSWORD, "a quiet word", "PRIVATE KEY"] {
        assert!(!shown.contains(secret), "{shown}");
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn the_fingerprint_is_shown_once() {
    let sshd = namespace::start_node("", "192m");
    let project = project(&sshd, "ansible_user=free");
    // The user's own key, which no variable names.
    let key = fs::read_to_string(sshd.path("key")).unwrap();
    project.write("home/.ssh/id_ed25519", &key);
    let shown = |text: String| text.matches("FINGERPRINT").count();
    assert_eq!(shown(project.run(&["plan"])), 1);
    assert_eq!(shown(project.run(&["plan"])), 0);
}

#[test]
fn a_plan_shows_changes_and_makes_none() {
    let sshd = namespace::start_node("", "192m");
    let key = sshd.path("key").display().to_string();
    let project = project(
        &sshd,
        &format!("ansible_user=free ansible_ssh_private_key_file={key}"),
    );
    let file = sshd.path("motd").display().to_string();
    project.write(
        "overrides/playbooks/motd.yml",
        &format!(
            "component: motd\nphase: prepare\nsteps:\n  - name: greeting\n    file: {{ path: {file}, content: \"hello\\n\" }}\n"
        ),
    );
    let before = files(&sshd.path(""));
    insta::assert_snapshot!(project.run(&["plan"]));
    assert_eq!(files(&sshd.path("")), before);
    assert!(!project.path(".kinstall/lab.json").exists());
    // Nothing but the agent itself went to the host.
    let written = project.run(&["ssh", "node1", "--", "find /usr/local /run -type f"]);
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 3, "{written}");
    assert!(
        lines[2].starts_with("/usr/local/libexec/kinstall/"),
        "{written}"
    );
}

#[test]
fn of_two_projects_at_once_one_is_refused_and_a_lock_can_be_broken() {
    let sshd = namespace::start_node("", "192m");
    chown(sshd.path("home"), Some(64_003), Some(64_000)).unwrap();
    let key = sshd.path("key").display().to_string();
    let variables = format!("ansible_user=free ansible_ssh_private_key_file={key}");
    let (first, second) = (project(&sshd, &variables), project(&sshd, &variables));
    let begun = sshd.path("begun");
    let playbook = |command: &str| {
        format!(
            "component: work\nphase: prepare\nsteps:\n  - name: work\n    command: {{ argv: [sh, -c, \"{command}\"], once: true }}\n"
        )
    };
    let slow = format!("touch {}; sleep 300", begun.display());
    first.write("overrides/playbooks/work.yml", &playbook(&slow));
    second.write("overrides/playbooks/work.yml", &playbook("true"));
    let said = first.path("said");
    let stderr = fs::File::create(&said).unwrap();
    let mut working = first.command(&["up"]).stderr(stderr).spawn().unwrap();
    while !begun.exists() {
        let ended = working.try_wait().unwrap();
        assert!(ended.is_none(), "{}", fs::read_to_string(&said).unwrap());
        std::thread::sleep(Duration::from_millis(100));
    }
    let refused = second.run(&["up"]);
    assert!(refused.starts_with("exit code 7\n"), "{refused}");
    for part in [
        "another kinstall works on `node1`: run 20",
        " by ",
        " since 20",
        ", for ",
        "--break-lock",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    // The one that works goes on.
    assert!(working.try_wait().unwrap().is_none());
    let broken = second.run(&["up", "--break-lock"]);
    assert!(!broken.contains("another kinstall works"), "{broken}");
    assert!(!working.wait().unwrap().success());
    let next = first
        .command(&["plan"])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(next.status.code().is_some());
}

#[test]
fn root_without_sudo() {
    let sshd = namespace::start_node("PermitRootLogin yes", "192m");
    let key = sshd.path("key").display().to_string();
    // sudo would ask for a password that nobody has.
    let project = project(
        &sshd,
        &format!("ansible_user=root ansible_become=false ansible_ssh_private_key_file={key}"),
    );
    let plan = project.run(&["plan"]);
    assert!(plan.starts_with("exit code 0\n"), "{plan}");
    let status = project.run(&["status"]);
    assert!(status.contains("the API server did not answer"), "{status}");
}

#[test]
fn a_host_that_cannot_be_reached_keeps_no_other_from_its_state() {
    let sshd = namespace::start_node("", "192m");
    chown(sshd.path("home"), Some(64_003), Some(64_000)).unwrap();
    let (port, key) = (sshd.port, sshd.path("key").display().to_string());
    let closed = free_port();
    let project = Project::with_inventory(&format!(
        "[all]\n\
         node1 ansible_host=127.0.0.1 ansible_port={port}\n\
         node2 ansible_host=127.0.0.1 ansible_port={closed} ip=192.168.56.22\n\
         [all:vars]\nansible_user=free\nansible_ssh_private_key_file={key}\n\
         [kube_control_plane]\nnode1\n[etcd]\nnode1\n[kube_node]\nnode1\nnode2\n"
    ))
    .hiding(sshd.path("").display().to_string(), "SSHD/")
    .hiding(format!(":{port}"), ":PORT")
    .hiding(format!(":{closed}"), ":CLOSED-PORT")
    .hiding(fingerprint(&sshd.host_key.public).unwrap(), "FINGERPRINT")
    .without_steps();
    let file = sshd.path("motd");
    project.write(
        "overrides/playbooks/motd.yml",
        &format!(
            "component: motd\nphase: prepare\nsteps:\n  - name: greeting\n    file: {{ path: {}, content: \"hello\\n\" }}\n",
            file.display()
        ),
    );
    insta::assert_snapshot!("plan_without_one_host", project.run(&["plan"]));
    assert!(!file.exists());

    let up = project.run(&["up"]);
    assert!(up.starts_with("exit code 5\n"), "{up}");
    assert!(up.contains("error: node2: failed to connect"), "{up}");
    assert!(up.contains("\nnode1  ok        1 changed"), "{up}");
    assert!(up.contains("\nnode2  unreachable\n"), "{up}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "hello\n");

    // Who leaves the host out has no complaint to hear.
    for (limit, code) in [
        ("node1", 0),
        ("all:!node2", 0),
        ("kube_node", 5),
        ("node2", 5),
    ] {
        let up = project.run(&["up", "--limit", limit]);
        assert!(
            up.starts_with(&format!("exit code {code}\n")),
            "{limit}: {up}"
        );
    }
    let unknown = project.run(&["plan", "--limit", "ndoe1"]);
    assert!(unknown.starts_with("exit code 3\n"), "{unknown}");
    assert!(unknown.contains("did you mean `node1`?"), "{unknown}");
}

#[test]
fn a_host_behind_a_jump_host() {
    let jump = Sshd::start();
    let sshd = namespace::start_node("", "192m");
    let keys = [&jump, &sshd].map(|it| it.path("key").display().to_string());
    let (user, port) = (crate::sshd::server::user(), jump.port);
    let options = format!(
        "ansible_ssh_common_args='-o ProxyCommand=\"ssh -i {} -p {port} -W %h:%p {user}@127.0.0.1\"'",
        keys[0]
    );
    let project = project(
        &sshd,
        &format!(
            "ansible_user=free ansible_ssh_private_key_file={} {options}",
            keys[1]
        ),
    )
    .hiding(format!(":{port}"), ":JUMP-PORT")
    .hiding(
        fingerprint(&jump.host_key.public).unwrap(),
        "JUMP-HOSTS-FINGERPRINT",
    );
    insta::assert_snapshot!(project.run(&["plan"]));
}

#[test]
fn a_host_that_is_this_computer_needs_no_ssh() {
    let project = Project::of_host("node1 ansible_connection=local").without_steps();
    // The agent's folder, and all that it would write, are the namespace's own.
    let run = |arguments: &[&str]| {
        let program = project.command(arguments);
        let mut command = std::process::Command::new("unshare");
        command
            .args(["--mount", "sh", "-e", "-c"])
            .arg(
                "for folder in /usr/local /run /var/lib; do mount -t tmpfs tmpfs $folder; done; \
                 exec \"$@\"",
            )
            .arg("sh")
            .arg(program.get_program())
            .args(program.get_args());
        project.prepare(&mut command);
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, stdout, stderr) = run(&["plan"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("Nothing to do"), "{stdout}{stderr}");
    let (code, stdout, stderr) = run(&["ssh", "node1", "--", "echo", "here"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "here\n"), "{stderr}");
    let (code, stdout, stderr) = run(&["up", "--provider", "existing"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    // What the host said is kept for the commands that don't ask it.
    let state = fs::read_to_string(project.path(".kinstall/lab.json")).unwrap();
    assert!(state.contains("\"node1\": \""), "{state}");
}
