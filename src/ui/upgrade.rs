//! How the path of an upgrade, and what runs after it, are shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use semver::Version;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::plan::upgrade::running::COMPONENTS;
use crate::plan::upgrade::{Hop, RunningVersions};
use crate::report::rollback::Rollback;

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

/// Returns what comes back, and what is lost.
pub fn way_back(back: &Rollback, now: Timestamp) -> String {
    let snapshot = &back.backup.told.snapshot;
    let mut lines = vec![format!(
        "Back to Kubernetes {} and etcd {} on all nodes:",
        back.versions.kubernetes, back.versions.etcd
    )];
    let moved = back.moved.iter();
    lines.extend(moved.map(|(node, newer)| format!("  {node} runs {}", newer.join(", "))));
    lines.push(format!(
        "etcd gets the data of the backup {} on {}: {} keys of {}.",
        back.backup.file,
        back.backup.host,
        snapshot.keys,
        time(snapshot.created)
    ));
    lines.push(format!(
        "LOST: everything that was written to the cluster in the {} since. API servers and etcd of the newer version wrote it, and the \
         older ones may not read it.",
        age(snapshot.created, now)
    ));
    lines.push(
        "Meanwhile the API doesn't answer; pods that were not there at that time end, and those that were start again."
            .to_owned(),
    );
    if back.goes_on {
        lines.push("This rollback was interrupted, and goes on.".to_owned());
    }
    lines.join("\n")
}

/// Returns a time as people read it.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Returns how long ago something was: `3 h 20 min`.
fn age(from: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(from).as_mins().max(0);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) if hours < 48 => format!("{hours} h {minutes} min"),
        (hours, _) => format!("{} days", hours / 24),
    }
}

/// Says which nodes run something else than they should.
pub fn differences(
    behind: &BTreeMap<String, Vec<String>>,
    version: &Version,
    what: &str,
) -> Diagnostics {
    let errors = behind.iter().map(|(node, differences)| {
        let message = format!(
            "`{node}` runs {} after the {what} to {version}",
            differences.join(", ")
        );
        Diagnostic::error(Kind::Step, message).hint("`kinstall upgrade` again moves it")
    });
    errors.collect()
}
