//! A real sshd of our own on loopback, for the length of one test.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kinstall::model::host::{Become, Connection, JumpHost, Method};
use kinstall::ssh::{Jumps, KeyPair, KnownHosts, Policy, Target, UserKeys};
use tempfile::TempDir;

use crate::free_port::free_port;

/// A running sshd that knows one key; killed when dropped.
pub struct Sshd {
    pub port: u16,
    pub host_key: KeyPair,
    /// The key that may log in.
    pub key: KeyPair,
    child: Child,
    folder: TempDir,
}

impl Sshd {
    /// Starts sshd for the user who runs the tests, whose home is an own folder here.
    pub fn start() -> Self {
        Self::with("")
    }

    /// Starts sshd with more settings.
    pub fn with(settings: &str) -> Self {
        Self::launch(settings, |_, sshd| sshd)
    }

    /// Starts sshd by a command that `wrap` makes of it.
    pub fn launch(settings: &str, wrap: impl FnOnce(&Path, Command) -> Command) -> Self {
        let program = Path::new("/usr/sbin/sshd");
        assert!(program.exists(), "no sshd here: install openssh-server");
        if rustix::process::geteuid().is_root() {
            // sshd demands it of root; the package's unit makes it.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let (home, path) = (folder.path().join("home"), folder.path());
        fs::create_dir(&home).unwrap();
        let host_key = KeyPair::generate("host").unwrap();
        host_key.save(&path.join("host_key")).unwrap();
        let key = KeyPair::generate("test").unwrap();
        key.save(&path.join("key")).unwrap();
        fs::write(path.join("authorized_keys"), format!("{}\n", key.public)).unwrap();
        let port = free_port();
        let config = format!(
            "{settings}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {0}/host_key\n\
             AuthorizedKeysFile {0}/authorized_keys {0}/home/.ssh/authorized_keys\nPidFile none\n\
             StrictModes no\nUsePAM no\nPrintMotd no\nSetEnv HOME={0}/home\nMaxStartups 100\n",
            path.display()
        );
        fs::write(path.join("config"), config).unwrap();
        let log = fs::File::create(path.join("log")).unwrap();
        let mut sshd = Command::new(program);
        sshd.arg("-D").arg("-e").arg("-f").arg(path.join("config"));
        let mut command = wrap(path, sshd);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut sshd = Self {
            port,
            host_key,
            key,
            child: command.spawn().unwrap(),
            folder,
        };
        sshd.wait();
        sshd
    }

    /// Returns how to reach this server with its key, and nothing else that could log in.
    pub fn target(&self) -> Target {
        let known_hosts = KnownHosts::new(self.path("known_hosts"), Policy::Strict);
        known_hosts
            .learn("127.0.0.1", self.port, &self.host_key.public)
            .unwrap();
        Target {
            name: "node1".to_owned(),
            connection: Connection {
                method: Method::Ssh,
                fallback: None,
                host: "127.0.0.1".to_owned(),
                port: Some(self.port),
                user: Some(user()),
                private_key: None,
                password: None,
                escalation: Become::Sudo,
                jump: None,
                configuration: None,
            },
            known_hosts,
            identity: Some(self.key.clone()),
            user_keys: UserKeys::default(),
            configuration: None,
            dial: None,
            jumps: Jumps::default(),
        }
    }

    /// Returns this server as a hop.
    pub fn jump_host(&self) -> JumpHost {
        JumpHost {
            user: Some(user()),
            host: "127.0.0.1".to_owned(),
            port: Some(self.port),
            private_key: Some(self.path("key")),
            password: None,
        }
    }

    /// Returns a path in this server's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "sshd didn't start ({ended:?}): {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Returns the name of the user who runs the tests.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
