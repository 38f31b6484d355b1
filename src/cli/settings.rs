//! From arguments to what the commands work on.

use std::path::Path;

use super::{GlobalArguments, LabArguments, ProviderArgument};
use crate::diagnostic::Diagnostics;
use crate::install::project::USUAL_INVENTORY;
use crate::install::{Project, Settings};
use crate::model::Provider;
use crate::ui::printer::Printer;

impl GlobalArguments {
    /// Reads the inventory that the command's own argument names, else `--inventory`, else the usual one.
    pub fn project(&self, argument: Option<&Path>) -> Result<Project, Diagnostics> {
        let path = argument.or(self.inventory.as_deref());
        Project::load(path.unwrap_or(Path::new(USUAL_INVENTORY)))
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
        for warning in &project.warnings {
            printer.diagnostic(warning);
        }
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
