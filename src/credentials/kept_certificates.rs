//! Certificates that kinstall makes itself, for programs on nodes that nothing there renews. They are kept, so that each
//! run has the same ones; what is lost of them is made again, by the authority that all know.

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

/// Version of the file's layout.
const FORMAT: u32 = 1;

const FILE_NAME: &str = "certificates.json";

/// A certificate that there should be.
#[derive(Clone, Debug)]
pub struct WantedCertificate<'a> {
    /// Its name among those that are kept.
    pub name: String,
    pub authority: &'a KeyedCertificate,
    pub common_name: &'a str,
    /// Names and addresses of a server; a certificate without any is a client's only.
    pub names: Vec<String>,
    /// Whether its owner may show it as a client.
    pub is_client: bool,
}

/// The certificates of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptCertificates {
    format: u32,
    by_name: BTreeMap<String, Kept>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The certificate of the authority that signed it.
    authority: String,
    /// Names and addresses that it is for.
    names: Vec<String>,
    pair: KeyedCertificate,
}

impl KeptCertificates {
    /// Reads those of the state folder, and makes what is missing, ends soon, or is for other names than these. What
    /// isn't wanted stays: its host may be off today. The result is kept if `keep` says so.
    pub fn load_or_make(
        state_folder: &Path,
        wanted: &[WantedCertificate<'_>],
        keep: bool,
        now: SystemTime,
    ) -> Result<Self, SecretsError> {
        let path = state_folder.join(FILE_NAME);
        let known = match fs::read(&path) {
            Ok(bytes) => read(&bytes, &path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(SecretsError::Read { path, source }),
        };
        let mut current = known.clone().unwrap_or(Self {
            format: FORMAT,
            by_name: BTreeMap::new(),
        });
        for it in wanted {
            current.complete(it, now)?;
        }
        let changed = known
            .as_ref()
            .map_or(!wanted.is_empty(), |it| *it != current);
        if keep && changed {
            let written = private_file::create_folder(state_folder).and_then(|()| {
                let text = serde_json::to_vec_pretty(&current)?;
                private_file::write(&path, &text)
            });
            written.map_err(|source| SecretsError::Write { path, source })?;
        }
        Ok(current)
    }

    /// Returns the one with a name.
    pub fn get(&self, name: &str) -> Option<&KeyedCertificate> {
        self.by_name.get(name).map(|it| &it.pair)
    }

    fn complete(
        &mut self,
        wanted: &WantedCertificate<'_>,
        now: SystemTime,
    ) -> Result<(), PkiError> {
        let authority = &wanted.authority.certificate;
        let is_good = |it: &Kept| {
            it.authority == *authority
                && it.names == wanted.names
                && pki::expiry(&it.pair.certificate).is_ok_and(|end| !pki::is_due(end, now))
        };
        if self.by_name.get(&wanted.name).is_some_and(is_good) {
            return Ok(());
        }
        let names: Vec<&str> = wanted.names.iter().map(String::as_str).collect();
        let subject = Subject {
            common_name: wanted.common_name,
            organizations: &[],
            names: &names,
            is_client: wanted.is_client,
        };
        // Nothing on the hosts renews them: they last as long as their authority.
        let pair = pki::make_certificate(wanted.authority, subject, pki::TEN_YEARS, now)?;
        let kept = Kept {
            authority: authority.clone(),
            names: wanted.names.clone(),
            pair,
        };
        self.by_name.insert(wanted.name.clone(), kept);
        Ok(())
    }
}

/// What can't be read is made again: nobody else knows these keys.
fn read(bytes: &[u8], path: &Path) -> Result<Option<KeptCertificates>, SecretsError> {
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

    fn wanted<'a>(
        authority: &'a KeyedCertificate,
        hosts: &[(&'a str, &str)],
    ) -> Vec<WantedCertificate<'a>> {
        let hosts = hosts.iter();
        hosts
            .map(|(host, address)| WantedCertificate {
                name: format!("of_{host}"),
                authority,
                common_name: host,
                names: vec![(*host).to_owned(), (*address).to_owned()],
                is_client: false,
            })
            .collect()
    }

    #[test]
    fn certificates_stay_until_something_about_them_changes() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = pki::make_authority("kubernetes", now).unwrap();
        let of = |wanted: &[WantedCertificate<'_>], now| {
            KeptCertificates::load_or_make(folder.path(), wanted, true, now).unwrap()
        };
        let two = wanted(&authority, &[("a", "10.0.0.1"), ("b", "10.0.0.2")]);
        let first = of(&two, now);
        assert_eq!(of(&two, now), first);

        // One gets another address: the others keep theirs.
        let moved = wanted(&authority, &[("a", "10.0.0.1"), ("b", "10.0.0.3")]);
        let second = of(&moved, now);
        assert_eq!(second.get("of_a"), first.get("of_a"));
        assert_ne!(second.get("of_b"), first.get("of_b"));

        // One is off, and its address isn't known.
        assert_eq!(of(&moved[..1], now), second);

        let near_the_end = now + pki::TEN_YEARS - Duration::from_hours(24);
        let renewed = of(&moved, near_the_end);
        assert_ne!(renewed.get("of_a"), second.get("of_a"));

        let other = pki::make_authority("kubernetes", now).unwrap();
        let hosts = [("a", "10.0.0.1"), ("b", "10.0.0.3")];
        assert_ne!(
            of(&wanted(&other, &hosts), now).get("of_a"),
            renewed.get("of_a")
        );
    }

    #[test]
    fn a_plan_that_is_only_shown_keeps_nothing_and_a_damaged_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now();
        let authority = pki::make_authority("kubernetes", now).unwrap();
        let wanted = wanted(&authority, &[("a", "10.0.0.1")]);
        let of = |keep| KeptCertificates::load_or_make(folder.path(), &wanted, keep, now);
        of(false).unwrap();
        let path = folder.path().join(FILE_NAME);
        assert!(!path.exists());
        fs::write(&path, "{").unwrap();
        let made = of(true).unwrap();
        assert_eq!(of(true).unwrap(), made);
        fs::write(&path, r#"{"format": 2}"#).unwrap();
        assert!(matches!(of(true), Err(SecretsError::Format { .. })));
    }
}
