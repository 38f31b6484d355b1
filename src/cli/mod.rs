//! The command line: what can be typed, and nothing else. [`run`] leads to the commands.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::settings::LabArguments;
use crate::bundle::Minor;
use crate::ui::printer::Format;

mod bundle;
mod certs;
mod check;
mod completions;
mod console;
mod dial;
mod doctor;
mod down;
mod etcd;
mod exit;
mod forward;
mod hosts;
mod image;
mod import;
mod kubeconfig;
mod load;
mod log;
mod man;
mod net;
mod node;
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

/// Options that every command understands.
#[derive(Clone, Debug, Args)]
pub struct GlobalArguments {
    /// Inventory, a file or a folder [default: inventory.ini, or another inventory, in the current directory]
    #[arg(short, long, global = true, value_name = "PATH")]
    pub inventory: Option<PathBuf>,
    /// File that holds the password of ansible-vault, or program that prints it
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "ANSIBLE_VAULT_PASSWORD_FILE"
    )]
    pub vault_password_file: Option<PathBuf>,
    /// Output format
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Show what happens inside: -v each connection, call and decision, -vv each message; KINSTALL_LOG chooses by module
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Folder of the bundle with all components
    #[arg(long, global = true, value_name = "DIRECTORY", env = "KINSTALL_BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// Folder with playbooks/ and templates/ that replace the built-in ones, file by file
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub overrides: Option<PathBuf>,
    /// The words of the command, without its arguments.
    #[arg(skip)]
    pub command: String,
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
    Check(CheckArguments),
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
    Snapshot(SnapshotCommand),
    /// Show when the cluster's certificates end, and renew them
    #[command(subcommand)]
    Certs(certs::CertsCommand),
    /// Show etcd's members, back up the cluster's data and restore it
    #[command(subcommand)]
    Etcd(etcd::EtcdCommand),
    /// Bring images of your own to the nodes, list and remove them
    Load(load::LoadArguments),
    /// Merge the cluster into your kubeconfig
    Kubeconfig(KubeconfigArguments),
    /// Open a shell on a node, or run a command there
    Ssh(SshArguments),
    /// Print a configuration for ssh, scp and rsync, with all hosts
    SshConfig,
    /// Print names and addresses of the hosts for /etc/hosts, or write them there
    Hosts(HostsArguments),
    /// Show what a machine wrote to its serial console
    Console(console::ConsoleArguments),
    /// Show what was done when: each run, or what one of them changed
    Log(log::LogArguments),
    /// Write one archive for a report of a fault, without passwords, keys and tokens
    Support(support::SupportArguments),
    /// Check this computer and say how to fix what is missing
    Doctor(DoctorArguments),
    /// Forward an address of the lab to a local port, for the browser
    Forward(ForwardArguments),
    /// Run a command inside the lab's network
    Net(NetArguments),
    /// Build, fetch, list and check the bundle of components
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// List, fetch and remove the disk images that virtual machines start from
    #[command(subcommand)]
    Image(ImageCommand),
    /// Make an inventory from the files of another tool
    #[command(subcommand)]
    Import(ImportCommand),
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

/// The inventory, as an argument.
#[derive(Debug, Args)]
pub struct InventoryArgument {
    /// Inventory file (the same as --inventory)
    #[arg(value_name = "INVENTORY")]
    pub path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CheckArguments {
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// Fail on warnings as well
    #[arg(long)]
    pub strict: bool,
}

/// `--provider`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ProviderArgument {
    /// Virtual machines of VirtualBox
    #[value(name = "virtualbox")]
    VirtualBox,
    /// Virtual machines of QEMU (Linux, root)
    Qemu,
    /// System containers on this computer (Linux, root)
    Container,
    /// Machines that answer SSH already
    Existing,
}

/// Machines, by name.
#[derive(Debug, Args)]
pub struct NodesArgument {
    /// Names of machines [default: all]
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Save the state of the whole lab at one moment, or of single machines
    Save(SnapshotArguments),
    /// Restore a snapshot; everything that happened since is lost
    Restore(SnapshotArguments),
    /// List the snapshots
    List,
    /// Remove a snapshot; the machines stay as they are
    Delete(SnapshotArguments),
}

#[derive(Debug, Args)]
pub struct SnapshotArguments {
    /// Letters, digits, `-`, `_` and `.`
    #[arg(value_parser = snapshot::name)]
    pub name: String,
    /// Names of machines [default: all]
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct HostsArguments {
    /// Write them to this computer's hosts file; lines of this lab that are there are replaced
    #[arg(long, conflicts_with = "remove")]
    pub write: bool,
    /// Remove them from this computer's hosts file
    #[arg(long)]
    pub remove: bool,
    #[command(flatten)]
    pub file: HostsFileArgument,
}

/// Where the computer's hosts file is; another one for tests.
#[derive(Debug, Args)]
pub struct HostsFileArgument {
    #[arg(long = "hosts-file", hide = true, value_name = "FILE", default_value = crate::install::hosts_file::PATH)]
    pub path: PathBuf,
}

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Look at this provider only
    #[arg(long, value_enum)]
    pub provider: Option<ProviderArgument>,
}

#[derive(Debug, Args)]
pub struct KubeconfigArguments {
    /// File to merge into [default: the first of $KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", conflicts_with = "print")]
    pub file: Option<PathBuf>,
    /// Print it instead of merging it
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Args)]
pub struct SshArguments {
    /// Name of the node in the inventory
    pub node: String,
    /// Command to run instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub struct ForwardArguments {
    /// Address and port in the lab's network: 192.168.56.50:80
    #[arg(value_name = "ADDRESS:PORT")]
    pub target: std::net::SocketAddr,
    /// Port on 127.0.0.1 [default: the same if it is free and allowed, else any]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

#[derive(Debug, Args)]
pub struct NetArguments {
    /// Command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Build every component from its pinned Go modules
    Build {
        #[command(flatten)]
        parts: PartsArguments,
    },
    /// Fetch upstream's releases instead of building, where there are any
    Pull {
        #[command(flatten)]
        parts: PartsArguments,
        /// Replaces scheme and host in every release URL
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
    /// List what is in the bundle
    Show,
    /// Check every part of the bundle against its hash
    Verify,
    /// Write the whole bundle into one file, for a computer without internet access
    Save { file: PathBuf },
    /// Take the bundle out of such a file
    Load {
        file: PathBuf,
        /// Hash that the file must have
        #[arg(long, value_name = "HEX")]
        sha256: Option<crate::resource::Sha256>,
    },
    /// Write the bundle's programs into a folder: kubernetes/kubectl, containerd/ctr, …
    Unpack {
        directory: PathBuf,
        /// Minor version of Kubernetes [default: the newest in the bundle]
        #[arg(long, value_name = "MINOR")]
        kubernetes: Option<Minor>,
    },
}

/// What the bundle is to have.
#[derive(Debug, Args)]
pub struct PartsArguments {
    /// Inventory whose add-ons to put into the bundle [default: all add-ons]
    pub inventory: Option<PathBuf>,
    /// Minor versions of Kubernetes to put into the bundle: 1.36,1.37 [default: the newest]
    #[arg(long, value_name = "MINOR", value_delimiter = ',')]
    pub kubernetes: Vec<Minor>,
}

#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// List the images that kinstall knows and those that are stored here
    List,
    /// Fetch or register an image: one of the catalog, a box, an appliance or a disk
    Add {
        /// Path, address, or name of a known image
        image: String,
        /// Name for `machine_image` in the inventory
        #[arg(long)]
        name: Option<String>,
        /// Hash of the file (or its sha512, by its length)
        #[arg(long, value_name = "HEX", conflicts_with = "checksum_file")]
        sha256: Option<crate::digest::Digest>,
        /// Path or address of a list of hashes that has the file's name in it
        #[arg(long, value_name = "PATH|URL")]
        checksum_file: Option<String>,
    },
    /// Remove an image, by its name or the beginning of its hash; your own files stay
    Remove {
        #[arg(value_name = "NAME|HASH")]
        image: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Make an inventory from a Vagrantfile; exit code 0: complete, 2: values are left to fill in
    Vagrant(import::VagrantArguments),
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    run::main()
}
