//! Storage on the nodes' own disks: local-path-provisioner.

use super::super::LocalPath;
use super::super::names::is_subdomain;
use super::{Placed, Reader};

const RECLAIM_POLICIES: [&str; 2] = ["Delete", "Retain"];

pub(super) fn local_path(reader: &mut Reader<'_>) -> LocalPath {
    let defaults = LocalPath::default();
    let enabled = reader.boolean("local_path_provisioner_enabled");
    let is_default = reader.boolean("local_path_provisioner_is_default_storageclass");
    let debug = reader.boolean("local_path_provisioner_debug");
    LocalPath {
        enabled: enabled.unwrap_or(defaults.enabled),
        is_said: enabled.is_some(),
        namespace: text(
            reader,
            "local_path_provisioner_namespace",
            |it| is_subdomain(it) && !it.contains('.'),
            "the name of a namespace: lower-case letters, digits and `-`",
        )
        .unwrap_or(defaults.namespace),
        storage_class: text(
            reader,
            "local_path_provisioner_storage_class",
            is_subdomain,
            "the name of a StorageClass: lower-case letters, digits, `-` and `.`",
        )
        .unwrap_or(defaults.storage_class),
        is_default: is_default.unwrap_or(defaults.is_default),
        reclaim_policy: text(
            reader,
            "local_path_provisioner_reclaim_policy",
            |it| RECLAIM_POLICIES.contains(&it),
            "`Delete` or `Retain`",
        )
        .unwrap_or(defaults.reclaim_policy),
        claim_root: text(
            reader,
            "local_path_provisioner_claim_root",
            is_folder,
            "the path of a folder, `/opt/local-path-provisioner`",
        )
        .map(|path| path.trim_end_matches('/').to_owned())
        .unwrap_or(defaults.claim_root),
        debug: debug.unwrap_or(defaults.debug),
    }
}

/// Reads a text; one that is wrong is an error.
fn text(
    reader: &mut Reader<'_>,
    name: &str,
    is_right: impl Fn(&str) -> bool,
    what: &str,
) -> Option<String> {
    let Placed { value, location } = reader.text(&[name])?;
    if let Some(location) = location.filter(|_| !is_right(&value)) {
        reader.error(
            &location,
            format!("`{name}` can't be `{value}`"),
            "not usable",
            format!("write {what}"),
        );
        return None;
    }
    Some(value)
}

/// Volumes are folders in it; quotes and line breaks would change the file that names it.
fn is_folder(path: &str) -> bool {
    let mut parts = path.split('/').skip(1).filter(|part| !part.is_empty());
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/-_.+@ ".contains(it);
    path.starts_with('/')
        && path.chars().all(is_plain)
        && parts.clone().count() > 0
        && parts.all(|part| part != "..")
}
