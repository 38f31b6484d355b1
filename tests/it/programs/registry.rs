//! A bundle goes through a real registry, which has TLS and an authority of its own.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use kinstall::bundle::{Bundle, Origin};
use kinstall::credentials::pki::{self, Subject};

use super::started::Started;
use crate::bundle::build::{PAUSE, build};
use crate::free_port::free_port;

/// An address of this computer that isn't asked without TLS.
const ADDRESS: &str = "127.0.0.2";

/// A registry, and a bundle on disk.
struct Setting {
    folder: tempfile::TempDir,
    reference: String,
    _registry: Started,
}

impl Setting {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        build(PAUSE, folder.path(), Origin::Source);
        let port = free_port();
        let mut registry = Self::start(folder.path(), port);
        registry.wait_until("registry", || TcpStream::connect((ADDRESS, port)).is_ok());
        Self {
            reference: format!("oci://{ADDRESS}:{port}/team/bundle:1.0"),
            _registry: registry,
            folder,
        }
    }

    fn start(folder: &Path, port: u16) -> Started {
        let now = SystemTime::now();
        let authority = pki::make_authority("registries", now).unwrap();
        let subject = Subject {
            common_name: "registry",
            organizations: &[],
            names: &[ADDRESS],
            is_client: false,
        };
        let server = pki::make_certificate(&authority, subject, pki::ONE_YEAR, now).unwrap();
        let file = |name: &str, content: &str| fs::write(folder.join(name), content).unwrap();
        file("authority.crt", &authority.certificate);
        file("server.crt", &server.certificate);
        file("server.key", server.key.expose());
        file(
            "config.yml",
            &format!(
                "version: 0.1\nstorage:\n  filesystem: {{rootdirectory: {root}/images}}\nhttp:\n  addr: {ADDRESS}:{port}\n  \
                 tls: {{certificate: {root}/server.crt, key: {root}/server.key}}\n",
                root = folder.display()
            ),
        );
        let arguments = ["serve", "config.yml"].map(str::to_owned);
        Started::new("registry", &arguments, folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `kinstall bundle` with the bundle of a folder; returns whether it did, and what it said.
    fn kinstall(&self, bundle: &str, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_kinstall"))
            .arg("bundle")
            .args(arguments)
            .arg("--bundle")
            .arg(self.path(bundle))
            .env("DOCKER_CONFIG", self.folder.path())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    fn ok(&self, bundle: &str, what: &str, reference: &str) -> String {
        let authority = self.path("authority.crt");
        let authority = authority.to_str().unwrap();
        let (succeeded, said) = self.kinstall(bundle, &[what, reference, "--ca-file", authority]);
        assert!(succeeded, "{said}");
        said
    }

    fn refused(&self, bundle: &str, reference: &str) -> String {
        let authority = self.path("authority.crt");
        let authority = authority.to_str().unwrap();
        let (succeeded, said) = self.kinstall(bundle, &["pull", reference, "--ca-file", authority]);
        assert!(!succeeded, "{said}");
        said
    }
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn a_bundle_goes_through_a_registry_and_back() {
    let setting = Setting::new();
    let reference = &setting.reference;
    let (_, said) = setting.kinstall("bundle", &["push", reference]);
    assert!(
        said.contains("--ca-file FILE names its certificate"),
        "{said}"
    );
    let missing = setting.refused("other", reference);
    assert!(missing.contains("has no `team/bundle:1.0`"), "{missing}");

    let pushed = setting.ok("bundle", "push", reference);
    assert!(!pushed.contains(" 0 of them new"), "{pushed}");
    let again = setting.ok("bundle", "push", reference);
    assert!(again.contains(" 0 of them new"), "{again}");
    let pinned = again
        .lines()
        .find(|line| line.starts_with("oci://"))
        .unwrap();
    assert!(pushed.contains(pinned), "{pushed}{again}");

    setting.ok("pulled", "pull", pinned);
    let original = Bundle::open(&setting.path("bundle")).unwrap();
    let pulled = Bundle::open(&setting.path("pulled")).unwrap();
    assert_eq!(pulled.manifest(), original.manifest());
    pulled.verify(true).unwrap();
    assert!(!setting.path("pulled/incoming").exists());

    let no_tag = setting.kinstall("bundle", &["push", pinned]).1;
    assert!(
        no_tag.contains("names a digest: what is pushed gets a tag"),
        "{no_tag}"
    );

    // What is there is not fetched again, and what is missing is.
    let part = fs::read_dir(setting.path("pulled/blobs")).unwrap().next();
    fs::remove_file(part.unwrap().unwrap().path()).unwrap();
    let mended = setting.ok("pulled", "pull", reference);
    assert!(mended.contains(" 1 of them new"), "{mended}");
    pulled.verify(true).unwrap();

    // Another content under the same name is told, and the bundle that is there stays.
    let stored = setting.path(
        "images/docker/registry/v2/repositories/team/bundle/_manifests/tags/1.0/current/link",
    );
    let digest = fs::read_to_string(stored).unwrap();
    let hex = digest.trim().strip_prefix("sha256:").unwrap();
    let blobs = setting.path("images/docker/registry/v2/blobs/sha256");
    fs::write(blobs.join(&hex[..2]).join(hex).join("data"), "{}").unwrap();
    let refused = setting.refused("pulled", pinned);
    assert!(
        refused.contains("gave another content: sha256:") || refused.contains("status 500"),
        "{refused}"
    );
    pulled.verify(true).unwrap();
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn an_image_is_no_bundle() {
    const KIND: &str = "application/vnd.oci.image.manifest.v1+json";
    let setting = Setting::new();
    setting.ok("bundle", "push", &setting.reference);
    let of = |tag: &str| {
        let url = setting.reference.replace("oci://", "https://");
        let url = url.replace("/team/bundle:1.0", "/v2/team/bundle/manifests/");
        format!("{url}{tag}")
    };
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--cacert"])
            .arg(setting.path("authority.crt"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let pushed = curl(&["--header", &format!("Accept: {KIND}"), &of("1.0")]);
    let mut image: serde_json::Value = serde_json::from_slice(&pushed).unwrap();
    image.as_object_mut().unwrap().remove("artifactType");
    image["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
    let kind = format!("Content-Type: {KIND}");
    curl(&[
        "--request",
        "PUT",
        "--header",
        &kind,
        "--data",
        &image.to_string(),
        &of("image"),
    ]);

    let reference = setting.reference.replace(":1.0", ":image");
    let refused = setting.refused("pulled", &reference);
    assert!(refused.contains("is not a bundle of kinstall"), "{refused}");
    assert!(!setting.path("pulled").exists());
}
