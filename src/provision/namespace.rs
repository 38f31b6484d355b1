//! The lab's network: a namespace with a bridge, apart from every other network of this computer.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::Duration;

use ipnet::IpNet;
use rustix::mount::{UnmountFlags, unmount};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::provision::ProviderError;

/// The bridge that all machines are plugged into.
pub(super) const BRIDGE: &str = "lab0";

/// `statfs` type of a namespace that is mounted on a file (`NSFS_MAGIC` of linux/magic.h).
const NAMESPACE_FILE_SYSTEM: i64 = 0x6e73_6673;

const DIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// A network namespace that is held by a file.
#[derive(Clone, Debug)]
pub(super) struct Namespace {
    file: PathBuf,
}

impl Namespace {
    pub(super) fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// Returns the file that holds it.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Makes the namespace and its bridge with this computer's address in the lab.
    pub(super) fn create(&self, gateway: IpNet) -> Result<(), ProviderError> {
        self.remove()?;
        let made = self.make(gateway);
        if made.is_err() {
            // The first error is the one to report.
            let _ = self.remove();
        }
        made
    }

    fn make(&self, gateway: IpNet) -> Result<(), ProviderError> {
        File::create(&self.file).map_err(ProviderError::file("create", &self.file))?;
        let failed = |detail: String| ProviderError::Lab {
            action: "make the lab's network".into(),
            detail,
        };
        let mut child = Command::new("unshare")
            .arg(format!("--net={}", self.file.display()))
            .args(["ip", "-batch", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        // Dropping the pipe ends the batch. A program that died early says why on its stderr.
        let _ = child
            .stdin
            .take()
            .map(|mut stdin| stdin.write_all(bridge_commands(gateway).as_bytes()));
        let output = child
            .wait_with_output()
            .map_err(|error| failed(error.to_string()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ))
    }

    /// Tells whether [`Namespace::create`] got to its end.
    pub(super) fn is_whole(&self) -> bool {
        let mut show = Command::new("ip");
        // The last thing that is done to the bridge.
        show.args(["-brief", "link", "show", "dev", BRIDGE, "up"]);
        self.output(&mut show)
            .is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
    }

    /// Lets the namespace go; it ends with the last process in it.
    pub(super) fn remove(&self) -> Result<(), ProviderError> {
        while is_namespace(&self.file) {
            unmount(&self.file, UnmountFlags::DETACH)
                .map_err(|error| ProviderError::file("unmount", &self.file)(error.into()))?;
        }
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ProviderError::file("remove", &self.file)(error))
            }
            _ => Ok(()),
        }
    }

    /// Connects to an address of the lab.
    pub(super) fn dial(&self, target: SocketAddr) -> io::Result<TcpStream> {
        self.dial_within(target, DIAL_TIMEOUT)
    }

    pub(super) fn dial_within(
        &self,
        target: SocketAddr,
        timeout: Duration,
    ) -> io::Result<TcpStream> {
        self.on_thread(|| TcpStream::connect_timeout(&target, timeout))
    }

    /// Runs a command inside the lab's network, on this process's terminal.
    pub(super) fn run(&self, command: &mut Command) -> io::Result<ExitStatus> {
        self.on_thread(|| command.spawn())?.wait()
    }

    /// Runs a command inside the lab's network and returns what it said.
    pub(super) fn output(&self, command: &mut Command) -> io::Result<Output> {
        self.on_thread(|| command.output())
    }

    /// Moves the calling thread into the namespace, for good.
    pub(super) fn enter(&self) -> io::Result<()> {
        if !is_namespace(&self.file) {
            return Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "the lab doesn't run",
            ));
        }
        let file = File::open(&self.file)?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
        Ok(())
    }

    /// Does something on a thread of its own inside the namespace; sockets and children keep it.
    pub(super) fn on_thread<T: Send>(
        &self,
        act: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        thread::scope(|scope| {
            let thread = scope.spawn(|| self.enter().and_then(|()| act()));
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the network thread panicked")))
        })
    }
}

fn is_namespace(file: &Path) -> bool {
    rustix::fs::statfs(file).is_ok_and(|status| status.f_type == NAMESPACE_FILE_SYSTEM)
}

fn bridge_commands(gateway: IpNet) -> String {
    format!(
        "link set lo up\n\
         link add name {BRIDGE} type bridge\n\
         address add {gateway} dev {BRIDGE}\n\
         link set {BRIDGE} up\n"
    )
}
