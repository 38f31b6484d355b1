//! A containerd of its own for a test: own root, own socket, the native snapshotter.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::started::{Started, program};

pub struct Containerd {
    _containerd: Started,
    pub socket: PathBuf,
}

impl Containerd {
    /// Starts containerd in a folder, without the parts that run containers.
    pub fn start(folder: &Path) -> Self {
        let socket = folder.join("run/containerd/containerd.sock");
        let configuration = format!(
            "version = 3\nroot = '{root}/root'\nstate = '{root}/state'\n\
             disabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime']\n\
             [grpc]\naddress = '{socket}'\n[plugins.'io.containerd.nri.v1.nri']\ndisable = true\n\
             [plugins.'io.containerd.transfer.v1.local']\n\
             [[plugins.'io.containerd.transfer.v1.local'.unpack_config]]\n\
             platform = 'linux/amd64'\nsnapshotter = 'native'\ndiffer = 'walking'\n",
            root = folder.display(),
            socket = socket.display(),
        );
        fs::create_dir_all(socket.parent().unwrap()).unwrap();
        fs::write(folder.join("config.toml"), configuration).unwrap();
        let arguments = ["--config".to_owned(), "config.toml".to_owned()];
        let mut containerd = Started::new("containerd", &arguments, folder);
        let it = Self {
            socket: socket.clone(),
            _containerd: {
                containerd.wait_until("containerd", || socket.exists());
                containerd
            },
        };
        it.wait();
        it
    }

    /// Runs `ctr` against this containerd.
    pub fn ctr(&self, arguments: &[&str]) -> String {
        let output = Command::new(program("ctr"))
            .arg("--address")
            .arg(&self.socket)
            .args(["-n", "k8s.io"])
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ctr {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn wait(&self) {
        self.ctr(&["version"]);
    }
}
