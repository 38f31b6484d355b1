//! Keys, certificates, tokens and kubeconfigs of a cluster, made on this computer.
//!
//! They are made once per cluster, before any node is touched, and only the controller holds them all:
//! so no node waits for another one's certificate or token.

pub mod authorities;
pub mod cluster_secrets;
pub mod encryption_keys;
pub mod kept_certificates;
pub mod kubeconfig;
pub mod pki;
pub mod rotating_keys;
pub mod service_account_keys;

pub use authorities::{Authorities, AuthorityKind};
pub use cluster_secrets::ClusterSecrets;
pub use encryption_keys::EncryptionKeys;
pub use kept_certificates::{KeptCertificates, WantedCertificate};
pub use rotating_keys::{RotatingKeys, RotationStep};
pub use service_account_keys::ServiceAccountKeys;
