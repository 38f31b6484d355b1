//! What `plan` shows: every change, by host and step, with diffs.

use std::fmt::Write as _;

use crate::plan::LeftOut;
use crate::provision::{MachineAction, SettingChange};
use crate::resource::{Action, Change};
use crate::run::{PlannedChanges, PlannedPhase};

/// A list with more names than this becomes a number.
const MOST_NAMES: usize = 8;

/// Renders changes as text; says so when there are none.
pub fn render(changes: &PlannedChanges) -> String {
    let mut text = String::new();
    for machine in &changes.machines {
        let _ = writeln!(text, "{}", machine.host);
        machine_change(&mut text, &machine.action);
    }
    let mut host = "";
    for step in &changes.steps {
        if step.host != host {
            host = &step.host;
            let _ = writeln!(text, "{host}");
        }
        for change in &step.changes {
            let _ = writeln!(
                text,
                "  {} {}: {}",
                symbol(change.action),
                step.step,
                describe(change)
            );
            for line in change.diff.iter().flat_map(|diff| diff.lines()) {
                let _ = writeln!(text, "      {line}");
            }
        }
    }
    order(&mut text, &changes.phases);
    if !changes.unreachable.is_empty() {
        let names = changes.unreachable.join(", ");
        let _ = writeln!(text, "\nNot reached, so their state is unknown: {names}.");
    }
    for it in &changes.left_out {
        let _ = writeln!(text, "\n{}", left_out(it));
    }
    let hosts = changes.hosts();
    let count = changes.count();
    if count == 0 && !(changes.left_out.is_empty() && changes.unreachable.is_empty()) {
        text.push_str("Nothing to do on the other hosts.\n");
    } else if count == 0 {
        text.push_str("Nothing to do: every host is as it should be.\n");
    } else {
        let plural = if count == 1 { "" } else { "s" };
        let _ = writeln!(
            text,
            "\n{count} change{plural} on {hosts} host{}.",
            if hosts == 1 { "" } else { "s" }
        );
    }
    text
}

/// Returns what is not done, and why.
pub(super) fn left_out(it: &LeftOut) -> String {
    format!("not done: {}: {}", it.phases.join(", "), it.reason)
}

/// Shows the order of the phases, where there is one.
fn order(text: &mut String, phases: &[PlannedPhase]) {
    if phases.iter().all(|phase| phase.after.is_empty()) {
        return;
    }
    let width = phases.iter().map(|it| it.name.len()).max().unwrap_or(0);
    text.push_str("\nOrder:\n");
    for phase in phases {
        let hosts = match phase.hosts.as_slice() {
            few if few.len() <= MOST_NAMES => few.join(", "),
            many => format!("{} hosts", many.len()),
        };
        let after = match phase.after.as_slice() {
            [] => String::new(),
            few if few.len() <= MOST_NAMES => format!(" (after {})", few.join(", ")),
            [.., last] => format!(" (after {} phases, the last is {last})", phase.after.len()),
        };
        let _ = writeln!(text, "  {:width$}  {hosts}{after}", phase.name);
    }
}

fn machine_change(text: &mut String, action: &MachineAction) {
    let _ = match action {
        MachineAction::Create => writeln!(text, "  + machine (create)"),
        MachineAction::Start => writeln!(text, "  + machine (start)"),
        MachineAction::Remove => {
            writeln!(text, "  - machine (remove: the inventory doesn't have it)")
        }
        MachineAction::Change {
            settings,
            needs_halt,
            runs,
        } => {
            for it in settings {
                let (setting, from, to) = (it.setting, &it.from, &it.to);
                let _ = match it.impossible {
                    None => writeln!(text, "  ~ machine: {setting} {from} -> {to}"),
                    Some(reason) => {
                        writeln!(
                            text,
                            "  ! machine: {setting} stays {from}, not {to} ({reason})"
                        )
                    }
                };
            }
            let is_stuck = settings.iter().any(SettingChange::is_in_the_way);
            if *needs_halt {
                writeln!(text, "  * machine (halted for this, and started again)")
            } else if !runs && !is_stuck {
                writeln!(text, "  + machine (start)")
            } else {
                Ok(())
            }
        }
    };
}

fn symbol(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Remove => '-',
        Action::Run => '!',
        Action::Restart => '*',
        Action::Wait => '?',
    }
}

fn describe(change: &Change) -> String {
    match (&change.from, &change.to) {
        (Some(from), Some(to)) => format!("{} {from} -> {to}", change.subject),
        (None, Some(to)) => format!("{} {to}", change.subject),
        (Some(from), None) => format!("{} {from} -> gone", change.subject),
        (None, None) => change.subject.clone(),
    }
}
