//! The command line: what can be typed, and nothing else. A command is its file, and three lines here: module, variant and
//! call.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::arguments::{
    GlobalArguments, HostsFileArgument, InventoryArgument, NodesArgument, ProviderArgument,
};
use self::exit::Exit;
use self::power::Button;
use self::settings::LabArguments;
use crate::diagnostic::Diagnostics;
use crate::ui::printer::Printer;

mod arguments;
mod bundle;
mod certs;
mod check;
mod completions;
mod console;
mod dial;
mod doctor;
mod down;
mod encryption;
mod etcd;
mod exit;
mod forward;
mod hosts;
mod image;
mod import;
mod kubeconfig;
mod load;
mod log;
mod lost;
mod man;
mod net;
mod node;
mod open;
mod plan;
mod power;
mod reset;
mod run;
#[cfg(target_os = "linux")]
mod service;
mod settings;
mod snapshot;
mod ssh;
mod ssh_config;
mod status;
mod support;
mod up;
mod upgrade;
mod verify;

/// Takes a machine from nothing to a working Kubernetes cluster, from a kubespray inventory
#[derive(Debug, Parser)]
#[command(
    name = "kinstall",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArguments,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the machines, install the cluster, and show how to use it
    Up(up::UpArguments),
    /// Move the cluster to another version of Kubernetes, one node after another
    Upgrade(upgrade::UpgradeArguments),
    /// Show what `up` would change; exit code 0: nothing, 2: changes
    Plan(LabArguments),
    /// Report everything about an inventory, without touching a host
    Check(check::CheckArguments),
    /// Show machines, nodes, versions, add-ons, addresses and certificate expiry
    Status(InventoryArgument),
    /// Check that the cluster works, step by step, with the commands and their answers
    Verify(verify::VerifyArguments),
    /// Remove nodes from the cluster, drain them, or keep new pods off them
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Take Kubernetes off the machines, all of them without a name; the machines stay
    Reset(reset::ResetArguments),
    /// Remove the lab and everything that kinstall made for it, or remove single machines
    Down(down::DownArguments),
    /// Shut down machines
    Halt(NodesArgument),
    /// Start machines
    Start(NodesArgument),
    /// Write the memory of machines to disk and stop them
    Suspend(NodesArgument),
    /// Wake suspended machines
    Resume(NodesArgument),
    /// Shut down machines and start them again
    Restart(NodesArgument),
    /// Save and restore snapshots of the lab or of single machines
    #[command(subcommand)]
    Snapshot(snapshot::SnapshotCommand),
    /// Show when the cluster's certificates end, and renew them
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Rotate the key that encrypts Secrets in etcd
    #[command(subcommand)]
    Encryption(encryption::EncryptionCommand),
    /// Show etcd's members, back up the cluster's data and restore it
    #[command(subcommand)]
    Etcd(etcd::EtcdCommand),
    /// Bring images of your own to the nodes, list and remove them
    Load(load::LoadArguments),
    /// Merge the cluster into your kubeconfig
    Kubeconfig(kubeconfig::KubeconfigArguments),
    /// Open a shell on a node, or run a command there
    Ssh(ssh::SshArguments),
    /// Print a configuration for ssh, scp and rsync, with all hosts
    SshConfig,
    /// Print names and addresses of the hosts for /etc/hosts, or write them there
    Hosts(hosts::HostsArguments),
    /// Show what a machine wrote to its serial console
    Console(console::ConsoleArguments),
    /// Show what was done when: each run, or what one of them changed
    Log(log::LogArguments),
    /// Write one archive for a report of a fault, without passwords, keys and tokens
    Support(support::SupportArguments),
    /// Check this computer and say how to fix what is missing
    Doctor(doctor::DoctorArguments),
    /// Forward an address of the lab to a local port, for the browser
    Forward(forward::ForwardArguments),
    /// Open a page of the cluster in the browser: measurements, logs, or any Service
    Open(open::OpenArguments),
    /// Run a command inside the lab's network
    Net(net::NetArguments),
    /// Build, fetch, list and check the bundle of components
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),
    /// List, fetch and remove the disk images that virtual machines start from
    #[command(subcommand)]
    Image(image::ImageCommand),
    /// Make an inventory from the files of another tool
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Print a script that completes kinstall's commands and options in your shell
    Completions { shell: clap_complete::Shell },
    /// Writes a manual page for each command, for packages
    #[command(hide = true)]
    Man { directory: PathBuf },
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    Service(service::ServiceCommand),
    /// Connects stdin and stdout to an address of the lab: what `ssh-config` has ssh go through
    #[command(hide = true)]
    Dial {
        #[arg(value_name = "ADDRESS:PORT")]
        target: std::net::SocketAddr,
    },
}

impl Command {
    /// Carries the command out.
    fn run(self, global: &GlobalArguments, printer: Printer) -> Result<Exit, Diagnostics> {
        match self {
            Self::Up(arguments) => up::run(global, &arguments, printer),
            Self::Upgrade(arguments) => upgrade::run(global, &arguments, printer),
            Self::Plan(arguments) => plan::run(global, &arguments, printer),
            Self::Check(arguments) => check::run(global, &arguments, printer),
            Self::Status(arguments) => status::run(global, &arguments, printer),
            Self::Verify(arguments) => verify::run(global, &arguments, printer),
            Self::Node(command) => node::run(global, &command, printer),
            Self::Reset(arguments) => reset::run(global, &arguments, printer),
            Self::Down(arguments) => down::run(global, &arguments, printer),
            Self::Halt(nodes) => power::run(global, &nodes, Button::Halt, printer),
            Self::Start(nodes) => power::run(global, &nodes, Button::Start, printer),
            Self::Suspend(nodes) => power::run(global, &nodes, Button::Suspend, printer),
            Self::Resume(nodes) => power::run(global, &nodes, Button::Resume, printer),
            Self::Restart(nodes) => power::run(global, &nodes, Button::Restart, printer),
            Self::Snapshot(command) => snapshot::run(global, &command, printer),
            Self::SshConfig => ssh_config::run(global, printer),
            Self::Hosts(arguments) => hosts::run(global, &arguments, printer),
            Self::Console(arguments) => console::run(global, &arguments, printer),
            Self::Log(arguments) => log::run(global, &arguments, printer),
            Self::Support(arguments) => support::run(global, &arguments, printer),
            Self::Doctor(arguments) => doctor::run(global, &arguments, printer),
            Self::Dial { target } => dial::run(global, target),
            Self::Certs(command) => certs::run(global, &command, printer),
            Self::Encryption(command) => encryption::run(global, &command, printer),
            Self::Etcd(command) => etcd::run(global, &command, printer),
            Self::Load(arguments) => load::run(global, &arguments, printer),
            Self::Kubeconfig(arguments) => kubeconfig::run(global, &arguments, printer),
            Self::Ssh(arguments) => ssh::run(global, &arguments, printer),
            Self::Forward(arguments) => forward::run(global, &arguments, printer),
            Self::Open(arguments) => open::run(global, &arguments, printer),
            Self::Net(arguments) => net::run(global, &arguments),
            Self::Bundle(command) => bundle::run(global, &command, printer),
            Self::Image(command) => image::run(&command, printer),
            Self::Completions { shell } => Ok(completions::run(shell, printer)),
            Self::Man { directory } => man::run(&directory),
            Self::Import(command) => import::run(&command, printer),
            #[cfg(target_os = "linux")]
            Self::Service(command) => service::run(&command),
        }
    }
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    run::main()
}
