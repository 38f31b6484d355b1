//! The machines of an `up`: made, changed and started, as many at a time as this computer can boot.

use std::thread;

use super::first_boot::FirstBoots;
use super::lab::{LabMachines, failed};
use super::members::Members;
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::provision::MachineChange;
use crate::run::{Cancel, EventSender, RunEvent};

/// How many processors of machines that boot share one of this computer: a boot waits for disks half of the time.
const PROCESSORS_EACH: usize = 2;

/// Returns what stays as it is although the inventory asks for something else, as warnings; fails where no cluster
/// can be installed with that.
pub fn check(changes: &[MachineChange]) -> Result<Diagnostics, Diagnostics> {
    let (mut errors, mut warnings) = (Diagnostics::new(), Diagnostics::new());
    for change in changes {
        for setting in change.impossible() {
            let (name, from, to) = (setting.setting, &setting.from, &setting.to);
            let message = format!("{}: {name} stays {from}, not {to}", change.host);
            let reason = setting.impossible.unwrap_or_default();
            if setting.is_in_the_way() {
                errors.push(Diagnostic::error(Kind::Environment, message).hint(reason));
            } else {
                warnings.push(Diagnostic::warning(message).hint(reason));
            }
        }
    }
    if errors.is_empty() {
        Ok(warnings)
    } else {
        Err(errors)
    }
}

/// Carries changes out, and waits until the machines are set up.
pub async fn make(
    project: &Project,
    machines: &LabMachines,
    changes: &[MachineChange],
    events: &EventSender,
    cancel: &Cancel,
) -> Result<(), Diagnostics> {
    let Some((provider, lab)) = machines.shared() else {
        return Ok(());
    };
    // Weak: a provider that is still at work when the user has ended the run doesn't keep it.
    let events = events.downgrade();
    let notices_to = events.clone();
    let report = move |machine: &str, state: &str| {
        let (host, state) = (machine.to_owned(), state.to_owned());
        if let Some(events) = events.upgrade() {
            let _ = events.send(RunEvent::Machine { host, state });
        }
    };
    let first_boots = FirstBoots::of(&project.directory);
    let mut most = usize::MAX;
    if provider.has_first_boot() {
        first_boots.expect(changes)?;
        most = thread::available_parallelism().map_or(1, usize::from) * PROCESSORS_EACH;
    }
    let processors = |change: &MachineChange| {
        let machine = lab.machine(&change.host).filter(|_| change.is_boot());
        machine.map_or(0, |it| it.spec.cpus as usize)
    };
    for group in groups(changes, most, processors) {
        let names: Vec<&str> = group.iter().map(|it| it.host.as_str()).collect();
        let made = {
            let (provider, lab) = (provider.clone(), lab.clone());
            let (group, report) = (group.to_vec(), report.clone());
            tokio::task::spawn_blocking(move || provider.up(&lab, &group, &report))
        };
        let made = async {
            let made = made
                .await
                .map_err(|error| vec![Diagnostic::error(Kind::Internal, error.to_string())])?;
            made.map_err(|error| failed(&error))?;
            first_boots.finish(project, machines, &names, &report).await
        };
        cancel
            .unless(made)
            .await
            .map_err(|error| vec![error.diagnostic()])??;
    }
    let removed = changes.iter().filter(|it| it.is_removal());
    let removed: Vec<&str> = removed.map(|it| it.host.as_str()).collect();
    Members::are_gone(&project.directory, &removed)?;
    if let Some(events) = notices_to.upgrade() {
        for message in provider.notices(&lab) {
            let host = String::new();
            let _ = events.send(RunEvent::Notice { host, message });
        }
    }
    // An interrupted `up` may have left others behind.
    let names: Vec<&str> = lab.machines.iter().map(|it| it.name.as_str()).collect();
    let finish = first_boots.finish(project, machines, &names, &report);
    cancel
        .unless(finish)
        .await
        .map_err(|error| vec![error.diagnostic()])?
}

/// Splits changes into groups that have `most` processors together, or one machine that has more.
fn groups(
    changes: &[MachineChange],
    most: usize,
    processors: impl Fn(&MachineChange) -> usize,
) -> Vec<&[MachineChange]> {
    let mut groups = Vec::new();
    let (mut start, mut sum) = (0, 0);
    for (index, change) in changes.iter().enumerate() {
        let more = processors(change);
        if sum > 0 && more > 0 && sum + more > most {
            groups.push(&changes[start..index]);
            (start, sum) = (index, 0);
        }
        sum += more;
    }
    groups.push(&changes[start..]);
    groups
}

#[cfg(test)]
mod tests {
    use super::groups;
    use crate::provision::{MachineAction, MachineChange};

    #[test]
    fn no_more_machines_boot_at_a_time_than_there_are_processors_for() {
        let changes: Vec<_> = (0..4)
            .map(|number| MachineChange {
                host: format!("node{number}"),
                action: MachineAction::Start,
            })
            .collect();
        let sizes = |most, processors: [usize; 4]| {
            let of = |it: &MachineChange| processors[it.host[4..].parse::<usize>().unwrap()];
            let groups = groups(&changes, most, of);
            let sizes: Vec<_> = groups.iter().map(|it| it.len()).collect();
            sizes
        };
        assert_eq!(sizes(8, [2, 2, 2, 2]), [4]);
        assert_eq!(sizes(4, [2, 2, 2, 2]), [2, 2]);
        assert_eq!(sizes(4, [6, 2, 2, 2]), [1, 2, 1]);
        assert_eq!(sizes(4, [2, 0, 2, 4]), [3, 1]);
        assert_eq!(sizes(usize::MAX, [2, 2, 2, 2]), [4]);
    }
}
