//! `kinstall snapshot save|restore|list|delete`: states of the lab to go back to.

use clap::{Args, Subcommand};

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::members::Members;
use crate::install::ready::Clock;
use crate::install::{Keys, LabMachines, lab, lost, named_hosts, ready};
use crate::provision::{MachineState, Snapshot, Snapshots};
use crate::ui::printer::{Format, Printer};
use crate::ui::{prompt, snapshots};

#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// Save the state of the whole lab at one moment, or of single machines
    Save(SnapshotArguments),
    /// Restore a snapshot; everything that happened since is lost
    Restore(SnapshotArguments),
    /// List the snapshots
    List,
    /// Remove a snapshot; the machines stay as they are
    Delete(SnapshotArguments),
}

#[derive(Debug, Args)]
pub struct SnapshotArguments {
    /// Letters, digits, `-`, `_` and `.`
    #[arg(value_parser = name)]
    pub name: String,
    /// Names of machines [default: all]
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Checks the name of a snapshot; it becomes part of files' names and of other programs' arguments.
pub fn name(text: &str) -> Result<String, String> {
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
    if text.is_empty() || !text.chars().all(is_allowed) {
        return Err("letters, digits, `-`, `_` and `.` make a name".into());
    }
    if text.starts_with(['-', '.']) {
        return Err("it begins with a letter, a digit or `_`".into());
    }
    Ok(text.to_owned())
}

/// Carries out one of the subcommands.
pub fn run(
    global: &GlobalArguments,
    command: &SnapshotCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let _lock = match command {
        SnapshotCommand::List => None,
        _ => Some(project.lock()?),
    };
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let (provider, described) = machines.require_made("take snapshots of")?;
    let Some(keeper) = provider.snapshots() else {
        let error = Diagnostic::error(
            Kind::Environment,
            "machines of this provider have no snapshots",
        );
        return Err(vec![error.hint(
            "virtual machines have them: provider `virtualbox` or `qemu`",
        )]);
    };
    let kept = keeper
        .list(described)
        .map_err(|error| lab::failed(&error))?;
    let (arguments, act): (_, Act) = match command {
        SnapshotCommand::List => {
            match printer.format {
                Format::Text => printer.data(&snapshots::render(&kept)),
                Format::Json => printer.json(&kept),
            }
            return Ok(Exit::Success);
        }
        SnapshotCommand::Save(arguments) => (arguments, Act::Save),
        SnapshotCommand::Restore(arguments) => (arguments, Act::Restore),
        SnapshotCommand::Delete(arguments) => (arguments, Act::Delete),
    };
    let observed = provider
        .observe(described)
        .map_err(|error| lab::failed(&error))?;
    let chosen = named_hosts::machines(&project.cluster, &observed, &arguments.nodes)?;
    let names: Vec<&str> = chosen.iter().map(|it| it.name.as_str()).collect();
    let names = act.applies_to(&kept, arguments, names)?;
    if !arguments.yes && act.loses_something() {
        let question = act.question(&arguments.name, &names);
        if !prompt::confirm(&question) {
            let error = Diagnostic::error(Kind::Interrupted, "nothing was changed");
            return Err(vec![error.hint("answer y, or give --yes")]);
        }
    }
    let mut control_planes = project.cluster.control_planes();
    let all_go_back = act == Act::Restore && control_planes.all(|it| names.contains(&&*it.name));
    if act == Act::Restore && !all_go_back {
        lost::refuse(&project.directory, &names)?;
    }
    let report = |host: &str, state: &str| printer.machine(host, state);
    let carry_out = match act {
        Act::Save => Snapshots::save,
        Act::Restore => Snapshots::restore,
        Act::Delete => Snapshots::delete,
    };
    carry_out(keeper, described, &names, &arguments.name, &report)
        .map_err(|error| lab::failed(&error))?;
    if act != Act::Restore {
        return Ok(Exit::Success);
    }
    if all_go_back {
        Members::give_up(&project.directory, &[])?;
    }
    let observed = provider
        .observe(described)
        .map_err(|error| lab::failed(&error))?;
    let runs = |name: &&&str| {
        let found = observed.iter().find(|it| it.name == **name);
        found.is_some_and(|it| it.state == MachineState::Running)
    };
    let running: Vec<&str> = names.iter().filter(runs).copied().collect();
    let clock = Clock::MayBeBehind;
    let failures = ready::wait(&project.cluster, &machines, &running, clock, &report)?;
    Ok(Exit::after(&failures, printer))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Save,
    Restore,
    Delete,
}

impl Act {
    fn loses_something(self) -> bool {
        self != Self::Save
    }

    fn question(self, snapshot: &str, names: &[&str]) -> String {
        let names = names.join(", ");
        match self {
            Self::Restore => {
                format!("Go back to snapshot {snapshot} of {names}? What happened since is lost.")
            }
            _ => format!("Delete snapshot {snapshot} of {names}?"),
        }
    }

    /// Returns the machines that it is done to. A name is saved once; what is restored or deleted must be
    /// there, for the machines that the user named or for any.
    fn applies_to<'a>(
        self,
        kept: &[Snapshot],
        arguments: &SnapshotArguments,
        names: Vec<&'a str>,
    ) -> Result<Vec<&'a str>, Diagnostics> {
        let wanted = &arguments.name;
        let found = kept.iter().find(|it| it.name == *wanted);
        let has = |name: &&str| {
            found.is_some_and(|it| it.machines.iter().any(|part| part.machine == **name))
        };
        let (with, without): (Vec<&str>, Vec<&str>) = names.into_iter().partition(has);
        if self == Self::Save {
            if with.is_empty() {
                return Ok(without);
            }
            let message = format!(
                "there is a snapshot `{wanted}` of {} already",
                with.join(", ")
            );
            let error = Diagnostic::error(Kind::Environment, message);
            return Err(vec![error.hint(format!(
                "choose another name, or `kinstall snapshot delete {wanted}` first"
            ))]);
        }
        if found.is_none() {
            let known: Vec<&str> = kept.iter().map(|it| it.name.as_str()).collect();
            return Err(vec![named_hosts::unknown(
                "snapshot",
                wanted,
                &known,
                "the lab has",
            )]);
        }
        // A machine that was made later has no part in the snapshot of all.
        if without.is_empty() || (arguments.nodes.is_empty() && !with.is_empty()) {
            return Ok(with);
        }
        let message = format!("{} has no snapshot `{wanted}`", without.join(", "));
        let error = Diagnostic::error(Kind::Environment, message);
        Err(vec![error.hint("`kinstall snapshot list` lists them")])
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Snapshot, SnapshotArguments, name};
    use crate::provision::SnapshotOfMachine;

    #[test]
    fn names_of_snapshots() {
        for good in ["a", "before-upgrade", "v1.37_2", "_x"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "a b", "-x", ".", "../x", "a/b", "é", "a\n"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    /// Returns the machines that something is done to, or what is said instead.
    fn applies(act: Act, name: &str, nodes: &[&str], machines: &[&str]) -> String {
        let part = |machine: &str| SnapshotOfMachine {
            machine: machine.into(),
            live: false,
            taken: None,
        };
        let kept = [Snapshot {
            name: "fresh".into(),
            machines: vec![part("n1"), part("n2")],
        }];
        let arguments = SnapshotArguments {
            name: name.into(),
            nodes: nodes.iter().map(ToString::to_string).collect(),
            yes: true,
        };
        match act.applies_to(&kept, &arguments, machines.to_vec()) {
            Ok(names) => names.join(" "),
            Err(errors) => format!("{}; {}", errors[0].message, errors[0].hints.join("; ")),
        }
    }

    #[test]
    fn snapshots_that_are_there_and_those_that_are_not() {
        let all = ["n1", "n2", "n3"];
        let cases = [
            applies(Act::Save, "other", &[], &all),
            applies(Act::Save, "fresh", &[], &all),
            applies(Act::Save, "fresh", &["n3"], &["n3"]),
            applies(Act::Restore, "fresh", &[], &all),
            applies(Act::Restore, "fresh", &["n3"], &["n3"]),
            applies(Act::Delete, "frsh", &[], &all),
            applies(Act::Delete, "fresh", &["n2"], &["n2"]),
        ];
        insta::assert_snapshot!(cases.join("\n"), @r"
        n1 n2 n3
        there is a snapshot `fresh` of n1, n2 already; choose another name, or `kinstall snapshot delete fresh` first
        n3
        n1 n2
        n3 has no snapshot `fresh`; `kinstall snapshot list` lists them
        there is no snapshot `frsh`; did you mean `fresh`?; the lab has: fresh
        n2
        ");
    }
}
