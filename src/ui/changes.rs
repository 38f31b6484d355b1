//! What `plan` shows: every change, by host and step, with diffs.

use std::fmt::Write as _;

use crate::plan::LeftOut;
use crate::provision::{MachineAction, SettingChange};
use crate::resource::{Action, Change};
use crate::run::{AssumedHost, FactsFrom, PlannedChanges, PlannedPhase, StepChanges, Unasked};

/// A list with more names than this becomes a number.
const MOST_NAMES: usize = 8;

/// Renders changes as text; says so when there are none.
pub fn render(changes: &PlannedChanges) -> String {
    let mut text = String::new();
    for machine in &changes.machines {
        let _ = writeln!(text, "{}", machine.host);
        machine_change(&mut text, &machine.action);
    }
    for (hosts, steps) in by_host(changes) {
        let note = changes.assumed.iter().find(|it| it.host == hosts[0]);
        let note = note.map(assumed).unwrap_or_default();
        let _ = writeln!(text, "{}{note}", hosts.join(", "));
        for step in steps {
            step_changes(&mut text, step);
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
    let made = changes.assumed.iter();
    let made = made.filter(|it| it.machine != Unasked::NotMade);
    let made: Vec<&str> = made.map(|it| it.host.as_str()).collect();
    if !made.is_empty() {
        let _ = writeln!(
            text,
            "The steps of {} are not counted: what they change is known after the start.",
            made.join(", ")
        );
    }
    text
}

/// Says that a host's steps are not what the host itself says, and what they come from.
fn assumed(host: &AssumedHost) -> &'static str {
    match (host.machine, host.facts) {
        (Unasked::NotMade, _) => " (not made yet: assumed from the image)",
        (Unasked::Halted, FactsFrom::Image) => " (halted: assumed from the image)",
        (Unasked::Halted, FactsFrom::LastRun) => " (halted: assumed from the last run)",
        (Unasked::Moves, FactsFrom::Image) => " (gets another address: assumed from the image)",
        (Unasked::Moves, FactsFrom::LastRun) => {
            " (gets another address: assumed from the last run)"
        }
    }
}

/// Returns the steps of each host; hosts that can't be asked and have the same ones stand together.
fn by_host(changes: &PlannedChanges) -> Vec<(Vec<&str>, &[StepChanges])> {
    let is_like = |one: &StepChanges, other: &StepChanges| {
        one.assumed && other.assumed && one.step == other.step && one.changes == other.changes
    };
    let note = |host: &str| {
        changes
            .assumed
            .iter()
            .find(|it| it.host == host)
            .map(assumed)
    };
    let mut groups: Vec<(Vec<&str>, &[StepChanges])> = Vec::new();
    for steps in changes.steps.chunk_by(|one, next| one.host == next.host) {
        let host = steps[0].host.as_str();
        let same = groups.iter_mut().find(|(hosts, others)| {
            others.len() == steps.len()
                && note(hosts[0]) == note(host)
                && steps
                    .iter()
                    .zip(*others)
                    .all(|(one, other)| is_like(one, other))
        });
        match same {
            Some((hosts, _)) => hosts.push(host),
            None => groups.push((vec![host], steps)),
        }
    }
    groups
}

fn step_changes(text: &mut String, step: &StepChanges) {
    for change in &step.changes {
        let (symbol, what) = (symbol(change.action), describe(change));
        let _ = writeln!(text, "  {symbol} {}: {what}", step.step);
        for line in change.diff.iter().flat_map(|diff| diff.lines()) {
            let _ = writeln!(text, "      {line}");
        }
    }
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

#[cfg(test)]
mod tests {
    use super::render;
    use crate::provision::{MachineAction, MachineChange};
    use crate::resource::{Action, Change};
    use crate::run::{AssumedHost, FactsFrom, PlannedChanges, StepChanges, Unasked};

    #[test]
    fn what_is_assumed_is_marked_and_what_may_be_there_is_not_counted() {
        let mut planned = PlannedChanges::default();
        for (host, machine, facts, action) in [
            (
                "new1",
                Unasked::NotMade,
                FactsFrom::Image,
                MachineAction::Create,
            ),
            (
                "new2",
                Unasked::NotMade,
                FactsFrom::Image,
                MachineAction::Create,
            ),
            (
                "off",
                Unasked::Halted,
                FactsFrom::LastRun,
                MachineAction::Start,
            ),
            (
                "older",
                Unasked::Halted,
                FactsFrom::Image,
                MachineAction::Start,
            ),
            (
                "moves",
                Unasked::Moves,
                FactsFrom::LastRun,
                MachineAction::Start,
            ),
        ] {
            let host = host.to_owned();
            let machine_change = MachineChange {
                host: host.clone(),
                action,
            };
            planned.machines.push(machine_change);
            planned.assumed.push(AssumedHost {
                host,
                machine,
                facts,
                done: Vec::new(),
            });
        }
        for host in ["runs", "new1", "new2", "off", "older", "moves"] {
            planned.steps.push(StepChanges {
                host: host.to_owned(),
                phase: "prepare".to_owned(),
                step: "base/names of the hosts".to_owned(),
                changes: vec![Change::new(Action::Create, "block cluster hosts")],
                assumed: host != "runs",
            });
        }
        insta::assert_snapshot!(render(&planned), @"
        new1
          + machine (create)
        new2
          + machine (create)
        off
          + machine (start)
        older
          + machine (start)
        moves
          + machine (start)
        runs
          + base/names of the hosts: block cluster hosts
        new1, new2 (not made yet: assumed from the image)
          + base/names of the hosts: block cluster hosts
        off (halted: assumed from the last run)
          + base/names of the hosts: block cluster hosts
        older (halted: assumed from the image)
          + base/names of the hosts: block cluster hosts
        moves (gets another address: assumed from the last run)
          + base/names of the hosts: block cluster hosts

        8 changes on 6 hosts.
        The steps of off, older, moves are not counted: what they change is known after the start.
        ");
    }
}
