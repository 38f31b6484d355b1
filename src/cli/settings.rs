//! From arguments to what the commands work on.

use std::path::Path;

use super::{GlobalArguments, LabArguments, ProviderArgument};
use crate::diagnostic::Diagnostics;
use crate::install::{Project, Settings, vault_password};
use crate::inventory::{self, Vault};
use crate::model::Provider;
use crate::ui::printer::Printer;

impl GlobalArguments {
    /// Reads the inventory that the command's own argument names, else `--inventory`, else the usual one.
    pub fn project(&self, argument: Option<&Path>) -> Result<Project, Diagnostics> {
        let path = match argument.or(self.inventory.as_deref()) {
            Some(path) => path.to_owned(),
            None => inventory::usual_path(Path::new("")),
        };
        Project::load(&path, self.vault()?)
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
        }
    }
}

impl LabArguments {
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
        printer.diagnostics(&project.warnings);
        project.choose_provider(self.provider.map(Provider::from))?;
        Ok(project)
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
