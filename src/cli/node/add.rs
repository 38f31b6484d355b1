//! `kinstall node add`: a host more, in the inventory and in the cluster.

use clap::Args;

use super::given::{Given, show_lines, with_next_step};
use crate::cli::exit::Exit;
use crate::cli::{GlobalArguments, plan, up};
use crate::diagnostic::Diagnostics;
use crate::install::Installation;
use crate::install::inventory_edit::{InventoryEdit, Role};
use crate::ui::printer::Printer;

#[derive(Debug, Args)]
pub struct AddArguments {
    /// Name of the new host
    pub name: String,
    /// Its variables: ansible_host=10.0.0.4 ip=10.0.0.4; a word without `=` is the inventory
    #[arg(value_name = "KEY=VALUE | INVENTORY")]
    pub words: Vec<String>,
    /// Group of the inventory that it becomes a member of (may be repeated) [default: kube_node]
    #[arg(long, value_name = "GROUP", conflicts_with = "control_plane")]
    pub group: Vec<String>,
    /// Make it a control plane
    #[arg(long)]
    pub control_plane: bool,
    /// Show what would change, and write nothing
    #[arg(long)]
    pub plan: bool,
}

/// Checks the inventory with the host in it, writes it, and does what `up` does.
pub fn run(
    global: &GlobalArguments,
    arguments: &AddArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let given = Given::of(&arguments.words)?;
    let path = global.inventory_path(given.inventory());
    global.project(given.inventory())?.require_lab()?;
    let role = if arguments.control_plane {
        Role::ControlPlane
    } else {
        Role::Groups(&arguments.group)
    };
    let host = given.host(&arguments.name);
    let mut edit = InventoryEdit::adding(&path, global.vault()?, &host, role)?;
    edit.project.choose_provider(None)?;
    if arguments.plan {
        show_lines(&edit.file, printer, "gets");
        return plan::show(&global.settings(), edit.project, printer);
    }
    // The lock is taken before the file is written.
    let installation = Installation::to_apply(&global.settings(), edit.project)?;
    edit.file.write()?;
    show_lines(&edit.file, printer, "has");
    let result = up::carry_out(installation, printer, &|left_over| {
        up::may_remove(left_over, printer)
    });
    let next = format!(
        "the inventory has {} now: `kinstall up` continues",
        arguments.name
    );
    with_next_step(result, printer, &next)
}
