//! A lab of QEMU's machines for one test; it is torn down when the test ends, however it ends.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kinstall::image::ImageStore;
use kinstall::model::{MachineDefaults, MachineSpec};
use kinstall::provision::qemu::QemuProvider;
use kinstall::provision::{Lab, Machine, MachineState, Provider, plan};
use kinstall::secret::Secret;

const IMAGE: &str = "empty.qcow2";

pub(crate) struct TestLab {
    pub(crate) provider: QemuProvider,
    pub(crate) lab: Lab,
    /// Keys and images.
    folder: PathBuf,
    /// Of other labs on this computer.
    cards_before: BTreeSet<String>,
}

impl TestLab {
    /// Describes a lab with machines `n1`, `n2`, … at 192.168.56.21 and up, which find nothing to boot
    /// from; makes nothing but keys and an empty image.
    pub(crate) fn without_guests(name: &str, machines: u8) -> Self {
        let folder = std::env::temp_dir().join(format!("kinstall-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut make = Command::new("qemu-img");
        make.args(["create", "-q", "-f", "qcow2"])
            .arg(folder.join(IMAGE))
            .arg("16M");
        assert!(make.status().unwrap().success());
        for key in ["login", "host"] {
            let mut make = Command::new("ssh-keygen");
            make.args(["-q", "-t", "ed25519", "-N", "", "-C", "kinstall", "-f"]);
            assert!(make.arg(folder.join(key)).status().unwrap().success());
        }
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
            image: folder.join(IMAGE).to_str().unwrap().to_owned(),
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
        let lab = Lab {
            directory: folder.join("lab"),
            id,
            cluster: "test".into(),
            gateway: "192.168.56.1/24".parse().unwrap(),
            user: "vagrant".into(),
            authorized_key: read("login.pub").trim().to_owned(),
            machines,
            inventory_folder: PathBuf::new(),
            egress: true,
            defaults: MachineDefaults::default(),
            forwards: Vec::new(),
        };
        let provider = QemuProvider {
            cache: folder.join("cache"),
            images: ImageStore::at(folder.join("images")).unwrap(),
        };
        Self {
            provider,
            lab,
            folder: folder.to_owned(),
            cards_before: cards(),
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
        let spec = &self.lab.machines[0].spec;
        let hardware = (spec.memory_mib, &spec.extra_disks_gib);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact"])
            .arg("qemu::a_killed_up_is_taken_up_again_and_taken_down")
            .env("KINSTALL_TEST_LAB", &self.folder)
            .env(
                "KINSTALL_TEST_HARDWARE",
                serde_json::to_string(&hardware).unwrap(),
            )
            .env(
                "KINSTALL_TEST_FOLDERS",
                serde_json::to_string(&spec.shared_folders).unwrap(),
            )
            .env("KINSTALL_TEST_MACHINES", machines.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_mins(2);
        while !is_reached() {
            assert!(Instant::now() < deadline, "no {what}");
            let has_ended = child.try_wait().unwrap().is_some();
            assert!(!has_ended || is_reached(), "it ended before {what}");
            thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        eprintln!("killed at {what}");
    }

    /// Runs `up`, and waits until each machine is one process.
    pub(crate) fn up_until_running(&self) {
        let machines = self.lab.machines.len();
        self.up();
        assert_eq!(self.states(), vec![MachineState::Running; machines]);
        // A QEMU that puts itself into the background is two processes for a moment.
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.processes().len() != machines {
            assert!(Instant::now() < deadline, "{:?}", self.processes());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Runs a shell command in the lab's network; tells whether it succeeded.
    pub(crate) fn in_network(&self, command: &str) -> bool {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]);
        let status = self.provider.run_in_network(&self.lab, &mut shell);
        status.unwrap().success()
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
        left.extend(self.mounts());
        left.extend(cards().difference(&self.cards_before).cloned());
        left
    }

    /// Returns the lab's mounts.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let ours = mounts.lines().filter(|line| line.contains(&self.lab.id));
        ours.map(str::to_owned).collect()
    }
}

impl Drop for TestLab {
    fn drop(&mut self) {
        let _ = self.provider.down(&self.lab, &|_, _| ());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns the network cards of QEMU labs that are in nobody's network.
fn cards() -> BTreeSet<String> {
    let cards = fs::read_dir("/sys/class/net").unwrap().flatten();
    let cards = cards.filter_map(|card| card.file_name().into_string().ok());
    cards.filter(|card| card.starts_with("kin")).collect()
}
