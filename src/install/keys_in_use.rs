//! The keys that control planes have, held against those of the cluster's secrets: no plan may take a key from them that is in
//! use.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::{authorities, encryption, service_accounts};
use crate::credentials::rotating_keys::{RotatingKey, RotatingKeys};
use crate::credentials::{AuthorityKind, ClusterSecrets, EncryptionKeys};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::ClusterSpec;
use crate::wire::Facts;

/// Takes back retired keys that control planes still have. Returns what speaks against giving control planes the keys of these
/// secrets: that some have keys which aren't known here.
pub fn keep(
    secrets: &mut ClusterSecrets,
    cluster: &ClusterSpec,
    facts: &IndexMap<String, Facts>,
) -> Diagnostics {
    let known = secrets.clone();
    let found = |of: fn(&Facts) -> &[String]| {
        let hosts = cluster.control_planes().filter_map(|host| {
            let facts = facts.get(&host.name)?;
            Some((
                host.name.as_str(),
                authorities::is_ours(facts, &known),
                of(facts),
            ))
        });
        hosts.collect::<Vec<_>>()
    };
    let mut problems = Vec::new();
    for kind in AuthorityKind::ALL {
        let hosts = cluster.hosts.iter().filter(|it| authorities::has(it, kind));
        let mut found = Vec::new();
        for host in hosts {
            let Some(facts) = facts.get(&host.name) else {
                continue;
            };
            for path in authorities::files(kind) {
                let accepted = facts.traces.accepted.get(*path).into_iter().flatten();
                let names: Vec<String> = accepted.map(ToString::to_string).collect();
                found.push((
                    host.name.as_str(),
                    authorities::is_ours(facts, &known),
                    names,
                ));
            }
        }
        let strangers = keep_found(secrets.authorities_mut(kind), authorities::name, &found);
        if !strangers.is_empty() {
            problems.push(unknown_authorities(kind, &strangers));
        }
    }
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

/// Returns the machines of this cluster that have keys which aren't known here.
fn keep_found<K, Names: AsRef<[String]>>(
    keys: &mut RotatingKeys<K>,
    name: fn(&RotatingKey<K>) -> String,
    found: &[(&str, bool, Names)],
) -> Vec<String> {
    let known = keys.all().map(|key| (name(key), key.number()));
    let known: HashMap<String, u32> = known.collect();
    let mut numbers = Vec::new();
    let mut strangers = Vec::new();
    for (host, is_ours, names) in found {
        let names = names.as_ref();
        let own = names.iter().filter_map(|it| known.get(it).copied());
        let own: Vec<u32> = own.collect();
        if *is_ours && own.len() < names.len() {
            strangers.push((*host).to_owned());
            strangers.dedup();
        }
        numbers.push(own);
    }
    keys.keep_found(&numbers);
    strangers
}

fn unknown_authorities(kind: AuthorityKind, hosts: &[String]) -> Diagnostic {
    let (name, hosts) = (authorities::title(kind), hosts.join(", "));
    let message =
        format!("certificates are of {name} that .kinstall/secrets.json doesn't have, on {hosts}");
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed: with the authorities of that file, no part of the cluster would accept the others")
        .hint("the file is older than the last `kinstall certs rotate-ca`: put the newer one in its place, or that of an etcd backup made after it")
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
