//! What a cluster must keep to itself, made once and kept in its state folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::authorities::{Authorities, AuthorityKind};
use super::encryption_keys::EncryptionKeys;
use super::pki::{self, KeyPem, KeyedCertificate, PkiError, Subject};
use super::service_account_keys::ServiceAccountKeys;
use crate::format_version::{self, FormatError};
use crate::private_file;
use crate::secret::Secret;

/// Version of the file's layout.
const FORMAT: u32 = 1;

const FILE_NAME: &str = "secrets.json";

/// The secrets of one cluster. Whoever has them is its administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSecrets {
    format: u32,
    /// Signs everybody who talks to the API server, and the API server itself.
    #[serde(rename = "cluster_authority")]
    pub cluster_authorities: Authorities,
    /// Signs the API server as a proxy for API extensions (metrics-server).
    #[serde(rename = "front_proxy_authority")]
    pub front_proxy_authorities: Authorities,
    #[serde(rename = "etcd_authority")]
    pub etcd_authorities: Authorities,
    /// Signs and checks service account tokens.
    pub service_accounts: ServiceAccountKeys,
    /// Lets a node join, `id.secret` as kubeadm writes it.
    pub bootstrap_token: Secret,
    /// Encrypt Secrets in etcd; `None` where a kinstall before 0.2 made the cluster.
    #[serde(
        default,
        rename = "encryption_key",
        skip_serializing_if = "Option::is_none"
    )]
    pub encryption_keys: Option<EncryptionKeys>,
    /// Encrypts what MetalLB's speakers tell each other, base64.
    pub metallb_key: Secret,
    /// The lab's own authority: signs what the ingress controller serves where an Ingress names no certificate.
    pub ingress_authority: KeyedCertificate,
    /// Of the ingress controller that kinstalls before 0.2 installed.
    #[serde(default, skip_serializing)]
    contour: Option<KeyedCertificate>,
    #[serde(default, skip_serializing)]
    envoy: Option<KeyedCertificate>,
}

/// The secrets could not be made, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error("failed to read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to write `{path}`")]
    Write { path: PathBuf, source: io::Error },
    /// The parser's own words could quote a secret; the place can't.
    #[error("`{path}` is not a file of secrets (line {line}, column {column})")]
    Malformed {
        path: PathBuf,
        line: usize,
        column: usize,
    },
    #[error("can't use `{path}`")]
    Format { path: PathBuf, source: FormatError },
    #[error("failed to get random bytes from the system")]
    Random,
    #[error("failed to make the cluster's certificates")]
    Pki(#[from] PkiError),
}

impl ClusterSecrets {
    /// Reads the cluster's secrets from its state folder; makes and keeps them the first time.
    pub fn load_or_make(state_folder: &Path, now: SystemTime) -> Result<Self, SecretsError> {
        let path = state_folder.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => parse(&text, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secrets = Self::make(now)?;
                secrets
                    .keep(state_folder, &path)
                    .map_err(|source| SecretsError::Write { path, source })?;
                Ok(secrets)
            }
            Err(source) => Err(SecretsError::Read { path, source }),
        }
    }

    /// Reads the content of such a file, which came from `path`.
    pub fn parse(text: &Secret, path: &Path) -> Result<Self, SecretsError> {
        parse(text.expose(), path.to_owned())
    }

    /// Tells whether a state folder has secrets.
    pub fn are_kept(state_folder: &Path) -> bool {
        state_folder.join(FILE_NAME).exists()
    }

    /// Tells whether data that was written with the other set can be used with this one. Tokens in it that another key
    /// signed are not accepted any more, as they were not before.
    pub fn belong_together(&self, other: &Self) -> bool {
        self.cluster_authorities
            .have_all_of(&other.cluster_authorities)
            && self.etcd_authorities.have_all_of(&other.etcd_authorities)
            && match (&self.encryption_keys, &other.encryption_keys) {
                (Some(keys), Some(others)) => keys.have_all_of(others),
                (keys, others) => keys == others,
            }
    }

    /// Keeps these secrets for a cluster whose state folder has none.
    pub fn adopt(&self, state_folder: &Path) -> Result<(), SecretsError> {
        let path = state_folder.join(FILE_NAME);
        self.keep(state_folder, &path)
            .map_err(|source| SecretsError::Write { path, source })
    }

    /// Keeps these secrets in place of those that a state folder has; for those who hold the lab's lock.
    pub fn replace(&self, state_folder: &Path) -> Result<(), SecretsError> {
        let path = state_folder.join(FILE_NAME);
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|text| private_file::write(&path, &text))
            .and_then(|()| private_file::sync_folder(state_folder));
        written.map_err(|source| SecretsError::Write { path, source })
    }

    /// Begins a rotation of the encryption key, where there is one and none is under way.
    pub fn begin_encryption_rotation(&mut self) -> Result<(), SecretsError> {
        let new = encryption_key()?;
        if let Some(keys) = &mut self.encryption_keys {
            keys.begin_rotation(new);
        }
        Ok(())
    }

    /// Begins a rotation of the key of service accounts, where none is under way.
    pub fn begin_service_account_rotation(&mut self) -> Result<(), SecretsError> {
        self.service_accounts.begin_rotation(service_account_key()?);
        Ok(())
    }

    /// Begins a rotation of the authorities of these kinds, where none is under way.
    pub fn begin_authority_rotation(
        &mut self,
        kinds: &[AuthorityKind],
        now: SystemTime,
    ) -> Result<(), SecretsError> {
        for kind in kinds {
            self.authorities_mut(*kind).begin(*kind, now)?;
        }
        Ok(())
    }

    /// Returns the authorities that sign for something.
    pub fn authorities(&self, kind: AuthorityKind) -> &Authorities {
        match kind {
            AuthorityKind::Cluster => &self.cluster_authorities,
            AuthorityKind::FrontProxy => &self.front_proxy_authorities,
            AuthorityKind::Etcd => &self.etcd_authorities,
        }
    }

    /// Returns the same to change them.
    pub fn authorities_mut(&mut self, kind: AuthorityKind) -> &mut Authorities {
        match kind {
            AuthorityKind::Cluster => &mut self.cluster_authorities,
            AuthorityKind::FrontProxy => &mut self.front_proxy_authorities,
            AuthorityKind::Etcd => &mut self.etcd_authorities,
        }
    }

    /// Returns the certificates of all authorities that this cluster has or had, in PEM one after another.
    pub fn all_authorities(&self) -> String {
        let kinds = AuthorityKind::ALL.into_iter();
        let all = kinds.flat_map(|kind| self.authorities(kind).all());
        all.map(|it| it.secret().certificate.as_str()).collect()
    }

    /// Returns the secrets under the names that templates know them by: `secrets.NAME`.
    pub fn as_map(&self) -> BTreeMap<String, Secret> {
        let mut map = BTreeMap::new();
        let mut put = |name: &str, value: &str| {
            map.insert(name.to_owned(), Secret::new(value));
        };
        for (name, authorities) in [
            ("cluster_authority", &self.cluster_authorities),
            ("front_proxy_authority", &self.front_proxy_authorities),
            ("etcd_authority", &self.etcd_authorities),
        ] {
            put(&format!("{name}_certificate"), &authorities.certificates());
            put(&format!("{name}_key"), authorities.signing().key.expose());
        }
        put("all_authorities", &self.all_authorities());
        let cluster = &self.cluster_authorities;
        let (signing, cross) = (cluster.signing(), cluster.cross_certificate());
        put(
            "cluster_authority_signing_certificate",
            &signing.certificate,
        );
        put("cluster_authority_cross_certificate", cross);
        let ingress = &self.ingress_authority;
        put("ingress_authority_certificate", &ingress.certificate);
        put("ingress_authority_key", ingress.key.expose());
        put(
            "service_accounts_public_key",
            &self.service_accounts.public(),
        );
        put(
            "service_accounts_private_key",
            self.service_accounts.private().expose(),
        );
        put("bootstrap_token", self.bootstrap_token.expose());
        put("metallb_key", self.metallb_key.expose());
        for key in self.encryption_keys.iter().flat_map(EncryptionKeys::active) {
            put(&format!("encryption_{}", key.name()), key.secret().expose());
        }
        map
    }

    /// Makes what the ingress controller serves where an Ingress names no certificate; under the names that templates
    /// know it by. Nothing in the cluster renews it, so it lasts as long as its authority does.
    pub fn for_ingress(
        &self,
        names: &[String],
        now: SystemTime,
    ) -> Result<BTreeMap<String, Secret>, SecretsError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let subject = Subject {
            common_name: "ingress",
            organizations: &[],
            names: &names,
            is_client: false,
        };
        let made = pki::make_certificate(&self.ingress_authority, subject, pki::TEN_YEARS, now)?;
        let certificate = Secret::new(made.certificate);
        Ok(BTreeMap::from([
            ("ingress_certificate".to_owned(), certificate),
            ("ingress_key".to_owned(), made.key),
        ]))
    }

    /// Makes the secrets of a new cluster; keeps nothing.
    pub fn make(now: SystemTime) -> Result<Self, SecretsError> {
        let authorities = |kind: AuthorityKind| {
            let first = pki::make_authority(kind.common_name(), now)?;
            Ok::<_, PkiError>(Authorities::of(first))
        };
        Ok(Self {
            format: FORMAT,
            cluster_authorities: authorities(AuthorityKind::Cluster)?,
            front_proxy_authorities: authorities(AuthorityKind::FrontProxy)?,
            etcd_authorities: authorities(AuthorityKind::Etcd)?,
            service_accounts: ServiceAccountKeys::of(service_account_key()?),
            bootstrap_token: bootstrap_token()?,
            encryption_keys: Some(EncryptionKeys::of(encryption_key()?)),
            metallb_key: Secret::new(STANDARD.encode(random::<32>()?)),
            ingress_authority: pki::make_authority("kinstall ingress", now)?,
            contour: None,
            envoy: None,
        })
    }

    /// Writes a complete file or none, and never over another one: two runs that start at once must
    /// not make two clusters out of one.
    fn keep(&self, state_folder: &Path, path: &Path) -> io::Result<()> {
        private_file::create_folder(state_folder)?;
        let text = serde_json::to_string_pretty(self)?;
        let temporary = path.with_extension(format!("{}.new", std::process::id()));
        let written = private_file::create(&temporary)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::hard_link(&temporary, path));
        fs::remove_file(&temporary).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        written?;
        private_file::sync_folder(state_folder)
    }
}

fn parse(text: &str, path: PathBuf) -> Result<ClusterSecrets, SecretsError> {
    format_version::read(text.as_bytes(), FORMAT).map_err(|error| match error {
        FormatError::Malformed(error) => SecretsError::Malformed {
            path,
            line: error.line(),
            column: error.column(),
        },
        source @ FormatError::Other { .. } => SecretsError::Format { path, source },
    })
}

fn service_account_key() -> Result<KeyPem, PkiError> {
    pki::make_key_pair("service account key")
}

/// 32 random bytes in base64.
fn encryption_key() -> Result<Secret, SecretsError> {
    Ok(Secret::new(STANDARD.encode(random::<32>()?)))
}

/// Six and sixteen characters, as kubeadm wants them; the second part holds 80 random bits.
fn bootstrap_token() -> Result<Secret, SecretsError> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let characters: String = random::<22>()?
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let (id, secret) = characters.split_at(6);
    Ok(Secret::new(format!("{id}.{secret}")))
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], SecretsError> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| SecretsError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
