//! Arguments that several commands have.

use std::path::PathBuf;

use clap::Args;

use crate::ui::printer::Format;

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

/// The inventory, as an argument.
#[derive(Debug, Args)]
pub struct InventoryArgument {
    /// Inventory file (the same as --inventory)
    #[arg(value_name = "INVENTORY")]
    pub path: Option<PathBuf>,
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

/// Where the computer's hosts file is; another one for tests.
#[derive(Debug, Args)]
pub struct HostsFileArgument {
    #[arg(long = "hosts-file", hide = true, value_name = "FILE", default_value = crate::install::hosts_file::PATH)]
    pub path: PathBuf,
}
