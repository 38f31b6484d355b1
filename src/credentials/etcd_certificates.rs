//! Certificates of etcd on hosts, for its members and their clients. They are kept, so that each run has the same ones; what is
//! lost of them is made again, by the authority that all members know.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::cluster_secrets::SecretsError;
use super::pki::{self, KeyedCertificate, PkiError, Subject};
use crate::format_version::{self, FormatError};
use crate::private_file;
use crate::secret::Secret;

/// Version of the file's layout.
const FORMAT: u32 = 1;

const FILE_NAME: &str = "etcd-certificates.json";

/// Who may ask etcd everything: the API servers, and who looks after etcd.
const CLIENTS: [(&str, &str); 2] = [
    ("apiserver_client", "kube-apiserver-etcd-client"),
    ("healthcheck_client", "kube-etcd-healthcheck-client"),
];

/// The certificates of one cluster's etcd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EtcdCertificates {
    format: u32,
    /// The certificate of the authority that signed them.
    authority: String,
    /// By who it is.
    clients: BTreeMap<String, KeyedCertificate>,
    /// By host.
    members: BTreeMap<String, Member>,
}

/// What one member shows to clients, and to the other members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    /// Names and addresses that both certificates are for.
    names: Vec<String>,
    server: KeyedCertificate,
    peer: KeyedCertificate,
}

impl EtcdCertificates {
    /// Reads those of the state folder, and makes what is missing, ends soon, or is for other names than these, by host.
    /// The result is kept if `keep` says so.
    pub fn load_or_make(
        state_folder: &Path,
        authority: &KeyedCertificate,
        hosts: &BTreeMap<String, Vec<String>>,
        keep: bool,
        now: SystemTime,
    ) -> Result<Self, SecretsError> {
        let path = state_folder.join(FILE_NAME);
        let known = match fs::read(&path) {
            Ok(bytes) => read(&bytes, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(SecretsError::Read { path, source }),
        };
        let known = known.filter(|it| it.authority == authority.certificate);
        let current = Self::complete(known.as_ref(), authority, hosts, now)?;
        if keep && known.as_ref() != Some(&current) {
            let written = private_file::create_folder(state_folder).and_then(|()| {
                let text = serde_json::to_vec_pretty(&current)?;
                private_file::write(&path, &text)
            });
            written.map_err(|source| SecretsError::Write { path, source })?;
        }
        Ok(current)
    }

    /// Returns them under the names that templates know them by: `secrets.etcd_apiserver_client_certificate`,
    /// `etcd_server_key_HOST`.
    pub fn as_map(&self) -> BTreeMap<String, Secret> {
        let mut map = BTreeMap::new();
        let mut put = |certificate: String, key: String, pair: &KeyedCertificate| {
            map.insert(certificate, Secret::new(pair.certificate.clone()));
            map.insert(key, pair.key.clone());
        };
        for (who, pair) in &self.clients {
            put(
                format!("etcd_{who}_certificate"),
                format!("etcd_{who}_key"),
                pair,
            );
        }
        for (host, member) in &self.members {
            for (what, pair) in [("server", &member.server), ("peer", &member.peer)] {
                let certificate = format!("etcd_{what}_certificate_{host}");
                put(certificate, format!("etcd_{what}_key_{host}"), pair);
            }
        }
        map
    }

    fn complete(
        known: Option<&Self>,
        authority: &KeyedCertificate,
        hosts: &BTreeMap<String, Vec<String>>,
        now: SystemTime,
    ) -> Result<Self, PkiError> {
        let make = |common_name: &str, names: &[String]| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let subject = Subject {
                common_name,
                organizations: &[],
                names: &names,
            };
            // Nothing on the hosts renews them: they last as long as their authority.
            pki::make_certificate(authority, subject, pki::TEN_YEARS, now)
        };
        let lasts = |pair: &&KeyedCertificate| {
            pki::expiry(&pair.certificate).is_ok_and(|end| !pki::is_due(end, now))
        };
        let mut clients = BTreeMap::new();
        for (who, common_name) in CLIENTS {
            let kept = known.and_then(|it| it.clients.get(who)).filter(lasts);
            let pair = kept.map_or_else(|| make(common_name, &[]), |it| Ok(it.clone()))?;
            clients.insert(who.to_owned(), pair);
        }
        let mut members = BTreeMap::new();
        for (host, names) in hosts {
            let kept = known
                .and_then(|it| it.members.get(host))
                .filter(|it| it.names == *names && [&it.server, &it.peer].iter().all(lasts));
            let member = match kept {
                Some(member) => member.clone(),
                None => Member {
                    names: names.clone(),
                    server: make(host, names)?,
                    peer: make(host, names)?,
                },
            };
            members.insert(host.clone(), member);
        }
        Ok(Self {
            format: FORMAT,
            authority: authority.certificate.clone(),
            clients,
            members,
        })
    }
}

/// What can't be read is made again: nobody else knows these keys.
fn read(bytes: &[u8], path: &Path) -> Result<Option<EtcdCertificates>, SecretsError> {
    match format_version::read(bytes, FORMAT) {
        Ok(known) => Ok(Some(known)),
        Err(FormatError::Malformed(_)) => Ok(None),
        Err(source @ FormatError::Other { .. }) => Err(SecretsError::Format {
            path: path.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hosts(names: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        let hosts = names.iter();
        hosts
            .map(|(host, address)| {
                (
                    (*host).to_owned(),
                    vec![(*host).to_owned(), (*address).to_owned()],
                )
            })
            .collect()
    }

    #[test]
    fn certificates_stay_until_something_about_them_changes() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = pki::make_authority("etcd-ca", now).unwrap();
        let of = |authority: &KeyedCertificate, hosts: &BTreeMap<_, _>, now| {
            EtcdCertificates::load_or_make(folder.path(), authority, hosts, true, now).unwrap()
        };
        let two = hosts(&[("a", "10.0.0.1"), ("b", "10.0.0.2")]);
        let first = of(&authority, &two, now);
        assert_eq!(of(&authority, &two, now), first);

        // One gets another address: the others keep theirs.
        let moved = hosts(&[("a", "10.0.0.1"), ("b", "10.0.0.3")]);
        let second = of(&authority, &moved, now);
        assert_eq!(second.members["a"], first.members["a"]);
        assert_ne!(second.members["b"], first.members["b"]);
        assert_eq!(second.clients, first.clients);

        let near_the_end = now + pki::TEN_YEARS - Duration::from_hours(24);
        let renewed = of(&authority, &moved, near_the_end);
        assert_ne!(renewed.members["a"], second.members["a"]);
        assert_ne!(renewed.clients, second.clients);

        let other = pki::make_authority("etcd-ca", now).unwrap();
        assert_ne!(of(&other, &moved, now).clients, renewed.clients);
    }

    #[test]
    fn a_plan_that_is_only_shown_keeps_nothing_and_a_damaged_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = pki::make_authority("etcd-ca", now).unwrap();
        let of = |keep| {
            let hosts = hosts(&[("a", "10.0.0.1")]);
            EtcdCertificates::load_or_make(folder.path(), &authority, &hosts, keep, now)
        };
        of(false).unwrap();
        let path = folder.path().join(FILE_NAME);
        assert!(!path.exists());
        fs::write(&path, "{").unwrap();
        let made = of(true).unwrap();
        assert_eq!(of(true).unwrap(), made);
        fs::write(&path, r#"{"format": 2}"#).unwrap();
        assert!(matches!(of(true), Err(SecretsError::Format { .. })));
    }

    #[test]
    fn templates_know_each_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = pki::make_authority("etcd-ca", now).unwrap();
        let hosts = hosts(&[("a", "10.0.0.1")]);
        let made =
            EtcdCertificates::load_or_make(folder.path(), &authority, &hosts, false, now).unwrap();
        let names: Vec<String> = made.as_map().into_keys().collect();
        assert_eq!(
            names,
            [
                "etcd_apiserver_client_certificate",
                "etcd_apiserver_client_key",
                "etcd_healthcheck_client_certificate",
                "etcd_healthcheck_client_key",
                "etcd_peer_certificate_a",
                "etcd_peer_key_a",
                "etcd_server_certificate_a",
                "etcd_server_key_a",
            ]
        );
    }
}
