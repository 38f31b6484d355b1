//! Machines that are there already: a cluster on them, reached only by what the inventory says.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kinstall::provision::{MachineState, Provider as _};

use super::kinstall::program;
use crate::container::lab::TestLab;

const PASSWORD: &str = "correct horse";

#[test]
#[ignore = "needs root and a bundle: `./test clusters`"]
fn a_cluster_on_hosts_that_exist() {
    let mut machines = TestLab::new("existing", 2);
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
    assert_eq!(plan.stderr.matches("new host key SHA256:").count(), 2);
    assert_eq!(cluster.times_key_is_known(), [0, 0]);

    let up = cluster.run(&["up"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    assert_eq!(cluster.ready_nodes(), ["n1", "n2"]);
    assert_eq!(cluster.times_key_is_known(), [1, 1]);

    // From now on the lab's key is enough.
    cluster.edit("ansible_ssh_private_key_file=", "#");
    let again = cluster.run(&["up"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let recap = again.stderr.lines().filter(|line| line.contains("  ok  "));
    let unchanged = recap.filter(|line| line.contains(" 0 changed"));
    assert_eq!(unchanged.count(), 2, "{}", again.stderr);
    assert_eq!(cluster.run(&["plan"]).code, 0);
    assert_eq!(cluster.times_key_is_known(), [1, 1]);
    let ssh = cluster.run(&["ssh", "n2", "--", "hostname; exit 7"]);
    assert_eq!((ssh.code, ssh.stdout.as_str()), (7, "n2\n"));

    let down = cluster.run(&["down", "--yes"]);
    assert_eq!(down.code, 3, "{}", down.stderr);
    assert!(down.stderr.contains("did not make these machines"));
    assert_eq!(machines.states(), [MachineState::Running; 2]);
    assert_eq!(cluster.ready_nodes(), ["n1", "n2"]);
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
             [all:vars]\nansible_user=vagrant\nansible_ssh_private_key_file={}\n\
             [kube_control_plane]\nn1\n[etcd]\nn1\n[kube_node]\nn2\n",
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

    /// Returns how often each machine's user has the lab's key among those that may log in.
    fn times_key_is_known(&self) -> [usize; 2] {
        let key = fs::read_to_string(self.path(".kinstall/ssh/id_ed25519.pub"));
        let key = key.unwrap_or_else(|_| "no key yet".to_owned());
        [0, 1].map(|machine| {
            let known = self
                .machines
                .ssh("vagrant", machine, "cat .ssh/authorized_keys");
            known.unwrap().matches(key.trim()).count()
        })
    }
}
