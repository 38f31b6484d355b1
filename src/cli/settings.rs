//! From arguments to what the commands work on.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{GlobalArguments, InventoryArgument, ProviderArgument};
use crate::diagnostic::Diagnostics;
use crate::install::{Project, Settings, vault_password};
use crate::inventory::{self, Vault};
use crate::model::Provider;
use crate::report::inventory::summary;
use crate::ui::printer::{Format, Printer};

/// The lab of an inventory, made or not.
#[derive(Debug, Args)]
pub struct LabArguments {
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// How machines are made, if the inventory doesn't set kinstall_provider
    #[arg(long, value_enum)]
    pub provider: Option<ProviderArgument>,
    /// Only these hosts: names, groups, globs, `!`, `&`, `~REGEX`, `@FILE`, as Ansible has them
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,
}

impl GlobalArguments {
    /// Returns the inventory that the command's own argument names, else `--inventory`, else the usual one.
    pub fn inventory_path(&self, argument: Option<&Path>) -> PathBuf {
        match argument.or(self.inventory.as_deref()) {
            Some(path) => path.to_owned(),
            None => inventory::usual_path(Path::new("")),
        }
    }

    /// Reads that inventory and the state of its lab.
    pub fn project(&self, argument: Option<&Path>) -> Result<Project, Diagnostics> {
        Project::load(&self.inventory_path(argument), self.vault()?)
    }

    /// Returns what opens the encrypted values of the inventory.
    pub fn vault(&self) -> Result<Vault, Diagnostics> {
        let file = self.vault_password_file.as_deref();
        file.map_or(Ok(Vault::default()), vault_password::read)
            .map_err(|error| vec![error])
    }

    /// Returns what is installed from.
    pub fn settings(&self) -> Settings {
        Settings {
            bundle: self.bundle.clone(),
            overrides: self.overrides.clone(),
            limit: None,
            take_over: Vec::new(),
            break_lock: false,
            command: self.command.clone(),
            release: None,
        }
    }
}

impl LabArguments {
    /// Returns what is installed from, and on which hosts.
    pub fn settings(&self, global: &GlobalArguments) -> Settings {
        Settings {
            limit: self.limit.clone(),
            ..global.settings()
        }
    }

    /// Reads the project for the commands that make the lab: they show warnings, and may be told who makes
    /// the machines.
    pub fn project(
        &self,
        global: &GlobalArguments,
        printer: Printer,
    ) -> Result<Project, Diagnostics> {
        let mut project = global.project(self.inventory.path.as_deref())?;
        if project.inventory.is_dir() {
            let files: Vec<_> = project
                .files
                .iter()
                .map(|it| it.display().to_string())
                .collect();
            printer.message(&format!("The inventory is {}.", files.join(", ")));
        }
        show_warnings(&project, printer);
        project.choose_provider(self.provider.map(Provider::from))?;
        Ok(project)
    }
}

/// Scripts get all of them; people get what weighs, and the command that says the rest.
fn show_warnings(project: &Project, printer: Printer) {
    if printer.format == Format::Json {
        printer.diagnostics(&project.warnings);
        return;
    }
    let lines = summary(&project.warnings);
    if lines.is_empty() {
        return;
    }
    printer.message("warning: the cluster will differ from the inventory; `kinstall check` shows where, with hints");
    for line in lines {
        printer.message(&format!("  {line}"));
    }
}

impl From<ProviderArgument> for Provider {
    fn from(argument: ProviderArgument) -> Self {
        match argument {
            ProviderArgument::VirtualBox => Provider::VirtualBox,
            ProviderArgument::Qemu => Provider::Qemu,
            ProviderArgument::Container => Provider::Container,
            ProviderArgument::Existing => Provider::Existing,
        }
    }
}
