//! How the path of an upgrade, and what runs after it, are shown.

use std::collections::BTreeMap;

use semver::Version;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::plan::upgrade::running::COMPONENTS;
use crate::plan::upgrade::{Hop, RunningVersions};

/// Returns the hops, numbered, each with its reasons.
pub fn path(hops: &[Hop]) -> String {
    let lines = hops.iter().enumerate().map(|(index, hop)| {
        let reasons = hop.reasons.iter().map(|reason| format!("\n     {reason}"));
        format!(
            "  {}. Kubernetes {}, etcd {}{}",
            index + 1,
            hop.versions.kubernetes,
            hop.versions.etcd,
            reasons.collect::<String>()
        )
    });
    let lines: Vec<String> = lines.collect();
    format!("The path:\n{}", lines.join("\n"))
}

/// Returns a table of what runs on each node.
pub fn table(running: &RunningVersions) -> String {
    let heads: Vec<String> = COMPONENTS.iter().map(|it| it.to_uppercase()).collect();
    let mut columns = vec!["NODE", "KUBELET"];
    columns.extend(heads.iter().map(String::as_str));
    columns.push("RUNTIME");
    let mut table = super::status::table(&columns);
    for (name, node) in &running.nodes {
        let version =
            |version: Option<&Version>| version.map_or_else(|| "-".to_owned(), ToString::to_string);
        let mut row = vec![name.clone(), version(node.kubelet.as_ref())];
        row.extend(COMPONENTS.iter().map(|it| version(node.components.get(it))));
        row.push(node.runtime.clone());
        table.add_row(row);
    }
    format!("{table}\n")
}

/// Says which nodes run something else than they should.
pub fn differences(behind: &BTreeMap<String, Vec<String>>, version: &Version) -> Diagnostics {
    let errors = behind.iter().map(|(node, differences)| {
        let message = format!(
            "`{node}` runs {} after the upgrade to {version}",
            differences.join(", ")
        );
        Diagnostic::error(Kind::Step, message).hint("`kinstall upgrade` again moves it")
    });
    errors.collect()
}
