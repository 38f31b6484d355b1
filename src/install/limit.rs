//! `--limit`: the hosts that a run is for.

use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::inventory::{Inventory, PatternError, Vault};

/// Returns the cluster's hosts that a host pattern selects, in the order of the inventory.
pub fn names(project: &Project, pattern: &str) -> Result<Vec<String>, Diagnostics> {
    // Its warnings were shown when the project was read, and names are never encrypted.
    let (inventory, _) = Inventory::load(&project.inventory, Vault::default())?;
    let wrong = |error: &PatternError| {
        let diagnostic = Diagnostic::from_error(Kind::Inventory, error);
        let message = format!("--limit: {}", diagnostic.message);
        let diagnostic = Diagnostic::error(Kind::Inventory, message);
        vec![match error {
            PatternError::NoMatch {
                closest: Some(name),
                ..
            } => diagnostic.hint(format!("did you mean `{name}`?")),
            _ => diagnostic.hint(
                "names of hosts and groups, globs, `!` and `&` are understood: `kube_node:!node3`",
            ),
        }]
    };
    let matching = inventory.matching(pattern).map_err(|error| wrong(&error))?;
    let is_in_cluster = |name: &&str| project.cluster.host(name).is_some();
    let names: Vec<String> = matching
        .into_iter()
        .filter(is_in_cluster)
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        let pattern = pattern.to_owned();
        return Err(wrong(&PatternError::Empty { pattern }));
    }
    Ok(names)
}
