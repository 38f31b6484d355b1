//! The authorities that a cluster's certificates come from. Each is accepted where it is known; the first one signs.

use std::time::SystemTime;

use super::pki::{self, KeyedCertificate, PkiError};
use super::rotating_keys::{RotatingKey, RotatingKeys};

/// The authorities of a cluster that sign for the same.
pub type Authorities = RotatingKeys<KeyedCertificate>;

/// What an authority signs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityKind {
    /// Everybody who talks to API servers and kubelets, and these.
    Cluster,
    /// API servers as proxies for API extensions.
    FrontProxy,
    /// The members of etcd and who asks them.
    Etcd,
}

impl AuthorityKind {
    pub const ALL: [Self; 3] = [Self::Cluster, Self::FrontProxy, Self::Etcd];

    /// Returns the name that kubeadm gives such an authority.
    pub fn common_name(self) -> &'static str {
        match self {
            Self::Cluster => "kubernetes",
            Self::FrontProxy => "front-proxy-ca",
            Self::Etcd => "etcd-ca",
        }
    }
}

impl Authorities {
    /// Returns the one that signs.
    pub fn signing(&self) -> &KeyedCertificate {
        // There is always one.
        self.active()[0].secret()
    }

    /// Returns the certificates of all that are accepted, in PEM one after another, that of the one that signs first.
    pub fn certificates(&self) -> String {
        let active = self.active().iter().map(RotatingKey::secret);
        active.map(|it| it.certificate.as_str()).collect()
    }

    /// Returns what servers show after their own certificates (PEM), so that clients which know only the authority before accept
    /// them as well. Empty where there is no such authority any more.
    pub fn cross_certificate(&self) -> &str {
        let is_needed = self.active().len() > 1;
        let cross = self.signing().cross_certificate.as_deref();
        cross.filter(|_| is_needed).unwrap_or_default()
    }

    /// Begins a rotation to a new authority, where none is under way.
    pub fn begin(&mut self, kind: AuthorityKind, now: SystemTime) -> Result<(), PkiError> {
        let name = kind.common_name();
        let mut new = pki::make_authority(name, now)?;
        new.cross_certificate = Some(pki::cross_certificate(self.signing(), &new, name, now)?);
        self.begin_rotation(new);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;
    use crate::credentials::RotationStep;
    use crate::credentials::pki::{ONE_YEAR, Subject};

    fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
        let all = CertificateDer::pem_slice_iter(pem.as_bytes());
        all.map(Result::unwrap).collect()
    }

    /// Whether a client that knows these authorities accepts a server that shows this.
    fn accepts(known: &str, shown: &str) -> bool {
        let mut roots = RootCertStore::empty();
        for it in certificates(known) {
            roots.add(it).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let (shown, name) = (certificates(shown), ServerName::try_from("cp1").unwrap());
        let verifier = verifier.build().unwrap();
        let now = UnixTime::now();
        let answer = verifier.verify_server_cert(&shown[0], &shown[1..], &name, &[], now);
        answer.is_ok()
    }

    /// What a server shows.
    fn shown(authorities: &Authorities) -> String {
        let server = Subject {
            common_name: "kube-apiserver",
            organizations: &[],
            names: &["cp1"],
            is_client: false,
        };
        let signing = authorities.signing();
        let made = pki::make_certificate(signing, server, ONE_YEAR, SystemTime::now()).unwrap();
        made.certificate + authorities.cross_certificate()
    }

    #[test]
    fn who_knows_only_the_old_authority_accepts_servers_until_it_goes() {
        let now = SystemTime::now();
        let first = pki::make_authority("kubernetes", now).unwrap();
        let mut authorities = Authorities::of(first.clone());
        authorities.begin(AuthorityKind::Cluster, now).unwrap();
        let mut seen = Vec::new();
        while let Some(step) = authorities.next_step() {
            // Kept and read again, as after a kill.
            let kept = serde_json::to_string(&authorities).unwrap();
            authorities = serde_json::from_str(&kept).unwrap();
            let old = accepts(&first.certificate, &shown(&authorities));
            let all = accepts(&authorities.certificates(), &shown(&authorities));
            seen.push((step, authorities.active().len(), old, all));
            authorities.advance();
        }
        let expected = [
            (RotationStep::Add, 2, true, true),
            (RotationStep::Switch, 2, true, true),
            (RotationStep::Retire, 1, false, true),
        ];
        assert_eq!(seen, expected);
    }
}
