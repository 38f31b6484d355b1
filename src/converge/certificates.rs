//! How long certificates on a node are valid.

use std::fs;
use std::path::Path;

use x509_parser::time::ASN1Time;

use super::Node;
use super::kubernetes::kubeconfig::{Kubeconfig, end_of};

const SECONDS_OF_A_DAY: i64 = 24 * 60 * 60;

/// Tells whether all of these certificates, in files of their own or in kubeconfigs, are valid for so many days more.
/// Files that aren't there don't count; what can't be read is no valid certificate.
pub(super) fn are_valid(paths: &[String], days: u32, node: &Node) -> bool {
    let there = paths.iter().filter(|path| node.path(path).exists());
    let mut ends = there.map(|path| end(path, node));
    let limit = ASN1Time::now().timestamp() + i64::from(days) * SECONDS_OF_A_DAY;
    ends.all(|end| end.is_some_and(|end| end.timestamp() > limit))
}

/// Returns when a certificate ends.
fn end(path: &str, node: &Node) -> Option<ASN1Time> {
    if Path::new(path).extension().is_some_and(|it| it == "conf") {
        return Kubeconfig::load(path, node).ok()?.end();
    }
    end_of(&fs::read(node.path(path)).ok()?)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

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
        assert!(are_valid(&paths, 5, &node));
        write(&folder.path().join("long.crt"), 300);
        assert!(are_valid(&paths, 5, &node));
        write(&folder.path().join("short.crt"), 4);
        assert!(!are_valid(&paths, 5, &node));
        assert!(are_valid(&paths, 3, &node));
        fs::write(folder.path().join("short.crt"), "garbage").unwrap();
        assert!(!are_valid(&paths, 3, &node));
    }
}
