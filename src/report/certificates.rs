//! The certificates on the nodes, from what is read there.

use jiff::Timestamp;
use serde::Serialize;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

/// A certificate on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateOnNode {
    pub node: String,
    /// Its file, or the kubeconfig that it is in.
    pub path: String,
    /// Whose certificate it is: the common name.
    pub subject: String,
    pub expires: Timestamp,
    /// Whole days from now on; negative where it has ended.
    pub days: i64,
    pub authority: bool,
}

/// Reads lines `== PATH`, each with the certificates of that file after it. Of authorities all count, of others the first one.
pub fn read(node: &str, listing: &str, now: Timestamp) -> Vec<CertificateOnNode> {
    let files = listing.split("== ").skip(1);
    let files = files.filter_map(|file| file.split_once('\n'));
    let found = files.flat_map(|(path, text)| {
        let all = Pem::iter_from_buffer(text.as_bytes()).flatten();
        let all = all.filter_map(|pem| of(node, path, &pem.parse_x509().ok()?, now));
        let all: Vec<CertificateOnNode> = all.collect();
        let is_of_authorities = all.iter().all(|it| it.authority);
        let counting = if is_of_authorities { all.len() } else { 1 };
        all.into_iter().take(counting)
    });
    found.collect()
}

fn of(
    node: &str,
    path: &str,
    certificate: &X509Certificate<'_>,
    now: Timestamp,
) -> Option<CertificateOnNode> {
    let subject = certificate.subject().iter_common_name().next()?;
    let end = certificate.validity().not_after.timestamp();
    let expires = Timestamp::from_second(end).ok()?;
    Some(CertificateOnNode {
        node: node.to_owned(),
        path: path.to_owned(),
        subject: subject.as_str().ok()?.to_owned(),
        expires,
        days: (end - now.as_second()).div_euclid(SECONDS_OF_A_DAY),
        authority: certificate.is_ca(),
    })
}

const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};

    use super::*;

    fn pem(name: &str, is_authority: bool) -> String {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.not_after = date_time_ymd(2031, 5, 1);
        if is_authority {
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn each_file_is_told_by_its_authorities_or_its_first_certificate() {
        let listing = format!(
            "== /etc/kubernetes/pki/ca.crt\n{}{}== /etc/kubernetes/empty.crt\n== /etc/kubernetes/admin.conf\n{}{}",
            pem("kubernetes", true),
            pem("kubernetes", true),
            pem("kubernetes-admin", false),
            pem("kubernetes", true),
        );
        let told = |now: &str| {
            let found = read("cp1", &listing, now.parse().unwrap());
            let lines = found.iter().map(|it| {
                let CertificateOnNode {
                    path,
                    subject,
                    days,
                    authority,
                    ..
                } = it;
                format!("{path} {subject} {days} {authority}")
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(
            told("2031-04-30T12:00:00Z"),
            [
                "/etc/kubernetes/pki/ca.crt kubernetes 0 true",
                "/etc/kubernetes/pki/ca.crt kubernetes 0 true",
                "/etc/kubernetes/admin.conf kubernetes-admin 0 false",
            ]
        );
        assert!(told("2031-05-01T00:00:01Z")[0].ends_with(" -1 true"));
    }
}
