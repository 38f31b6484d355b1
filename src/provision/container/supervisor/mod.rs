//! The process that keeps a lab alive: `kinstall lab-supervisor DIRECTORY`, not for users.
//!
//! It starts in two stages. The first leaves the caller's session, makes the lab's control groups and
//! network, and becomes the second inside new PID and mount namespaces. The second is that namespace's
//! first process: when it ends, for whatever reason, the kernel ends all machines and their mounts.

pub(super) mod client;
mod control;
mod machines;
mod name_server;

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::mount::{MountFlags, mount};

use self::control::{Request, Response, listen, read_message, write_message};
use self::machines::Machines;
use self::name_server::NameServer;
use super::cgroup::Layout;
use super::group::LabGroups;
use super::lab_directory::{LabDirectory, read_json, write_json};
use crate::error_chain::error_chain;
use crate::provision::ProviderError;

/// Name of the hidden subcommand.
pub const SUBCOMMAND: &str = "lab-supervisor";

/// Flag of the second stage.
pub const INSIDE: &str = "--inside";

/// Runs the stage that the command line asks for, until the lab is stopped.
pub fn run(directory: &Path, is_inside: bool) -> Result<(), ProviderError> {
    let directory = LabDirectory::at(directory);
    if is_inside {
        serve(&directory)
    } else {
        prepare(&directory)
    }
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}

/// First stage; returns only with an error.
fn prepare(directory: &LabDirectory) -> Result<(), ProviderError> {
    drop(lock(directory)?);
    // Under systemd the process leads a session already.
    let _ = rustix::process::setsid();
    let record = directory.read_record()?;
    let layout = Layout::detect().map_err(|error| failed("look at the control groups", &error))?;
    let groups = LabGroups::plan(&layout, &record.id);
    write_json(&directory.groups_file(), &groups)?;
    groups.create()?;
    directory.namespace().create(record.gateway)?;
    load_kernel_modules();
    let program =
        std::env::current_exe().map_err(|error| failed("find kinstall's program", &error))?;
    let error = Command::new("unshare")
        .args([
            "--pid",
            "--fork",
            "--kill-child",
            "--mount",
            "--propagation=slave",
            "--mount-proc",
        ])
        .arg(program)
        .args([SUBCOMMAND, INSIDE])
        .arg(directory.path())
        .exec();
    Err(failed("become the lab's first process", &error))
}

/// Second stage.
fn serve(directory: &LabDirectory) -> Result<(), ProviderError> {
    let _lock = lock(directory)?;
    hide_nspawn_folder().map_err(|error| failed("mount nspawn's folder", &error))?;
    let groups: LabGroups = read_json(&directory.groups_file())?;
    let listener = listen(directory).map_err(|error| failed("listen for requests", &error))?;
    let machines = Machines::new(directory.clone(), groups);
    let mut name_server = NameServer::default();
    loop {
        let stream = listener
            .accept()
            .map_err(|error| failed("accept a request", &error))?
            .0;
        // A client that went away in the middle doesn't matter.
        let Ok(request) = read_message(&stream) else {
            continue;
        };
        let response = match request {
            Request::Running => Response::Machines(machines.running()),
            Request::Start(ref names) => match directory.read_record().and_then(|record| {
                name_server
                    .settle(&directory.namespace(), record.gateway.addr(), record.egress)
                    .map_err(|error| failed("answer the nodes' questions for names", &error))?;
                machines.start(record, names)
            }) {
                Ok(started) => Response::Machines(started),
                Err(error) => Response::Failed(error_chain(&error)),
            },
            Request::Halt(ref names) => Response::Machines(machines.halt(names)),
            Request::Stop => Response::Machines(machines.stop()),
        };
        let _ = write_message(&stream, &response);
        if request == Request::Stop {
            return Ok(());
        }
    }
}

/// Holds the lab for this process; two supervisors would mount the same files.
fn lock(directory: &LabDirectory) -> Result<File, ProviderError> {
    let path = directory.lock_file();
    let file = File::create(&path).map_err(ProviderError::file("create", &path))?;
    file.try_lock()
        .map_err(|error| failed("take over the lab from a supervisor that runs", &error))?;
    Ok(file)
}

/// nspawn keeps machines' sockets below /run; with a file system of their own they go with the lab.
fn hide_nspawn_folder() -> io::Result<()> {
    const FOLDER: &str = "/run/systemd/nspawn";
    fs::create_dir_all(FOLDER)?;
    mount(
        "tmpfs",
        FOLDER,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        None,
    )?;
    Ok(())
}

/// Machines share this computer's kernel and can't load modules, so what Kubernetes needs is loaded here.
fn load_kernel_modules() {
    const MODULES: [&str; 8] = [
        "overlay",
        "br_netfilter",
        "vxlan",
        "nf_conntrack",
        "nf_tables",
        "nft_chain_nat",
        "xt_comment",
        "fuse",
    ];
    if super::host_modules().is_dir() {
        // What is built in or missing says so; what really lacks shows when it is used.
        let _ = Command::new("modprobe")
            .args(["--all", "--quiet"])
            .args(MODULES)
            .status();
    }
}

fn failed(action: &str, error: &(dyn std::error::Error + 'static)) -> ProviderError {
    ProviderError::Lab {
        action: action.into(),
        detail: error_chain(error),
    }
}
