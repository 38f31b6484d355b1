//! The command line: what can be typed, and nothing else. [`run`] leads to the commands.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::ui::printer::Format;

mod bundle;
mod connect;
mod converge;
mod down;
mod exit;
mod forward;
mod image;
mod import;
mod kubeconfig;
mod lab;
mod net;
mod plan;
mod project;
mod providers;
mod run;
mod runtime;
#[cfg(target_os = "linux")]
mod service;
mod ssh;
mod state;
mod status;
mod up;

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
    /// Inventory file [default: inventory.ini in the current directory]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Form of the output
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Folder of the bundle with all components
    #[arg(long, global = true, value_name = "DIRECTORY", env = "KINSTALL_BUNDLE")]
    pub bundle: Option<PathBuf>,
    /// Folder with playbooks/ and templates/ that replace the built-in ones, file by file
    #[arg(long, global = true, value_name = "DIRECTORY")]
    pub overrides: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create the machines, install the cluster, and show how to use it
    Up(UpArguments),
    /// Show what `up` would change; exit 0: nothing, 2: something
    Plan(InventoryArgument),
    /// Show machines, nodes, versions, add-ons, addresses and certificate expiry
    Status(InventoryArgument),
    /// Tear the lab down without a trace
    Down(DownArguments),
    /// Merge the cluster into your kubeconfig
    Kubeconfig(KubeconfigArguments),
    /// Open a shell on a node, or run a command there
    Ssh(SshArguments),
    /// Lead an address of the lab to a loopback port, for the browser
    Forward(ForwardArguments),
    /// Run a command inside the lab's network
    Net(NetArguments),
    /// Build, fetch and look at the bundle of components
    #[command(subcommand)]
    Bundle(BundleCommand),
    /// Show, fetch and remove the disks that virtual machines start from
    #[command(subcommand)]
    Image(ImageCommand),
    /// Make an inventory from the files of another tool
    #[command(subcommand)]
    Import(ImportCommand),
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    Service(service::ServiceCommand),
}

/// The inventory, as an argument.
#[derive(Debug, Args)]
pub struct InventoryArgument {
    /// Inventory file (the same as --inventory)
    #[arg(value_name = "INVENTORY")]
    pub path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct UpArguments {
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// Who makes the machines, where the inventory doesn't say
    #[arg(long, value_enum)]
    pub provider: Option<ProviderArgument>,
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

#[derive(Debug, Args)]
pub struct DownArguments {
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
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
    Build,
    /// Fetch upstream's releases instead of building, where there are any
    Pull {
        /// Takes the place of scheme and host in every release URL
        #[arg(long, value_name = "URL")]
        mirror: Option<String>,
    },
    /// List what is in the bundle
    Show,
    /// Check every part of the bundle against its hash
    Verify,
    /// Write the bundle's programs into a folder: kubernetes/kubectl, containerd/ctr, …
    Unpack { directory: PathBuf },
}

#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// List the images that kinstall knows, and those that are here
    List,
    /// Bring an image here: a known one, a box, an appliance or a disk
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
    /// From a Vagrantfile; exit 0: complete, 2: something is left to fill in
    Vagrant(ImportVagrantArguments),
}

#[derive(Debug, Args)]
pub struct ImportVagrantArguments {
    #[arg(value_name = "VAGRANTFILE", default_value = "Vagrantfile")]
    pub path: PathBuf,
    /// Folder to write inventory.ini into [default: print it]
    #[arg(long, value_name = "DIRECTORY")]
    pub output_directory: Option<PathBuf>,
    /// Replace an inventory that is there
    #[arg(long, requires = "output_directory")]
    pub force: bool,
}

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    run::run(Cli::parse())
}
