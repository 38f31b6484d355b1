//! A lab on a VirtualBox of its own: the real VBoxManage, in a network namespace of its own.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::time::Duration;

use kinstall::image::ImageStore;
use kinstall::model::{MachineDefaults, MachineSpec};
use kinstall::provision::virtualbox::{Manage, VirtualBoxProvider};
use kinstall::provision::{
    Lab, Machine, MachineChange, MachineState, Provider, ProviderError, plan,
};
use kinstall::secret::Secret;

const VBOXMANAGE: &str = "/usr/lib/virtualbox/VBoxManage";

pub struct TestLab {
    folder: tempfile::TempDir,
    namespace: String,
    /// Counts the calls, and kills the caller at one of them.
    wrapper: PathBuf,
    pub provider: VirtualBoxProvider,
    pub lab: Lab,
    pub told: Mutex<Vec<String>>,
}

impl TestLab {
    pub fn new(name: &str, machines: u8) -> Self {
        Self::with_environment(name, machines, "KINSTALL_TEST_HOST_ONLY=1")
    }

    /// As [`TestLab::new`], where what VirtualBox is missing are its kernel drivers.
    pub fn without_drivers(name: &str, machines: u8) -> Self {
        Self::with_environment(name, machines, "KINSTALL_TEST_NO_DRIVER=1")
    }

    fn with_environment(name: &str, machines: u8, environment: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("kinstall-vb")
            .tempdir()
            .unwrap();
        let namespace = format!("kvb-{name}-{}", std::process::id());
        run("ip", &["netns", "add", &namespace]);
        run("ip", &["-n", &namespace, "link", "set", "lo", "up"]);
        let root = folder.path();
        fs::create_dir(root.join("home")).unwrap();
        fs::create_dir(root.join("state")).unwrap();
        let wrapper = root.join("VBoxManage");
        let program = std::env::var("KINSTALL_TEST_VBOXMANAGE").unwrap_or(VBOXMANAGE.into());
        let script = format!(
            "#!/bin/sh\n\
             export VBOX_USER_HOME={root}/home VBOX_IPC_SOCKETID={namespace} {environment}\n\
             export KINSTALL_STAND_IN_STATE={root}/state KINSTALL_TEST_CRASH={root}\n\
             (flock 9; echo \"$@\" >>{root}/calls\n\
             [ ! -e {root}/kill-at ] || [ \"$(wc -l <{root}/calls)\" -ne \"$(cat {root}/kill-at)\" ] || kill -9 $PPID) 9>{root}/lock\n\
             exec ip netns exec {namespace} {program} \"$@\"\n",
            root = root.display(),
        );
        fs::write(&wrapper, script).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        let disk = root.join("image.raw");
        let image = fs::File::create(&disk).unwrap();
        image.set_len(64 << 20).unwrap();
        // A disk that nothing boots from is no image.
        image.write_all_at(&[0x55, 0xaa], 510).unwrap();
        let cloud_image = root.join("image.qcow2").display().to_string();
        let convert = [
            "convert",
            "-q",
            "-O",
            "qcow2",
            disk.to_str().unwrap(),
            &cloud_image,
        ];
        run("qemu-img", &convert);
        let lab = description(root, machines);
        let provider = provider(&wrapper, root);
        let test = Self {
            folder,
            namespace,
            wrapper,
            provider,
            lab,
            told: Mutex::default(),
        };
        test.manage(&[
            "setproperty",
            "machinefolder",
            &format!("{}/machines", test.root().display()),
        ]);
        test.forget_calls();
        test
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Kills this lab's VBoxSVC, if it runs.
    pub fn kill_server(&self) {
        self.kill("VBoxSVC");
    }

    /// Kills the processes of this lab's VirtualBox with a word in their command line.
    fn kill(&self, program: &str) {
        let mine = format!("VBOX_IPC_SOCKETID={}", self.namespace);
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let mut words = environment.split(|byte| *byte == 0);
            let is_meant = String::from_utf8_lossy(&command).contains(program);
            if is_meant && words.any(|word| word == mine.as_bytes()) {
                let number = entry.file_name().into_string().unwrap();
                // It may have ended by itself.
                let _ = Command::new("kill").args(["-9", &number]).output();
            }
        }
    }

    /// Calls the real VBoxManage; panics where it fails.
    pub fn manage(&self, arguments: &[&str]) -> String {
        let output = self.try_manage(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn try_manage(&self, arguments: &[&str]) -> Output {
        Command::new(&self.wrapper)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Makes a machine with a disk that isn't the lab's; returns its files.
    pub fn own_machine(&self, name: &str) -> [PathBuf; 2] {
        let folder = self.root().join("machines").join(name);
        let disk = folder.join("own.vdi");
        let path = disk.display().to_string();
        let create = [
            "createvm",
            "--name",
            name,
            "--ostype",
            "Linux_64",
            "--register",
        ];
        self.manage(&create);
        self.manage(&["createmedium", "disk", "--filename", &path, "--size", "8"]);
        self.manage(&["storagectl", name, "--name", "SATA", "--add", "sata"]);
        let attach = ["storageattach", name, "--storagectl", "SATA", "--port", "0"];
        let medium = ["--device", "0", "--type", "hdd", "--medium", &path];
        self.manage(&[&attach[..], &medium].concat());
        [folder.join(format!("{name}.vbox")), disk]
    }

    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.root().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub fn forget_calls(&self) {
        let _ = fs::remove_file(self.root().join("calls"));
    }

    pub fn changes(&self) -> Vec<MachineChange> {
        plan::changes(&self.lab, &self.provider.observe(&self.lab).unwrap())
    }

    pub fn up(&self) -> Result<(), ProviderError> {
        self.provider
            .up(&self.lab, &self.changes(), &|machine, what| {
                self.hear(machine, what);
            })
    }

    pub fn down(&self) {
        self.provider.down(&self.lab, &|_, _| {}).unwrap();
    }

    pub fn remove(&self, names: &[&str]) {
        self.provider.remove(&self.lab, names, &|_, _| {}).unwrap();
    }

    pub fn hear(&self, machine: &str, what: &str) {
        self.told.lock().unwrap().push(format!("{machine}: {what}"));
    }

    pub fn states(&self) -> Vec<MachineState> {
        self.provider
            .observe(&self.lab)
            .unwrap()
            .into_iter()
            .map(|it| it.state)
            .collect()
    }

    /// Everything that VirtualBox has, to compare before and after.
    pub fn inventory(&self) -> String {
        let lists = ["vms", "hdds", "dvds", "hostonlyifs", "dhcpservers"]
            .map(|kind| self.manage(&["list", kind]));
        let extra = self.manage(&["getextradata", "global", "enumerate"]);
        format!("{}{extra}", lists.concat())
    }
}

impl Drop for TestLab {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.root().join("kill-at"));
        self.kill("VBox");
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.namespace])
            .status();
    }
}

pub fn description(root: &Path, machines: u8) -> Lab {
    Lab {
        id: "0123abcd".into(),
        cluster: "course".into(),
        directory: root.join("labs/0123abcd"),
        gateway: "192.168.56.1/24".parse().unwrap(),
        user: "kinstall".into(),
        authorized_key: String::new(),
        machines: (1..=machines).map(machine).collect(),
        inventory_folder: root.to_owned(),
        egress: true,
        defaults: MachineDefaults::default(),
        forwards: Vec::new(),
    }
}

pub fn provider(vboxmanage: &Path, root: &Path) -> VirtualBoxProvider {
    VirtualBoxProvider {
        manage: Manage::new(vboxmanage.to_owned()),
        images: ImageStore::at(root.join("images")).unwrap(),
        halt_patience: Duration::from_secs(4),
    }
}

fn machine(number: u8) -> Machine {
    Machine {
        name: format!("node{number}"),
        address: [192, 168, 56, 10 + number].into(),
        spec: MachineSpec {
            cpus: 1,
            memory_mib: 64,
            disk_gib: 2,
            image: "./image.qcow2".into(),
            extra_disks_gib: vec![1],
            networks: Vec::new(),
            forwarded_ports: Vec::new(),
            shared_folders: Vec::new(),
        },
        host_key: Secret::new(""),
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}
