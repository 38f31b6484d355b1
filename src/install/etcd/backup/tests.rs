use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::intake::{Beside, Intake};
use super::open::{Contents, open};
use super::{BackupError, inventory};
use crate::age;
use crate::install::project::Project;
use crate::inventory::Vault;
use crate::resource::Sha256;
use crate::secret::Secret;

const SECRETS: &str = include_str!("../../../../tests/fixtures/0.1.0/secrets.json");

/// What a control plane sends: its first line, and a snapshot that is no multiple of a tar block.
fn sent() -> Vec<u8> {
    let mut files = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    files
        .append_data(&mut header, "etc/kubernetes/pki/ca.crt", &b"pem"[..])
        .unwrap();
    let files = STANDARD.encode(files.into_inner().unwrap());
    let snapshot = vec![7; 200_003];
    let told = serde_json::json!({
        "snapshot": {
            "created": "2026-11-27T03:00:00Z", "kubernetes": "1.37.2", "etcd": "3.7.3", "revision": 1655,
            "keys": 485, "size": snapshot.len(), "sha256": Sha256::of(&snapshot),
        },
        "files": files,
    });
    [format!("{told}\n").into_bytes(), snapshot].concat()
}

fn backup(sent: &[u8]) -> io::Result<Vec<u8>> {
    let sink = age::Writer::begin(Vec::new(), &Secret::new("open sesame"), 4)?;
    let beside = Beside {
        cluster: "lab".to_owned(),
        control_planes: vec!["cp1".to_owned()],
        inventory: vec![(PathBuf::from("group_vars/all.yml"), b"a: 1\n".to_vec())],
        secrets: Secret::new(SECRETS),
    };
    let mut intake = Intake::new(sink, beside);
    // Pieces end wherever the connection wants.
    for piece in sent.chunks(1021) {
        intake.take("cp1", piece)?;
    }
    let (sink, _) = intake.finish()?;
    sink.finish()
}

fn opened(file: &[u8], passphrase: &str) -> Result<Contents<Vec<u8>>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.tar.age");
    fs::write(&path, file).unwrap();
    let contents = open(&path, &Secret::new(passphrase), |snapshot| {
        let mut bytes = Vec::new();
        snapshot
            .read_to_end(&mut bytes)
            .map_err(|source| BackupError::Read {
                path: PathBuf::new(),
                source,
            })?;
        Ok(bytes)
    });
    contents.map_err(|error: BackupError| {
        let message = error.diagnostics().remove(0).message;
        message.replace(&folder.path().display().to_string(), "")
    })
}

#[test]
fn a_backup_holds_what_the_control_plane_sent_and_what_lies_beside() {
    let contents = opened(&backup(&sent()).unwrap(), "open sesame").unwrap();
    assert_eq!(contents.snapshot, vec![7; 200_003]);
    assert_eq!(
        (contents.record.snapshot.keys, contents.record.node.as_str()),
        (485, "cp1")
    );
    assert_eq!(
        contents.secrets.bootstrap_token.expose(),
        "abcdef.0123456789abcdef"
    );
    let files: Vec<_> = contents
        .files
        .iter()
        .map(|it| it.display().to_string())
        .collect();
    assert_eq!(
        files,
        [
            "backup.json",
            "inventory/group_vars/all.yml",
            "secrets.json",
            "node/etc/kubernetes/pki/ca.crt",
            "snapshot.db",
        ]
    );
}

#[test]
fn a_backup_that_is_cut_off_changed_or_of_another_passphrase_is_refused() {
    let file = backup(&sent()).unwrap();
    let mut changed = file.clone();
    changed[150_000] ^= 1;
    let cut_off = &file[..file.len() - 100_000];
    let told = [
        opened(cut_off, "open sesame"),
        opened(&changed, "open sesame"),
        opened(&file, "other"),
        opened(b"PK\x03\x04", "open sesame"),
    ]
    .map(|result| result.unwrap_err());
    insta::assert_snapshot!(told.join("\n"), @r"
    can't open the backup `/backup.tar.age`: it was cut off or changed
    can't open the backup `/backup.tar.age`: it was cut off or changed
    can't open the backup `/backup.tar.age`: the passphrase is another one, or the file's header was changed
    can't open the backup `/backup.tar.age`: it is not a file that kinstall or age encrypted
    ");
}

#[test]
fn a_snapshot_that_did_not_arrive_whole_is_no_backup() {
    let sent = sent();
    assert!(backup(&sent[..sent.len() - 1]).is_err());
    let mut changed = sent.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert!(backup(&changed).is_err());
    assert!(backup(b"").is_err());
    assert!(backup(b"no json\n").is_err());
}

#[test]
fn an_inventory_is_taken_with_its_variables_and_without_what_kinstall_keeps() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        (
            "inventory.ini",
            "[kube_control_plane]\ncp1 ip=192.168.56.11\n",
        ),
        (
            "group_vars/all/cluster.yml",
            "kinstall_manifests: [../../manifests, /nowhere]\n",
        ),
        ("host_vars/cp1.yml", "b: 2\n"),
        ("manifests/shop.yaml", "kind: List\n"),
        ("notes.txt", "no part of it"),
        (".kinstall/secrets.json", "{}"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let project = Project::load(&folder.path().join("inventory.ini"), Vault::default());
    let project = project.unwrap_or_else(|errors| panic!("{errors:?}"));
    let files = inventory::files(&project).unwrap();
    let paths: Vec<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
    let expected = [
        "group_vars/all/cluster.yml",
        "host_vars/cp1.yml",
        "inventory.ini",
        "manifests/shop.yaml",
    ];
    assert_eq!(paths, expected.map(Path::new));
}
