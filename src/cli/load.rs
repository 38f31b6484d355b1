//! `kinstall load`: images of the user's own.

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::container_image::{ImageName, ImageSource};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::load::Loaded;
use crate::install::{load, loaded};
use crate::ui::loaded::table;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Args)]
pub struct LoadArguments {
    /// Image of docker or podman on this computer, archive of theirs, OCI layout (a folder or an archive), or - for
    /// an archive on standard input
    #[arg(value_name = "IMAGE | PATH | -", required_unless_present = "list")]
    pub image: Option<String>,
    /// Name on the nodes, for an archive that has none or another one
    #[arg(long, conflicts_with_all = ["list", "remove"])]
    pub name: Option<String>,
    /// Only these nodes [default: all]
    #[arg(long = "node", value_name = "NODE", num_args = 1..)]
    pub nodes: Vec<String>,
    /// List the images on the nodes, without kinstall's own
    #[arg(long, conflicts_with_all = ["image", "remove"])]
    pub list: bool,
    /// Remove the image of this name from the nodes
    #[arg(long)]
    pub remove: bool,
}

/// Loads, lists or removes images.
pub fn run(
    global: &GlobalArguments,
    arguments: &LoadArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(None)?;
    let Some(image) = &arguments.image else {
        let (images, problems) = loaded::list(project, &arguments.nodes)?;
        match printer.format {
            Format::Text => printer.data(&table(&images)),
            Format::Json => printer.json(&images),
        }
        printer.diagnostics(&problems);
        return Ok(match problems.first() {
            None => Exit::Success,
            Some(problem) => Exit::Of(problem.kind.exit_code()),
        });
    };
    if arguments.remove {
        let name = name(image)?;
        let removed = load::remove(project, &name, &arguments.nodes, printer.observer())?;
        return Ok(tell(&removed, printer));
    }
    let wanted = arguments.name.as_deref().map(name).transpose()?;
    let source = ImageSource::of(image).map_err(|error| vec![error.diagnostic()])?;
    let nodes = &arguments.nodes;
    let loaded = load::load(project, &source, wanted.as_ref(), nodes, printer.observer())?;
    for name in loaded.names.iter().filter(|name| name.is_latest()) {
        let warning = Diagnostic::warning(format!(
            "Kubernetes pulls `{}` anew for each pod, and no registry has it",
            name.short()
        ));
        printer.diagnostic(&warning.hint(
            "give it a tag other than `latest`, or its containers `imagePullPolicy: IfNotPresent`",
        ));
    }
    let exit = tell(&loaded, printer);
    if loaded.all_done && printer.format == Format::Text {
        for name in &loaded.names {
            let name = name.short();
            printer.message(&format!(
                "{name} can be used: kubectl run app --image={name}"
            ));
        }
    }
    Ok(exit)
}

fn name(text: &str) -> Result<ImageName, Diagnostics> {
    text.parse::<ImageName>().map_err(|error| {
        let error = Diagnostic::from_error(Kind::Inventory, &error);
        vec![error.hint("a name such as `my/app:dev`")]
    })
}

fn tell(loaded: &Loaded, printer: Printer) -> Exit {
    printer.summary(&loaded.summary);
    if loaded.all_done {
        Exit::Success
    } else {
        Exit::of_failures(&loaded.summary)
    }
}
