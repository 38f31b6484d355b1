//! The order of playbooks: by phase, and inside a phase by their `after`.

use std::collections::{BTreeMap, BTreeSet};

use super::Stage;
use super::order::{OrderError, order};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::did_you_mean::closest;
use crate::playbook::load::location;
use crate::playbook::{PhaseName, Playbook};

/// Sorts playbooks by phase, then by `after` and component name, then by file name.
pub(super) fn in_order(
    mut playbooks: Vec<Playbook>,
    stages: &[Stage],
) -> Result<Vec<Playbook>, Diagnostics> {
    let phases: Vec<PhaseName> = stages.iter().flat_map(|it| it.phases).copied().collect();
    let mut errors = Diagnostics::new();
    let mut places: BTreeMap<(PhaseName, String), usize> = BTreeMap::new();
    for phase in &phases {
        let of_phase = playbooks.iter().filter(|it| it.phase == *phase);
        let mut after: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for playbook in of_phase.clone() {
            let needed = playbook.after.iter().map(|name| name.value.as_str());
            after.entry(&playbook.component).or_default().extend(needed);
        }
        match order(&after) {
            Ok(ordered) => places.extend(
                (ordered.into_iter().enumerate())
                    .map(|(place, component)| ((*phase, component.to_owned()), place)),
            ),
            Err(error) => errors.push(order_error(&error, of_phase, after.keys().copied())),
        }
    }
    for playbook in playbooks.iter().filter(|it| !phases.contains(&it.phase)) {
        let message = format!("phase `{}` is not one of this action's", playbook.phase);
        let names: Vec<String> = phases.iter().map(ToString::to_string).collect();
        errors.push(
            Diagnostic::error(Kind::Inventory, message)
                .hint(format!("in {}", playbook.file.path.display()))
                .hint(format!("the phases are {}", names.join(", "))),
        );
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    // `load` gives them in the order of file names, and the sort is stable.
    playbooks.sort_by_key(|it| {
        (
            phases.iter().position(|phase| *phase == it.phase),
            places.get(&(it.phase, it.component.clone())).copied(),
        )
    });
    Ok(playbooks)
}

fn order_error<'a>(
    error: &OrderError,
    mut playbooks: impl Iterator<Item = &'a Playbook>,
    known: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let (from, to) = match error {
        OrderError::Cycle(path) => (&path[0], &path[1]),
        OrderError::Unknown { from, missing } => (from, missing),
    };
    let place = playbooks.find_map(|playbook| {
        let mut after = playbook.after.iter();
        let text = after.find(|name| playbook.component == *from && name.value == *to)?;
        Some(location(&playbook.file, text))
    });
    let mut diagnostic = Diagnostic::error(Kind::Inventory, error.to_string());
    if let Some(place) = place {
        diagnostic = diagnostic.at(place, "here");
    }
    match (error, closest(to, known)) {
        (OrderError::Cycle(_), _) => diagnostic.hint("remove one of these from `after`"),
        (_, Some(known)) => diagnostic.hint(format!("did you mean `{known}`?")),
        (_, None) => diagnostic.hint("`after` names components of the same phase"),
    }
}
