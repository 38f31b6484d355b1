//! Keys and certificates: authorities for the cluster, and what they sign.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

const DAY: Duration = Duration::from_hours(24);

/// How far a certificate's validity reaches back, for nodes whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::from_hours(1);

/// How long authorities are valid, and what has no owner who would renew it.
pub const TEN_YEARS: Duration = Duration::from_hours(3650 * 24);

/// How long a person's certificate is valid.
pub const ONE_YEAR: Duration = Duration::from_hours(365 * 24);

/// A key or a certificate could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("failed to make the {what}")]
    Make { what: String, source: rcgen::Error },
    #[error("failed to read the {what}")]
    Read { what: String, source: rcgen::Error },
    #[error("not a certificate: {reason}")]
    NotACertificate { reason: String },
}

/// A private key with the certificate for it, both PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyedCertificate {
    pub certificate: String,
    pub key: Secret,
    /// Of an authority with one before it: the certificate that this one has signed for the same key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_certificate: Option<String>,
}

/// A key pair without a certificate, both PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPem {
    pub public: String,
    pub private: Secret,
}

/// Whom a certificate is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub common_name: &'a str,
    /// The groups of a Kubernetes user.
    pub organizations: &'a [&'a str],
    /// Names and addresses of a server; a certificate without any is a client's only.
    pub names: &'a [&'a str],
    /// Whether it may be shown as a client's.
    pub is_client: bool,
}

/// Makes an authority (ECDSA P-256), valid for ten years.
pub fn make_authority(common_name: &str, now: SystemTime) -> Result<KeyedCertificate, PkiError> {
    let failed = |source| PkiError::Make {
        what: format!("certificate authority `{common_name}`"),
        source,
    };
    let key = KeyPair::generate().map_err(failed)?;
    let parameters = authority_parameters(distinguished_name(common_name, &[]), now);
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    Ok(KeyedCertificate {
        certificate: certificate.pem(),
        key: Secret::new(key.serialize_pem()),
        cross_certificate: None,
    })
}

/// Lets an authority sign a certificate (PEM) for the key of the one that comes after it and has its name: who knows only the
/// old one accepts what the new one signs, where it is shown this as well.
pub fn cross_certificate(
    old: &KeyedCertificate,
    new: &KeyedCertificate,
    common_name: &str,
    now: SystemTime,
) -> Result<String, PkiError> {
    let old = issuer(old)?;
    let key = KeyPair::from_pem(new.key.expose()).map_err(|source| PkiError::Read {
        what: "authority's key".to_owned(),
        source,
    })?;
    let mut parameters = authority_parameters(distinguished_name(common_name, &[]), now);
    parameters.use_authority_key_identifier_extension = true;
    let certificate = parameters.signed_by(&key, &old);
    let certificate = certificate.map_err(|source| PkiError::Make {
        what: "cross certificate".to_owned(),
        source,
    })?;
    Ok(certificate.pem())
}

fn authority_parameters(name: DistinguishedName, now: SystemTime) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = name;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    set_validity(&mut parameters, validity(now, TEN_YEARS));
    parameters
}

/// Makes a key and lets an authority sign a certificate for it.
pub fn make_certificate(
    authority: &KeyedCertificate,
    subject: Subject<'_>,
    lifetime: Duration,
    now: SystemTime,
) -> Result<KeyedCertificate, PkiError> {
    let failed = |source| PkiError::Make {
        what: format!("certificate of `{}`", subject.common_name),
        source,
    };
    let key = KeyPair::generate().map_err(failed)?;
    let names: Vec<String> = subject.names.iter().map(ToString::to_string).collect();
    let mut parameters = CertificateParams::new(names).map_err(failed)?;
    parameters.distinguished_name = distinguished_name(subject.common_name, subject.organizations);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let usages = [
        (subject.is_client, ExtendedKeyUsagePurpose::ClientAuth),
        (
            !subject.names.is_empty(),
            ExtendedKeyUsagePurpose::ServerAuth,
        ),
    ];
    let usages = usages.into_iter().filter(|(is_one, _)| *is_one);
    parameters.extended_key_usages = usages.map(|(_, usage)| usage).collect();
    parameters.use_authority_key_identifier_extension = true;
    set_validity(&mut parameters, validity(now, lifetime));
    let certificate = parameters
        .signed_by(&key, &issuer(authority)?)
        .map_err(failed)?;
    Ok(KeyedCertificate {
        certificate: certificate.pem(),
        key: Secret::new(key.serialize_pem()),
        cross_certificate: None,
    })
}

/// Makes a key pair (ECDSA P-256).
pub fn make_key_pair(what: &str) -> Result<KeyPem, PkiError> {
    let key = KeyPair::generate().map_err(|source| PkiError::Make {
        what: what.to_owned(),
        source,
    })?;
    Ok(KeyPem {
        public: key.public_key_pem(),
        private: Secret::new(key.serialize_pem()),
    })
}

/// Returns when a certificate (PEM) stops being valid.
pub fn expiry(certificate: &str) -> Result<SystemTime, PkiError> {
    let not_a_certificate = |reason: String| PkiError::NotACertificate { reason };
    let (_, pem) = x509_parser::pem::parse_x509_pem(certificate.as_bytes())
        .map_err(|error| not_a_certificate(error.to_string()))?;
    let parsed = pem
        .parse_x509()
        .map_err(|error| not_a_certificate(error.to_string()))?;
    let seconds = u64::try_from(parsed.validity().not_after.timestamp())
        .map_err(|_| not_a_certificate("it ends before 1970".to_owned()))?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn issuer(authority: &KeyedCertificate) -> Result<Issuer<'static, KeyPair>, PkiError> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |source| PkiError::Read { what, source }
    };
    let key = KeyPair::from_pem(authority.key.expose()).map_err(failed("authority's key"))?;
    Issuer::from_ca_cert_pem(&authority.certificate, key).map_err(failed("authority's certificate"))
}

fn distinguished_name(common_name: &str, organizations: &[&str]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for organization in organizations {
        name.push(DnType::OrganizationName, *organization);
    }
    name.push(DnType::CommonName, common_name);
    name
}

/// Certificates know whole seconds only.
fn validity(now: SystemTime, lifetime: Duration) -> Range<SystemTime> {
    let start = now - CLOCK_SKEW;
    start..now + lifetime
}

fn set_validity(parameters: &mut CertificateParams, validity: Range<SystemTime>) {
    parameters.not_before = validity.start.into();
    parameters.not_after = validity.end.into();
}

/// Returns whether a certificate that ends then should be replaced: 30 days before its end.
pub fn is_due(end: SystemTime, now: SystemTime) -> bool {
    now + 30 * DAY >= end
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use x509_parser::prelude::*;

    use super::*;

    /// 2026-11-22, on a whole second.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(498_696)
    }

    fn parse<R>(pem: &str, look: impl FnOnce(&X509Certificate<'_>) -> R) -> R {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        look(&pem.parse_x509().unwrap())
    }

    #[test]
    fn authority_may_sign_and_is_valid_at_once() {
        let authority = make_authority("kubernetes", now()).unwrap();
        parse(&authority.certificate, |certificate| {
            assert!(certificate.is_ca());
            assert_eq!(certificate.subject().to_string(), "CN=kubernetes");
            assert!(
                certificate
                    .key_usage()
                    .unwrap()
                    .unwrap()
                    .value
                    .key_cert_sign()
            );
            let start = certificate.validity().not_before.timestamp();
            assert_eq!(start, 498_695 * 3600);
        });
        assert_eq!(expiry(&authority.certificate).unwrap(), now() + TEN_YEARS);
    }

    #[test]
    fn client_certificate_names_user_and_group_and_is_no_server() {
        let authority = make_authority("kubernetes", now()).unwrap();
        let subject = Subject {
            common_name: "kubernetes-admin",
            organizations: &["kubeadm:cluster-admins"],
            names: &[],
            is_client: true,
        };
        let client = make_certificate(&authority, subject, ONE_YEAR, now()).unwrap();
        parse(&client.certificate, |certificate| {
            assert_eq!(
                certificate.subject().to_string(),
                "O=kubeadm:cluster-admins, CN=kubernetes-admin"
            );
            assert_eq!(certificate.issuer().to_string(), "CN=kubernetes");
            assert!(!certificate.is_ca());
            let usage = certificate.extended_key_usage().unwrap().unwrap().value;
            assert!(usage.client_auth && !usage.server_auth);
        });
    }

    #[test]
    fn server_certificate_has_its_names() {
        let authority = make_authority("contour", now()).unwrap();
        let subject = Subject {
            common_name: "contour",
            organizations: &[],
            names: &["contour", "192.0.2.1"],
            is_client: false,
        };
        let server = make_certificate(&authority, subject, TEN_YEARS, now()).unwrap();
        parse(&server.certificate, |certificate| {
            let names = certificate.subject_alternative_name().unwrap().unwrap();
            let names: Vec<String> = names
                .value
                .general_names
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(names, ["DNSName(contour)", "IPAddress(c0:00:02:01)"]);
            let usage = certificate.extended_key_usage().unwrap().unwrap().value;
            assert!(usage.server_auth && !usage.client_auth);
        });
    }

    #[test]
    fn certificate_is_due_a_month_before_its_end() {
        let end = now() + ONE_YEAR;
        assert!(!is_due(end, end - 31 * DAY));
        assert!(is_due(end, end - 29 * DAY));
        assert!(is_due(end, end + DAY));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(matches!(
            expiry("nothing"),
            Err(PkiError::NotACertificate { .. })
        ));
    }
}
