//! The keys that control planes have, held against those of the cluster's secrets: no plan may take a key from them that is in
//! use.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::{encryption, service_accounts};
use crate::credentials::rotating_keys::{RotatingKey, RotatingKeys};
use crate::credentials::{ClusterSecrets, EncryptionKeys};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::ClusterSpec;
use crate::wire::{Facts, authority_digest};

/// Takes back retired keys that control planes still have. Returns what speaks against giving control planes the keys of these
/// secrets: that some have keys which aren't known here.
pub fn keep(
    secrets: &mut ClusterSecrets,
    cluster: &ClusterSpec,
    facts: &IndexMap<String, Facts>,
) -> Diagnostics {
    let authority = authority_digest(&secrets.cluster_authority.certificate);
    let found = |of: fn(&Facts) -> &[String]| {
        let hosts = cluster.control_planes().filter_map(|host| {
            let facts = facts.get(&host.name)?;
            let is_ours = encryption::is_ours(facts, authority.as_ref());
            Some((host.name.as_str(), is_ours, of(facts)))
        });
        hosts.collect::<Vec<_>>()
    };
    let mut problems = Vec::new();
    if let Some(keys) = &mut secrets.encryption_keys {
        let found = found(|facts| &facts.encryption_keys);
        let strangers = keep_found(keys, encryption::fingerprint, &found);
        if !strangers.is_empty() {
            problems.push(unknown_encryption_keys(&strangers));
        }
    }
    let found = found(|facts| &facts.service_account_keys);
    let keys = &mut secrets.service_accounts;
    let strangers = keep_found(keys, service_accounts::key_name, &found);
    if !strangers.is_empty() {
        problems.push(unknown_service_account_keys(&strangers));
    }
    problems
}

/// Takes back what data was encrypted with that comes from a backup.
pub fn keep_those_of(secrets: &mut ClusterSecrets, backup: Option<&EncryptionKeys>) {
    if let (Some(keys), Some(backup)) = (&mut secrets.encryption_keys, backup) {
        keys.keep_those_of(backup);
    }
}

/// Returns the control planes of this cluster that have keys which aren't known here.
fn keep_found<K>(
    keys: &mut RotatingKeys<K>,
    name: fn(&RotatingKey<K>) -> String,
    found: &[(&str, bool, &[String])],
) -> Vec<String> {
    let known = keys.all().map(|key| (name(key), key.number()));
    let known: HashMap<String, u32> = known.collect();
    let mut numbers = Vec::new();
    let mut strangers = Vec::new();
    for (host, is_ours, names) in found {
        let own = names.iter().filter_map(|it| known.get(it).copied());
        let own: Vec<u32> = own.collect();
        if *is_ours && own.len() < names.len() {
            strangers.push((*host).to_owned());
        }
        numbers.push(own);
    }
    keys.keep_found(&numbers);
    strangers
}

fn unknown_encryption_keys(hosts: &[String]) -> Diagnostic {
    let hosts = hosts.join(", ");
    let message = format!(
        "Secrets are encrypted with a key that .kinstall/secrets.json doesn't have, on {hosts}"
    );
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed: with the keys of that file, no Secret could be read")
        .hint("the file is older than the last `kinstall encryption rotate`: put the newer one in its place, or that of an etcd backup made after it")
}

fn unknown_service_account_keys(hosts: &[String]) -> Diagnostic {
    let hosts = hosts.join(", ");
    let message = format!(
        "tokens of service accounts have a key that .kinstall/secrets.json doesn't have, on {hosts}"
    );
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed: with the keys of that file, the tokens of all pods would be refused")
        .hint("the file is older than the last `kinstall certs rotate-sa-key`: put the newer one in its place, or that of an etcd backup made after it")
}
