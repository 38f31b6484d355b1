//! `kinstall kubeconfig`: the cluster in the user's kubeconfig.

use std::path::PathBuf;

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::install::kubeconfig;
use crate::ui::printer::Printer;

#[derive(Debug, Args)]
pub struct KubeconfigArguments {
    /// File to merge into [default: the first of $KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", conflicts_with = "print")]
    pub file: Option<PathBuf>,
    /// Print it instead of merging it
    #[arg(long)]
    pub print: bool,
}

/// Merges the cluster into a kubeconfig, or prints it.
pub fn run(
    global: &GlobalArguments,
    arguments: &KubeconfigArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    if arguments.print {
        printer.data(kubeconfig::write(&mut project)?.expose());
        return Ok(Exit::Success);
    }
    let path = kubeconfig::merge_into(&mut project, arguments.file.as_deref())?;
    printer.message(&format!(
        "Context `{}` is in {} and is the current one.",
        project.cluster.name,
        path.display()
    ));
    Ok(Exit::Success)
}
