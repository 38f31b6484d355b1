//! `--passphrase-file`, or a question.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::password_file;
use crate::secret::Secret;
use crate::ui::prompt;

/// Where a backup's passphrase comes from.
#[derive(Debug, Args)]
pub struct PassphraseArgument {
    /// File that holds the passphrase, or program that prints it [default: kinstall asks]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

impl PassphraseArgument {
    /// Returns the passphrase of a file that is there.
    pub fn of_a_file(&self) -> Result<Secret, Diagnostics> {
        self.read(|| prompt::passphrase("Passphrase of the backup"))
    }

    /// Returns the passphrase of a file that will be; it is asked twice.
    pub fn new_one(&self) -> Result<Secret, Diagnostics> {
        let mut is_same = true;
        let passphrase = self.read(|| {
            let first = prompt::passphrase("Passphrase for the backup")?;
            if first.is_some() {
                is_same = prompt::passphrase("The same again")? == first;
            }
            Ok(first)
        })?;
        if is_same {
            return Ok(passphrase);
        }
        let message = "the second passphrase is not the same as the first";
        Err(vec![Diagnostic::error(Kind::Environment, message)])
    }

    fn read(
        &self,
        ask: impl FnOnce() -> io::Result<Option<Secret>>,
    ) -> Result<Secret, Diagnostics> {
        if let Some(file) = &self.passphrase_file {
            let read = password_file::read(file, "the passphrase of the backup");
            return read.map_err(|error| vec![error]);
        }
        let asked = ask().map_err(|error| {
            let message = format!("failed to read the passphrase: {error}");
            vec![Diagnostic::error(Kind::Environment, message)]
        })?;
        match asked {
            Some(passphrase) if !passphrase.expose().is_empty() => Ok(passphrase),
            Some(_) => {
                let message = "the passphrase is empty";
                Err(vec![Diagnostic::error(Kind::Environment, message)])
            }
            None => {
                let message = "a backup needs a passphrase, and there is no terminal to ask for it";
                let error = Diagnostic::error(Kind::Environment, message);
                Err(vec![error.hint("`--passphrase-file FILE` takes it from a file, or from a program that prints it")])
            }
        }
    }
}
