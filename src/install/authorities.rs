//! The authorities of a cluster: where nodes have them, and how they are told apart.

use std::time::SystemTime;

use super::service_accounts;
pub use crate::credentials::AuthorityKind;
use crate::credentials::ClusterSecrets;
use crate::credentials::pki::KeyedCertificate;
use crate::credentials::rotating_keys::RotatingKey;
use crate::model::HostSpec;
use crate::wire::{Facts, authority_digests};

/// Returns the name of an authority: the digest of its certificate.
pub fn name(authority: &RotatingKey<KeyedCertificate>) -> String {
    let digests = authority_digests(&authority.secret().certificate);
    digests.iter().map(ToString::to_string).collect()
}

/// Returns how authorities of a kind are spoken of.
pub fn title(kind: AuthorityKind) -> &'static str {
    match kind {
        AuthorityKind::Cluster => "an authority of the cluster",
        AuthorityKind::FrontProxy => "an authority of the front proxy",
        AuthorityKind::Etcd => "an authority of etcd",
    }
}

/// Returns the files that hold authorities of a kind on the machines that need them to work.
pub fn files(kind: AuthorityKind) -> &'static [&'static str] {
    match kind {
        AuthorityKind::Cluster => &["/etc/kubernetes/pki/ca.crt"],
        AuthorityKind::FrontProxy => &["/etc/kubernetes/pki/front-proxy-ca.crt"],
        AuthorityKind::Etcd => &["/etc/kubernetes/pki/etcd/ca.crt", "/etc/etcd/pki/ca.crt"],
    }
}

/// Tells whether a machine is of this cluster: an authority or the keys of service accounts are.
pub fn is_ours(facts: &Facts, secrets: &ClusterSecrets) -> bool {
    let authorities = authority_digests(&secrets.all_authorities());
    let mut found = facts.traces.authorities.values();
    let mut keys = secrets.service_accounts.all();
    found.any(|it| authorities.contains(it))
        || keys.any(|key| {
            let name = service_accounts::key_name(key);
            facts.service_account_keys.contains(&name)
        })
}

/// Tells whether a rotation of authorities of a kind needs this host.
pub fn has(host: &HostSpec, kind: AuthorityKind) -> bool {
    host.roles.control_plane || (host.roles.etcd && kind == AuthorityKind::Etcd)
}

/// Returns what to say of a rotation, where one is not over.
pub fn settle(secrets: &ClusterSecrets) -> Option<String> {
    let unfinished =
        "the rotation of authorities is not over: `kinstall certs rotate-ca` goes on with it";
    let is_rotating = !under_way(secrets).is_empty();
    is_rotating.then(|| unfinished.to_owned())
}

/// Returns what has a rotation that is not over.
pub fn under_way(secrets: &ClusterSecrets) -> Vec<AuthorityKind> {
    let kinds = AuthorityKind::ALL.into_iter();
    let under_way = kinds.filter(|kind| secrets.authorities(*kind).next_step().is_some());
    under_way.collect()
}

/// Returns until when the old ones are accepted at least; `None` unless that is all that is waited for.
pub fn accepted_until(secrets: &ClusterSecrets) -> Option<SystemTime> {
    let kinds = under_way(secrets).into_iter();
    let times = kinds.map(|kind| secrets.authorities(kind).accepted_until());
    // One that has further steps comes first.
    let times: Option<Vec<SystemTime>> = times.collect();
    times?.into_iter().max()
}

/// Goes on to what comes after a step that is done on all nodes; returns whether that can be done now. Those that have come
/// furthest wait for the others.
pub fn advance_at(secrets: &mut ClusterSecrets, now: SystemTime) -> bool {
    let under_way = under_way(secrets);
    // Only the cluster's own are known to others than kinstall.
    let others_follow = under_way.contains(&AuthorityKind::Cluster);
    let rank = |secrets: &ClusterSecrets, kind| secrets.authorities(kind).next_step();
    let last = under_way
        .iter()
        .filter_map(|kind| rank(secrets, *kind))
        .min();
    let mut goes_on = false;
    for kind in under_way {
        let step = rank(secrets, kind);
        let authorities = secrets.authorities_mut(kind);
        if step == last && authorities.accepted_until().is_none() {
            goes_on |= if others_follow {
                authorities.advance_at(now)
            } else {
                authorities.advance()
            };
        }
    }
    goes_on
}
