//! Files that use each other in a circle.
//!
//! What a file uses of the module that it is in, and that module of it, doesn't count.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::named_in;
use super::source::Source;

type Place = Vec<String>;

/// Files that use each other in a circle all the same, and why that is no flaw or is one that is known.
pub const KNOWN: &[(&str, &[&str])] = &[
    (
        "a flaw: the servers' list ends connections, and connections ask it for servers",
        &["api_proxy/connections", "api_proxy/servers"],
    ),
    (
        "a writer ends in the store that began it",
        &["bundle/blob_writer", "bundle/store"],
    ),
    (
        "a catalog has releases, which change a copy of it",
        &["bundle/catalog", "bundle/kubernetes_release"],
    ),
    (
        "an adoption is the store's work on one image, under its lock",
        &["image/adopt", "image/store"],
    ),
    (
        "a flaw: the parts of the schema share the type of its texts",
        &[
            "playbook/schema",
            "playbook/schema_of_conditions",
            "playbook/schema_of_nodes",
        ],
    ),
    (
        "a flaw: SshError is one enum of all parts, and each part returns it",
        &[
            "ssh/agent_channel",
            "ssh/auth",
            "ssh/bootstrap",
            "ssh/client",
            "ssh/configuration",
            "ssh/dial",
            "ssh/elevation",
            "ssh/elevation_error",
            "ssh/error",
            "ssh/fallback",
            "ssh/jump",
            "ssh/local",
            "ssh/process",
            "ssh/session",
            "ssh/target",
        ],
    ),
    (
        "expressions stand in expressions: an evaluator calls itself",
        &[
            "vagrant/evaluate/characters",
            "vagrant/evaluate/given",
            "vagrant/evaluate/list",
            "vagrant/evaluate/list_form",
            "vagrant/evaluate/range",
            "vagrant/evaluate/scope",
            "vagrant/evaluate/shared",
            "vagrant/evaluate/value",
        ],
    ),
    (
        "splitting at a pattern",
        &["vagrant/evaluate/pattern", "vagrant/evaluate/split"],
    ),
];

/// Returns the circles, each with all its files.
pub fn among(sources: &[Source]) -> Vec<Vec<String>> {
    let places: BTreeSet<Place> = sources.iter().map(Source::place).collect();
    let uses: BTreeMap<Place, BTreeSet<Place>> = sources
        .iter()
        .map(|source| (source.place(), used(source, &places)))
        .collect();
    let reached: BTreeMap<&Place, BTreeSet<&Place>> = places
        .iter()
        .map(|place| (place, reached_from(place, &uses)))
        .collect();
    let circles: BTreeSet<Vec<String>> = places
        .iter()
        .filter(|place| reached[place].contains(place))
        .map(|place| {
            let others = reached[place].iter();
            let circle = others.filter(|other| reached[*other].contains(place));
            circle.map(|place| place.join("/")).collect()
        })
        .collect();
    circles.into_iter().collect()
}

/// Returns the other files that a file uses.
fn used(source: &Source, places: &BTreeSet<Place>) -> BTreeSet<Place> {
    let place = source.place();
    let paths = named_in(&source.code).into_iter();
    paths
        .filter_map(|path| file_of(&resolved(&path, &place), places))
        .filter(|used| !used.starts_with(&place) && !place.starts_with(used))
        .collect()
}

/// Returns a path from the crate on.
fn resolved(path: &[String], place: &[String]) -> Place {
    let mut base = match path[0].as_str() {
        "crate" => Vec::new(),
        _ => place.to_owned(),
    };
    for (position, word) in path.iter().enumerate() {
        match word.as_str() {
            "super" => drop(base.pop()),
            "crate" | "self" if position == 0 => {}
            _ => base.push(word.clone()),
        }
    }
    base
}

/// Returns the file that a path leads into: the longest beginning that is one.
fn file_of(path: &[String], places: &BTreeSet<Place>) -> Option<Place> {
    let beginnings = (1..=path.len()).rev().map(|length| path[..length].to_vec());
    beginnings.into_iter().find(|it| places.contains(it))
}

fn reached_from<'a>(
    place: &Place,
    uses: &'a BTreeMap<Place, BTreeSet<Place>>,
) -> BTreeSet<&'a Place> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Place> = uses[place].iter().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(&uses[next]);
        }
    }
    reached
}
