//! Machines that are there already: a cluster on them, reached only by what the inventory says.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use kinstall::provision::{MachineState, Power, Provider as _};

use super::kinstall::{eventually, program};
use crate::container::lab::TestLab;

const PASSWORD: &str = "correct horse";
const NODES: [&str; 4] = ["n1", "n2", "n3", "n4"];

/// A file on every host, and a step of n4 that takes long.
const GREETING: &str = "\
component: greeting
phase: prepare
hosts: all
steps:
  - name: message
    file: { path: /etc/motd, content: of this cluster }
  - name: slow
    when: host.name == 'n4'
    command: { argv: [sleep, '600'], once: true, timeout: 20m }
";

#[test]
#[ignore = "needs root and a bundle: `./test clusters`"]
fn a_cluster_on_hosts_that_exist() {
    let mut machines = TestLab::new("existing", 4);
    machines.lab.machines[0].spec.memory_mib = 2048;
    machines.up();
    // The first host's sudo asks for a password, the second one's doesn't.
    let password = format!("echo 'vagrant:{PASSWORD}' | chpasswd");
    let sudoers = "echo 'vagrant ALL=(ALL:ALL) ALL' > /etc/sudoers.d/kinstall";
    for command in [password.as_str(), sudoers] {
        machines.ssh("root", 0, command).unwrap();
    }
    machines.ssh("vagrant", 0, "sudo -n true").unwrap_err();
    let cluster = Cluster::on(&machines);

    let plan = cluster.run(&["plan"]);
    assert_eq!(plan.code, 2, "{}", plan.stderr);
    assert_eq!(plan.stderr.matches("new host key SHA256:").count(), 4);
    assert_eq!(cluster.times_key_is_known(), [0; 4]);

    let up = cluster.run(&["up"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    assert_eq!(cluster.ready_nodes(), NODES);
    assert_eq!(cluster.times_key_is_known(), [1; 4]);

    // From now on the lab's key is enough.
    cluster.edit("ansible_ssh_private_key_file=", "#");
    let again = cluster.run(&["up"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let recap = again.stderr.lines().filter(|line| line.contains("  ok  "));
    let unchanged = recap.filter(|line| line.contains(" 0 changed"));
    assert_eq!(unchanged.count(), 4, "{}", again.stderr);
    assert_eq!(cluster.run(&["plan"]).code, 0);
    assert_eq!(cluster.times_key_is_known(), [1; 4]);
    let ssh = cluster.run(&["ssh", "n2", "--", "hostname; exit 7"]);
    assert_eq!((ssh.code, ssh.stdout.as_str()), (7, "n2\n"));

    hosts_fail_alone(&cluster);

    let down = cluster.run(&["down", "--yes"]);
    assert_eq!(down.code, 3, "{}", down.stderr);
    assert!(down.stderr.contains("did not make these machines"));
    assert_eq!(machines.states(), [MachineState::Running; 4]);
    assert_eq!(cluster.ready_nodes(), NODES);
}

/// n3 is off, and the cable of n4 is pulled while a step runs there: the others are brought to their state, and as soon as
/// both are back the same command goes on.
fn hosts_fail_alone(cluster: &Cluster) {
    let machines = cluster.machines;
    fs::create_dir_all(cluster.path("mine/playbooks")).unwrap();
    fs::write(cluster.path("mine/playbooks/greeting.yml"), GREETING).unwrap();
    let power = |action| {
        let done = machines
            .provider
            .power(&machines.lab, &["n3"], action, &|_, _| ());
        done.unwrap();
    };
    power(Power::Halt);
    let without_one = cluster.run(&["up"]);
    assert_eq!(without_one.code, 5, "{}", without_one.stderr);
    assert!(without_one.stderr.contains("n4  ok        0 changed"));
    let cable = cluster.cable_of(3);
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| cluster.run(&["up", "--overrides", "mine"]));
        eventually("n4 is at work", 60, || {
            machines.ssh("vagrant", 3, "pgrep -x sleep").is_ok()
        });
        cluster.link(&cable, "down");
        run.join().unwrap()
    });
    assert_eq!(run.code, 1, "{}", run.stderr);
    for line in [
        "n1  ok        1 changed",
        "n2  ok        1 changed",
        "n3  unreachable",
        "n4  failed",
        "connection to 192.168.56.24:22 was lost",
    ] {
        assert!(run.stderr.contains(line), "{line}\n{}", run.stderr);
    }
    for (machine, node) in [(0, "n1"), (1, "n2")] {
        let said = machines.ssh("vagrant", machine, "cat /etc/motd").unwrap();
        assert_eq!(said, "of this cluster", "{node}");
    }
    cluster.link(&cable, "up");
    power(Power::Start);
    eventually("all machines answer", 60, || {
        [2, 3]
            .iter()
            .all(|it| machines.ssh("vagrant", *it, "true").is_ok())
    });
    eventually("the agent there notices, and ends its step", 60, || {
        machines.ssh("vagrant", 3, "pgrep -x sleep").is_err()
    });
    let up = cluster.run(&["up"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    assert_eq!(cluster.run(&["plan"]).code, 0);
}

/// An inventory of the machines, and the program inside their network.
struct Cluster<'a> {
    machines: &'a TestLab,
    directory: tempfile::TempDir,
}

struct Finished {
    code: i32,
    stdout: String,
    stderr: String,
}

impl<'a> Cluster<'a> {
    fn on(machines: &'a TestLab) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = machines.login_key();
        let inventory = format!(
            "[all]\n\
             n1 ansible_host=192.168.56.21 ip=192.168.56.21 ansible_become_password='{PASSWORD}'\n\
             n2 ansible_host=192.168.56.22 ip=192.168.56.22\n\
             n3 ansible_host=192.168.56.23 ip=192.168.56.23\n\
             n4 ansible_host=192.168.56.24 ip=192.168.56.24\n\
             [all:vars]\nansible_user=vagrant\nansible_ssh_private_key_file={}\n\
             [kube_control_plane]\nn1\n[etcd]\nn1\n[kube_node]\nn[2:4]\n",
            key.display()
        );
        fs::write(directory.path().join("inventory.ini"), inventory).unwrap();
        Self {
            machines,
            directory,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("inventory.ini")).unwrap();
        assert!(text.contains(from));
        fs::write(self.path("inventory.ini"), text.replace(from, to)).unwrap();
    }

    /// Runs the program as on a computer in the machines' network, by a user without keys of their own.
    fn run(&self, arguments: &[&str]) -> Finished {
        let (stdout, stderr) = (self.path("stdout"), self.path("stderr"));
        let mut command = Command::new(program());
        command
            .current_dir(self.directory.path())
            .args(arguments)
            .env(
                "KINSTALL_CACHE",
                kinstall::bundle::cache_directory().unwrap(),
            )
            .env("HOME", self.directory.path())
            .env_remove("SSH_AUTH_SOCK")
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap());
        let TestLab { provider, lab, .. } = self.machines;
        let status = provider.run_in_network(lab, &mut command).unwrap();
        Finished {
            code: status.code().unwrap(),
            stdout: fs::read_to_string(stdout).unwrap(),
            stderr: fs::read_to_string(stderr).unwrap(),
        }
    }

    fn ready_nodes(&self) -> Vec<String> {
        let status = self.run(&["status", "--output", "json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        let hosts = status["hosts"].as_array().unwrap().iter();
        hosts
            .filter(|host| host["node"]["ready"] == true)
            .map(|host| host["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the end of a machine's network cable that is not in the machine.
    fn cable_of(&self, machine: usize) -> String {
        let number = "cat /sys/class/net/host0/iflink";
        let number = self.machines.ssh("vagrant", machine, number).unwrap();
        let mut list = Command::new("ip");
        let list = list.args(["-oneline", "link", "show", "master", "lab0"]);
        let links = self.machines.run(list).unwrap();
        let mut links = links.lines().filter_map(|line| line.split_once(": "));
        let (_, link) = links.find(|(index, _)| *index == number).unwrap();
        link.split('@').next().unwrap().to_owned()
    }

    fn link(&self, name: &str, state: &str) {
        let mut set = Command::new("ip");
        let set = set.args(["link", "set", "dev", name, state]);
        self.machines.run(set).unwrap();
    }

    /// Returns how often each machine's user has the lab's key among those that may log in.
    fn times_key_is_known(&self) -> [usize; 4] {
        let key = fs::read_to_string(self.path(".kinstall/ssh/id_ed25519.pub"));
        let key = key.unwrap_or_else(|_| "no key yet".to_owned());
        [0, 1, 2, 3].map(|machine| {
            let known = self
                .machines
                .ssh("vagrant", machine, "cat .ssh/authorized_keys");
            known.unwrap().matches(key.trim()).count()
        })
    }
}
