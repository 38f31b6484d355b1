//! A lab of real machines for one test; it is torn down when the test ends, however it ends.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kinstall::model::{MachineDefaults, MachineSpec};
use kinstall::provision::container::ContainerProvider;
use kinstall::provision::{Lab, Machine, MachineState, Provider};
use kinstall::secret::Secret;
use tempfile::TempDir;

pub(crate) struct TestLab {
    pub(crate) provider: ContainerProvider,
    pub(crate) lab: Lab,
    keys: TempDir,
}

impl TestLab {
    /// Describes a lab with machines `n1`, `n2`, … at 192.168.56.21 and up; makes nothing but keys.
    pub(crate) fn new(name: &str, machines: u8) -> Self {
        let keys = tempfile::tempdir().unwrap();
        for key in ["login", "host"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "kinstall", "-f"])
                .arg(keys.path().join(key))
                .status()
                .unwrap();
            assert!(made.success());
        }
        let read = |file: &str| fs::read_to_string(keys.path().join(file)).unwrap();
        let id = format!("test-{name}-{}", std::process::id());
        let machines: Vec<Machine> = (1..=machines)
            .map(|number| Machine {
                name: format!("n{number}"),
                address: format!("192.168.56.{}", 20 + number).parse().unwrap(),
                spec: MachineSpec {
                    cpus: 2,
                    memory_mib: 1024,
                    disk_gib: 20,
                    image: String::new(),
                    extra_disks_gib: Vec::new(),
                    networks: Vec::new(),
                    forwarded_ports: Vec::new(),
                    shared_folders: Vec::new(),
                },
                host_key: Secret::new(read("host")),
            })
            .collect();
        let known: Vec<String> = machines
            .iter()
            .map(|machine| format!("{} {}", machine.address, read("host.pub")))
            .collect();
        fs::write(keys.path().join("known_hosts"), known.concat()).unwrap();
        let lab = Lab {
            directory: Path::new("/var/lib/kinstall/labs").join(&id),
            id,
            cluster: name.to_owned(),
            gateway: "192.168.56.1/24".parse().unwrap(),
            user: "vagrant".into(),
            authorized_key: read("login.pub"),
            machines,
            inventory_folder: PathBuf::new(),
            egress: false,
            defaults: MachineDefaults::default(),
            forwards: Vec::new(),
        };
        let provider = ContainerProvider {
            cache: PathBuf::from("/var/cache/kinstall"),
            program: env!("CARGO_BIN_EXE_kinstall").into(),
            mirror: None,
        };
        Self {
            provider,
            lab,
            keys,
        }
    }

    pub(crate) fn up(&self) {
        self.provider
            .up(&self.lab, &[], &|_, _| ())
            .unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// Returns the file of the private key that may log in to the machines.
    pub(crate) fn login_key(&self) -> PathBuf {
        self.keys.path().join("login")
    }

    pub(crate) fn states(&self) -> Vec<MachineState> {
        let observed = self.provider.observe(&self.lab).unwrap();
        observed.iter().map(|machine| machine.state).collect()
    }

    /// Runs a shell command on a machine with the ordinary ssh client, which knows the host key beforehand.
    pub(crate) fn ssh(&self, user: &str, machine: usize, command: &str) -> Result<String, String> {
        let address = self.lab.machines[machine].address;
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
        ])
        .args([
            "-o",
            "ConnectTimeout=5",
            "-o",
            "HostKeyAlgorithms=ssh-ed25519",
            "-o",
        ])
        .arg(format!(
            "UserKnownHostsFile={}",
            self.keys.path().join("known_hosts").display()
        ))
        .arg("-i")
        .arg(self.login_key())
        .arg(format!("{user}@{address}"))
        .arg(command);
        self.run(&mut ssh)
    }

    /// Runs a program inside the lab's network.
    pub(crate) fn run(&self, command: &mut Command) -> Result<String, String> {
        let output = tempfile::NamedTempFile::new().unwrap();
        command
            .stdin(Stdio::null())
            .stdout(output.reopen().unwrap())
            .stderr(output.reopen().unwrap());
        let status = self.provider.run_in_network(&self.lab, command).unwrap();
        let text = fs::read_to_string(output.path()).unwrap().trim().to_owned();
        if status.success() {
            Ok(text)
        } else {
            Err(text)
        }
    }

    /// Kills the supervisor as hard as it goes.
    pub(crate) fn kill_supervisor(&self) {
        let pids = self.processes("lab-supervisor");
        assert!(!pids.is_empty());
        for pid in pids {
            let _ = Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status()
                .unwrap();
        }
    }

    /// Processes with this lab's folder and a word in their command line.
    pub(crate) fn processes(&self, word: &str) -> Vec<u32> {
        let folder = self.lab.directory.to_string_lossy().into_owned();
        fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid: &u32| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line);
                line.contains(&folder) && line.contains(word)
            })
            .collect()
    }

    /// Tears the lab down and names whatever it left.
    pub(crate) fn down(&self) -> Vec<String> {
        // While the file is open, the kernel gives the namespace's number to no other.
        let network = File::open(self.lab.directory.join("network-namespace")).ok();
        self.provider
            .down(&self.lab, &|_, _| ())
            .unwrap_or_else(|error| panic!("{error:?}"));
        let mut left: Vec<String> = Vec::new();
        if self.lab.directory.exists() {
            left.push("folder".into());
        }
        left.extend(
            self.processes("")
                .iter()
                .map(|pid| format!("process {pid}")),
        );
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        left.extend(
            mounts
                .lines()
                .filter(|line| line.contains(&self.lab.id))
                .map(|line| format!("mount {line}")),
        );
        let groups = Command::new("find")
            .args([
                "/sys/fs/cgroup",
                "-name",
                &format!("kinstall-{}", self.lab.id),
            ])
            .output()
            .unwrap();
        left.extend(
            String::from_utf8_lossy(&groups.stdout)
                .lines()
                .map(|line| format!("group {line}")),
        );
        if let Some(network) = network {
            let identity = format!("net:[{}]", network.metadata().unwrap().ino());
            let holds = |entry: &fs::DirEntry| {
                fs::read_link(entry.path().join("ns/net"))
                    .is_ok_and(|link| link.to_string_lossy() == identity)
            };
            let holders = fs::read_dir("/proc").unwrap().flatten().filter(holds);
            left.extend(
                holders.map(|entry| format!("process in the network {}", entry.path().display())),
            );
        }
        left
    }
}

impl Drop for TestLab {
    fn drop(&mut self) {
        let _ = self.provider.down(&self.lab, &|_, _| ());
    }
}

/// Repeats an attempt until it succeeds; machines need a moment.
pub(crate) fn eventually<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(error) if Instant::now() > deadline => panic!("{error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
