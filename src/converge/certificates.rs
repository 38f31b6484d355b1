//! How long certificates on a node are valid, and which authorities they are of.

use std::fs;
use std::path::Path;

use x509_parser::extensions::ParsedExtension;
use x509_parser::pem::{Pem, parse_x509_pem};
use x509_parser::prelude::X509Certificate;
use x509_parser::time::ASN1Time;

use super::Node;
use super::kubernetes::kubeconfig::Kubeconfig;

const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

/// Tells whether all of these certificates, in files of their own or in kubeconfigs, are valid for so many days more, and of
/// the first authorities of some files. Files that aren't there don't count; what can't be read is no valid certificate.
pub(super) fn are_valid(paths: &[String], days: u32, signed_by: &[String], node: &Node) -> bool {
    let mut there = paths.iter().filter(|path| node.path(path).exists());
    let limit = ASN1Time::now().timestamp() + i64::from(days) * SECONDS_OF_A_DAY;
    let keys = keys_of(signed_by, node);
    there.all(|path| certificate(path, node).is_some_and(|it| is_valid(&it, limit, &keys)))
}

/// Tells whether a kubeconfig is there and whole, and its certificate has not expired and is of the first authority of one of
/// these files.
pub(super) fn is_valid_kubeconfig(path: &str, signed_by: &[String], node: &Node) -> bool {
    // A clock that is behind is told elsewhere: a new certificate would not mend it.
    let now = ASN1Time::now().timestamp();
    let keys = keys_of(signed_by, node);
    let kubeconfig = Kubeconfig::load(path, node).ok();
    let certificate = kubeconfig.and_then(|it| first(&it.certificate));
    certificate.is_some_and(|it| is_valid(&it, now, &keys))
}

/// Tells whether a certificate ends after a time (seconds) and is of one of these keys; of any where there are none.
fn is_valid(certificate: &Pem, limit: i64, keys: &[Vec<u8>]) -> bool {
    let Ok(certificate) = certificate.parse_x509() else {
        return false;
    };
    let signed_by = key_identifier(&certificate, false);
    certificate.validity().not_after.timestamp() > limit
        && (keys.is_empty() || signed_by.is_none_or(|it| keys.contains(&it)))
}

/// Returns the identifiers of the keys of the first certificates of some files.
fn keys_of(authorities: &[String], node: &Node) -> Vec<Vec<u8>> {
    let firsts = authorities.iter().filter_map(|path| {
        let first = first(&fs::read(node.path(path)).ok()?)?;
        key_identifier(&first.parse_x509().ok()?, true)
    });
    firsts.collect()
}

/// Returns the identifier of a certificate's own key, or of the key that has signed it.
fn key_identifier(certificate: &X509Certificate<'_>, is_own: bool) -> Option<Vec<u8>> {
    let mut extensions = certificate.extensions().iter();
    extensions.find_map(|it| match it.parsed_extension() {
        ParsedExtension::SubjectKeyIdentifier(key) if is_own => Some(key.0.to_vec()),
        ParsedExtension::AuthorityKeyIdentifier(signer) if !is_own => {
            Some(signer.key_identifier.as_ref()?.0.to_vec())
        }
        _ => None,
    })
}

fn certificate(path: &str, node: &Node) -> Option<Pem> {
    if Path::new(path).extension().is_some_and(|it| it == "conf") {
        return first(&Kubeconfig::load(path, node).ok()?.certificate);
    }
    first(&fs::read(node.path(path)).ok()?)
}

fn first(pem: &[u8]) -> Option<Pem> {
    let (_, pem) = parse_x509_pem(pem).ok()?;
    Some(pem)
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    use super::*;

    fn write(path: &Path, days: u64) {
        let mut parameters = CertificateParams::new(["node".to_owned()]).unwrap();
        let now = std::time::SystemTime::now();
        let span = std::time::Duration::from_secs(days * 86_400);
        parameters.not_after = (now + span).into();
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        fs::write(path, certificate.pem()).unwrap();
    }

    #[test]
    fn the_first_that_ends_decides_and_what_is_not_there_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::at(folder.path());
        let paths = ["/short.crt", "/long.crt", "/missing.crt"].map(str::to_owned);
        assert!(are_valid(&paths, 5, &[], &node));
        write(&folder.path().join("long.crt"), 300);
        assert!(are_valid(&paths, 5, &[], &node));
        write(&folder.path().join("short.crt"), 4);
        assert!(!are_valid(&paths, 5, &[], &node));
        assert!(are_valid(&paths, 3, &[], &node));
        fs::write(folder.path().join("short.crt"), "garbage").unwrap();
        assert!(!are_valid(&paths, 3, &[], &node));
    }

    #[test]
    fn a_certificate_is_of_the_first_authority_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::at(folder.path());
        let [old, new] = ["old", "new"].map(|_| {
            let key = KeyPair::generate().unwrap();
            let mut parameters = CertificateParams::default();
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let pem = parameters.self_signed(&key).unwrap().pem();
            (pem, Issuer::new(parameters, key))
        });
        let mut parameters = CertificateParams::default();
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &old.1).unwrap();
        fs::write(folder.path().join("admin.crt"), certificate.pem()).unwrap();
        let [paths, signed_by] = ["/admin.crt", "/ca.crt"].map(|it| vec![it.to_owned()]);
        let is_valid = |authorities: &[&str]| {
            fs::write(folder.path().join("ca.crt"), authorities.concat()).unwrap();
            are_valid(&paths, 5, &signed_by, &node)
        };
        // Whoever has to have it is told elsewhere.
        assert!(are_valid(&paths, 5, &signed_by, &node));
        assert!(is_valid(&[&old.0]));
        assert!(is_valid(&[&old.0, &new.0]));
        assert!(!is_valid(&[&new.0, &old.0]));
        assert!(!is_valid(&[&new.0]));
    }
}
