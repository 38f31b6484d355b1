//! `kinstall certs rotate-sa-key`.

use std::time::SystemTime;

use jiff::Timestamp;

use crate::cli::GlobalArguments;
use crate::cli::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::{Installation, Keys, LabMachines, service_accounts};
use crate::ui::printer::Printer;
use crate::ui::prompt;

/// Rotates the key as far as it can be: from the new key to the time in which pods get new tokens, or to its end.
pub fn rotate(
    global: &GlobalArguments,
    finish: bool,
    yes: bool,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let keys = project.secrets()?.service_accounts;
    let name = project.cluster.name.clone();
    let question = if let Some(until) = keys.accepted_until() {
        if !finish {
            let machines = LabMachines::of(&mut project, Keys::Read)?;
            let legacy = service_accounts::secrets_of_other_keys(&project, &machines, &keys)?;
            if SystemTime::now() < until {
                tell_until(until, printer);
                tell_legacy(&legacy, printer);
                return Ok(Exit::Success);
            }
            if !legacy.is_empty() {
                return Err(vec![still_there(&legacy)]);
            }
        }
        format!("Stop accepting tokens of {name} that the old key of service accounts has signed?")
    } else if keys.next_step().is_some() {
        format!("Go on with the rotation of the key of service accounts of {name}?")
    } else if finish {
        let message = format!("no rotation of the key of service accounts of {name} is under way");
        let error = Diagnostic::error(Kind::Environment, message);
        return Err(vec![
            error.hint("without `--finish`, the command begins one"),
        ]);
    } else {
        format!(
            "Give {name} a new key of service accounts? The control planes start API servers again twice, one after another."
        )
    };
    if !yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was changed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let installation = Installation::to_apply(&global.settings(), project)?;
    let applied = installation.rotate_service_account_key(finish, printer.observer())?;
    printer.summary(&applied.summary);
    if !applied.all_done {
        printer
            .message("The rotation stopped. When the cause is mended, run the same command again.");
        return Ok(Exit::of_failures(&applied.summary));
    }
    let keys = applied.project.secrets()?.service_accounts;
    let Some(until) = keys.accepted_until() else {
        printer
            .message("Only tokens of the new key are accepted. Save .kinstall/secrets.json again.");
        return Ok(Exit::Success);
    };
    tell_until(until, printer);
    let (project, machines) = (&applied.project, &applied.machines);
    tell_legacy(
        &service_accounts::secrets_of_other_keys(project, machines, &keys)?,
        printer,
    );
    Ok(Exit::Success)
}

fn tell_until(until: SystemTime, printer: Printer) {
    let until = Timestamp::try_from(until).unwrap_or(Timestamp::MAX);
    printer.message(&format!(
        "The new key signs. Tokens of the old one are accepted as well, until each pod has another one. From {} on, \
         `kinstall certs rotate-sa-key` drops the old key. Save .kinstall/secrets.json again.",
        until.strftime("%Y-%m-%d %H:%M UTC")
    ));
}

fn tell_legacy(legacy: &[String], printer: Printer) {
    if !legacy.is_empty() {
        printer.message(&format!("{}\n{ANEW}", with_old_tokens(legacy)));
    }
}

/// What the controller manager does when a token is gone.
const ANEW: &str = "When its `token` is removed from a Secret, the controller manager makes another one: `kubectl patch secret NAME \
     --namespace NAMESPACE --type json --patch '[{\"op\":\"remove\",\"path\":\"/data/token\"}]'`. Give it to those who use the old one.";

fn with_old_tokens(legacy: &[String]) -> String {
    format!(
        "Secrets with tokens of the old key, which nothing renews: {}",
        legacy.join(", ")
    )
}

fn still_there(legacy: &[String]) -> Diagnostic {
    Diagnostic::error(Kind::Environment, with_old_tokens(legacy))
        .hint(ANEW)
        .hint("`--finish` drops the old key all the same: these tokens are of no use then")
}
