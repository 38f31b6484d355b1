//! `--lost`: control planes that the others go on without.

use clap::Args;

use crate::ui::printer::Printer;

/// Which control planes are lost.
#[derive(Debug, Args)]
pub struct LostArgument {
    /// A control plane that is lost for good, and switched off: the others begin without it
    #[arg(long, value_name = "NODE", value_delimiter = ',')]
    pub lost: Vec<String>,
}

impl LostArgument {
    /// Returns their names, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.lost.clone();
        names.sort();
        names.dedup();
        names
    }

    /// Says what is to be done when the others are up, where any is lost.
    pub fn say_what_is_next(&self, printer: Printer) {
        let names = self.names();
        if names.is_empty() {
            return;
        }
        printer.message(&format!(
            "The cluster goes on without {}, which must not start again. Now: `kinstall node remove {}`, and \
             `kinstall node add` for new control planes.",
            names.join(", "),
            names.join(" ")
        ));
    }
}
