//! A lab of QEMU's machines for one test; it is torn down when the test ends, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kinstall::image::ImageStore;
use kinstall::model::{MachineDefaults, MachineSpec};
use kinstall::provision::qemu::QemuProvider;
use kinstall::provision::{Lab, Machine, MachineState, Provider, plan};
use kinstall::secret::Secret;

pub(crate) struct TestLab {
    pub(crate) provider: QemuProvider,
    pub(crate) lab: Lab,
    /// Keys and images.
    folder: PathBuf,
}

impl TestLab {
    /// Describes a lab with machines `n1`, `n2`, … at 192.168.56.21 and up; makes nothing but keys.
    pub(crate) fn new(name: &str, machines: u8) -> Self {
        Self::with_image(name, machines, &guest())
    }

    /// As [`TestLab::new`], with machines that find nothing to boot from: they run all the same.
    pub(crate) fn without_guests(name: &str, machines: u8) -> Self {
        let folder = std::env::temp_dir().join(format!("kinstall-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let disk = folder.join("empty.qcow2");
        let mut make = Command::new("qemu-img");
        make.args(["create", "-q", "-f", "qcow2"])
            .arg(&disk)
            .arg("16M");
        assert!(make.status().unwrap().success());
        Self::with_image(name, machines, disk.to_str().unwrap())
    }

    fn with_image(name: &str, machines: u8, image: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("kinstall-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for key in ["login", "host"] {
            let mut make = Command::new("ssh-keygen");
            make.args(["-q", "-t", "ed25519", "-N", "", "-C", "kinstall", "-f"]);
            assert!(make.arg(folder.join(key)).status().unwrap().success());
        }
        fs::write(folder.join("image"), image).unwrap();
        Self::open(&folder, machines)
    }

    /// Describes the lab again whose keys are in a folder.
    pub(crate) fn open(folder: &Path, machines: u8) -> Self {
        let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        let id = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let spec = MachineSpec {
            cpus: 2,
            memory_mib: 1024,
            disk_gib: 12,
            image: read("image"),
            extra_disks_gib: Vec::new(),
            networks: Vec::new(),
            forwarded_ports: Vec::new(),
            shared_folders: Vec::new(),
        };
        let machine = |number| Machine {
            name: format!("n{number}"),
            address: format!("192.168.56.{}", 20 + number).parse().unwrap(),
            spec: spec.clone(),
            host_key: Secret::new(read("host")),
        };
        let machines: Vec<Machine> = (1..=machines).map(machine).collect();
        let known = |machine: &Machine| format!("{} {}", machine.address, read("host.pub"));
        let known: String = machines.iter().map(known).collect();
        fs::write(folder.join("known_hosts"), known).unwrap();
        let lab = Lab {
            directory: folder.join("lab"),
            id,
            cluster: "test".into(),
            gateway: "192.168.56.1/24".parse().unwrap(),
            user: "vagrant".into(),
            authorized_key: read("login.pub").trim().to_owned(),
            machines,
            inventory_folder: PathBuf::new(),
            defaults: MachineDefaults::default(),
            forwards: Vec::new(),
        };
        let provider = QemuProvider {
            cache: folder.join("cache"),
            images: ImageStore::at(folder.join("images")).unwrap(),
        };
        let folder = folder.to_owned();
        Self {
            provider,
            lab,
            folder,
        }
    }

    /// Does what the plan says, and shows how long it took.
    pub(crate) fn up(&self) {
        let changes = self.changes();
        Self::timed("up", || {
            let result = self.provider.up(&self.lab, &changes, &|name, what| {
                eprintln!("{name}: {what}");
            });
            result.unwrap_or_else(|error| panic!("{error:?}"));
        });
    }

    pub(crate) fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = act();
        eprintln!("{what}: {:.1} s", start.elapsed().as_secs_f64());
        result
    }

    pub(crate) fn changes(&self) -> Vec<plan::MachineChange> {
        plan::changes(&self.lab, &self.provider.observe(&self.lab).unwrap())
    }

    pub(crate) fn states(&self) -> Vec<MachineState> {
        let observed = self.provider.observe(&self.lab).unwrap();
        observed.iter().map(|machine| machine.state).collect()
    }

    /// Runs `up` in another process, which is killed as soon as all machines are in a state.
    pub(crate) fn up_until(&self, machines: u8, what: &str, is_reached: impl Fn() -> bool) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "only_the_up_of_another_test"])
            .env("KINSTALL_TEST_LAB", &self.folder)
            .env(
                "KINSTALL_TEST_MEMORY",
                self.lab.machines[0].spec.memory_mib.to_string(),
            )
            .env("KINSTALL_TEST_MACHINES", machines.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_mins(2);
        while !is_reached() {
            assert!(Instant::now() < deadline, "no {what}");
            assert_eq!(child.try_wait().unwrap(), None, "before {what}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        eprintln!("killed at {what}: {:?}", self.states());
    }

    /// Runs a shell command on a machine with the ordinary ssh client, which knows the host key
    /// beforehand; tries again for as long as nobody lets it in.
    pub(crate) fn ssh(&self, machine: usize, command: &str) -> String {
        let deadline = Instant::now() + Duration::from_mins(6);
        loop {
            match self.try_ssh(machine, command) {
                Ok(text) => return text,
                Err((Some(255), _)) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_secs(2));
                }
                Err((code, text)) => panic!("n{}: {command}: {code:?}: {text}", machine + 1),
            }
        }
    }

    fn try_ssh(&self, machine: usize, command: &str) -> Result<String, (Option<i32>, String)> {
        let address = self.lab.machines[machine].address;
        let output = tempfile::NamedTempFile::new().unwrap();
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=30",
        ])
        .args([
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "LogLevel=ERROR",
            "-o",
        ])
        .arg(format!(
            "UserKnownHostsFile={}",
            self.folder.join("known_hosts").display()
        ))
        .arg("-i")
        .arg(self.folder.join("login"))
        .arg(format!("vagrant@{address}"))
        .arg(command)
        .stdin(Stdio::null())
        .stdout(output.reopen().unwrap())
        .stderr(output.reopen().unwrap());
        let status = self.provider.run_in_network(&self.lab, &mut ssh).unwrap();
        let text = fs::read_to_string(output.path()).unwrap().trim().to_owned();
        status
            .success()
            .then_some(text.clone())
            .ok_or((status.code(), text))
    }

    /// Returns the lab's QEMUs.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let is_ours = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&format!("\0kinstall-{}-", self.lab.id))
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut pids: Vec<u32> = pids.filter(is_ours).collect();
        pids.sort_unstable();
        pids
    }

    /// Tears the lab down and names whatever it left.
    pub(crate) fn down(&self) -> Vec<String> {
        let down = self.provider.down(&self.lab, &|_, _| ());
        down.unwrap_or_else(|error| panic!("{error:?}"));
        let mut left: Vec<String> = self
            .processes()
            .iter()
            .map(|it| format!("process {it}"))
            .collect();
        if self.lab.directory.exists() {
            left.push("folder".into());
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let ours = mounts.lines().filter(|line| line.contains(&self.lab.id));
        left.extend(ours.map(str::to_owned));
        let cards = fs::read_dir("/sys/class/net").unwrap().flatten();
        let cards = cards.filter_map(|card| card.file_name().into_string().ok());
        left.extend(cards.filter(|card| card.starts_with("kin")));
        left
    }
}

impl Drop for TestLab {
    fn drop(&mut self) {
        let _ = self.provider.down(&self.lab, &|_, _| ());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the disk of a machine that cloud-init sets up.
fn guest() -> String {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/build");
    let output = Command::new(build)
        .arg("cloud")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
