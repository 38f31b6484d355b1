//! `kinstall certs rotate-ca`.

use std::time::SystemTime;

use jiff::Timestamp;

use crate::cli::GlobalArguments;
use crate::cli::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::authorities::{AuthorityKind, accepted_until, title, under_way};
use crate::install::{Installation, Project};
use crate::ui::printer::Printer;
use crate::ui::prompt;

/// Rotates authorities as far as it can be: from the new ones to the time in which pods and people get to know them, or to its
/// end. Without a choice all of them.
pub fn rotate(
    global: &GlobalArguments,
    chosen: &[AuthorityKind],
    finish: bool,
    yes: bool,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(None)?;
    project.require_lab()?;
    if let Some(until) = accepted_until(&project.secrets()?).filter(|_| !finish)
        && SystemTime::now() < until
    {
        tell_until(until, printer);
        return Ok(Exit::Success);
    }
    let question = question(&project, chosen, finish)?;
    if !yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was changed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let kinds = match chosen {
        [] => &AuthorityKind::ALL,
        chosen => chosen,
    };
    let installation = Installation::to_apply(&global.settings(), project)?;
    let applied = installation.rotate_authorities(kinds, finish, printer.observer())?;
    printer.summary(&applied.summary);
    if !applied.all_done {
        printer
            .message("The rotation stopped. When the cause is mended, run the same command again.");
        return Ok(Exit::of_failures(&applied.summary));
    }
    match accepted_until(&applied.project.secrets()?) {
        Some(until) => tell_until(until, printer),
        None => printer.message(
            "Only certificates of the new authorities are accepted. Save .kinstall/secrets.json again.",
        ),
    }
    Ok(Exit::Success)
}

fn question(
    project: &Project,
    chosen: &[AuthorityKind],
    finish: bool,
) -> Result<String, Diagnostics> {
    let name = &project.cluster.name;
    let secrets = project.secrets()?;
    let under_way = under_way(&secrets);
    if accepted_until(&secrets).is_some() {
        return Ok(format!(
            "Stop accepting certificates of the old authorities of {name}?"
        ));
    }
    if under_way.is_empty() && finish {
        let message = format!("no rotation of authorities of {name} is under way");
        let error = Diagnostic::error(Kind::Environment, message);
        return Err(vec![
            error.hint("without `--finish`, the command begins one"),
        ]);
    }
    if under_way.is_empty() {
        return Ok(format!(
            "Give {name} new authorities, and new certificates to all? The control planes start their programs again twice, one \
             after another."
        ));
    }
    if let Some(other) = chosen.iter().find(|it| !under_way.contains(it)) {
        let under_way: Vec<&str> = under_way.into_iter().map(title).collect();
        let message = format!(
            "{} can't get a successor while there is a rotation of {}",
            title(*other),
            under_way.join(", ")
        );
        return Err(vec![Diagnostic::error(Kind::Environment, message).hint(
            "`kinstall certs rotate-ca` goes on with that; begin this one afterwards",
        )]);
    }
    Ok(format!("Go on with the rotation of authorities of {name}?"))
}

fn tell_until(until: SystemTime, printer: Printer) {
    let until = Timestamp::try_from(until).unwrap_or(Timestamp::MAX);
    printer.message(&format!(
        "All certificates are of the new authorities, and those of the old ones are accepted as well. From {} on, \
         `kinstall certs rotate-ca` drops the old ones. Until then:\n\
         - run `kinstall kubeconfig` on each computer that uses the cluster, and give its users new certificates;\n\
         - restart pods of your own whose programs read ca.crt only when they start: in each pod it has both since two minutes after this;\n\
         - start nodes that were off, and run `kinstall up`;\n\
         - save .kinstall/secrets.json again.",
        until.strftime("%Y-%m-%d %H:%M UTC")
    ));
}
