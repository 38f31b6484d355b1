use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn secrets_are_made_once_and_read_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("lab");
    let first = ClusterSecrets::load_or_make(&state, SystemTime::now()).unwrap();
    let second = ClusterSecrets::load_or_make(&state, SystemTime::now()).unwrap();
    assert_eq!(first, second);

    let mode = fs::metadata(state.join(FILE_NAME))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, [FILE_NAME], "nothing else may stay behind");
}

#[test]
fn secrets_that_are_there_are_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let first = ClusterSecrets::load_or_make(folder.path(), SystemTime::now()).unwrap();
    let second = ClusterSecrets::make(SystemTime::now()).unwrap();
    let path = folder.path().join(FILE_NAME);
    let error = second.keep(folder.path(), &path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    let kept = ClusterSecrets::load_or_make(folder.path(), SystemTime::now()).unwrap();
    assert_eq!(first, kept);
}

#[test]
fn bootstrap_token_has_kubeadms_form() {
    let token = bootstrap_token().unwrap();
    let (id, secret) = token.expose().split_once('.').unwrap();
    assert_eq!((id.len(), secret.len()), (6, 16));
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    assert!(id.chars().chain(secret.chars()).all(is_allowed));
}

#[test]
fn damaged_file_is_refused_without_quoting_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    fs::write(&path, r#"{"format": 1, "bootstrap_token": "hunter2"}"#).unwrap();
    let error = ClusterSecrets::load_or_make(folder.path(), SystemTime::now()).unwrap_err();
    assert!(matches!(error, SecretsError::Malformed { .. }));
    assert!(!format!("{error} {error:?}").contains("hunter2"));

    fs::write(&path, r#"{"format": 2}"#).unwrap();
    let error = ClusterSecrets::load_or_make(folder.path(), SystemTime::now()).unwrap_err();
    assert!(matches!(error, SecretsError::Format { .. }));
}

#[test]
fn the_file_of_release_0_1_0_is_read() {
    let text = include_str!("../../../tests/fixtures/0.1.0/secrets.json");
    let secrets = parse(text, PathBuf::new()).unwrap();
    assert_eq!(secrets.bootstrap_token.expose(), "abcdef.0123456789abcdef");
    assert!(!secrets.as_map().contains_key("encryption_key"));
}

#[test]
fn templates_see_every_secret() {
    let secrets = ClusterSecrets::make(SystemTime::now()).unwrap();
    let map = secrets.as_map();
    let names: Vec<&str> = map.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "all_authorities",
            "bootstrap_token",
            "cluster_authority_certificate",
            "cluster_authority_cross_certificate",
            "cluster_authority_key",
            "cluster_authority_signing_certificate",
            "encryption_key1",
            "etcd_authority_certificate",
            "etcd_authority_key",
            "front_proxy_authority_certificate",
            "front_proxy_authority_key",
            "ingress_authority_certificate",
            "ingress_authority_key",
            "metallb_key",
            "service_accounts_private_key",
            "service_accounts_public_key",
        ]
    );
    let empty = map.iter().filter(|(_, secret)| secret.expose().is_empty());
    let empty: Vec<&str> = empty.map(|(name, _)| name.as_str()).collect();
    assert_eq!(empty, ["cluster_authority_cross_certificate"]);
}
