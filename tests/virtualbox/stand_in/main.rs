//! Stands in front of the real VBoxManage and runs its machines with QEMU, so that real guests boot on a computer
//! without VirtualBox's kernel driver. For tests only.
//!
//! Every call goes to the real VBoxManage unchanged, but for starting and stopping machines and for what says whether
//! they run. A machine is made from what the real `showvminfo` says, so a setting that VirtualBox was not given is not
//! there. Set in the environment:
//!
//! - `KINSTALL_STAND_IN_STATE`: folder for the machines' disks, sockets and memory;
//! - `KINSTALL_STAND_IN_REAL`: the real VBoxManage, `/usr/lib/virtualbox/VBoxManage` if not set;
//! - `KINSTALL_STAND_IN_ACCELERATOR`: QEMU's, `tcg,thread=multi` if not set.
//!
//! Host-only interfaces are those of `tests/virtualbox/driverless`: bridges in the namespace that all of this runs in.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

mod commands;
mod disk;
mod forward;
mod hypervisor;
mod machine;
mod monitor;
mod real;
mod run_state;
mod snapshot;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    commands::run(&arguments).unwrap_or_else(|error| {
        eprintln!("VBoxManage: error: {error}");
        ExitCode::FAILURE
    })
}

/// A sentence for stderr, as VBoxManage has them.
type Failure = Box<dyn std::error::Error>;
