//! Archives as docker, podman and others write them, and archives that lie.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::form::images;
use super::{Contents, ImageFault, ImageName, ImageSource, LoadedImage};
use crate::bundle::Parts;
use crate::error_chain::error_chain;
use crate::resource::Sha256;

/// An archive in the making.
struct Archive(tar::Builder<Vec<u8>>);

impl Archive {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref();
        let mut header = tar::Header::new_gnu();
        // Straight into the header: the library would refuse some of these paths.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        self.0.append_link(&mut header, path, target).unwrap();
        self
    }

    fn json(self, path: &str, content: &Value) -> Self {
        self.file(path, content.to_string())
    }

    /// Adds a file by its hash; returns what describes it.
    fn blob(self, media_type: &str, content: &str) -> (Self, Value) {
        let digest = Sha256::of(content.as_bytes());
        let described = json!({
            "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": content.len(),
        });
        (
            self.file(&format!("blobs/sha256/{digest}"), content),
            described,
        )
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn read(bytes: &[u8]) -> Result<Vec<LoadedImage>, ImageFault> {
    let folder = tempfile::tempdir().unwrap();
    let parts = Parts::begin(&folder.path().join("parts")).unwrap();
    images(&mut Contents::of_archive(bytes, "app.tar", parts)?)
}

fn refusal(bytes: &[u8]) -> String {
    error_chain(&read(bytes).unwrap_err())
}

fn config(layers: &[&str]) -> Value {
    let ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("sha256:{}", Sha256::of(layer.as_bytes())))
        .collect();
    json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": ids } })
}

/// As `docker save` wrote it before it knew OCI: layers in folders, one a link to another.
fn docker(tags: &Value, layers: &[&str]) -> Archive {
    let mut archive = Archive::new();
    let mut paths = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let path = format!("{number}/layer.tar");
        let first = layers.iter().position(|other| other == layer);
        archive = match first {
            Some(first) if first < number => archive.link(&path, &format!("../{first}/layer.tar")),
            _ => archive.file(&path, layer),
        };
        paths.push(path);
    }
    archive.json("0a.json", &config(layers)).json(
        "manifest.json",
        &json!([{ "Config": "0a.json", "RepoTags": tags, "Layers": paths }]),
    )
}

/// An OCI layout with one image for each architecture; `leave_out` names those without their layer.
fn layout(annotations: &Value, architectures: &[&str], leave_out: &[&str]) -> Archive {
    let mut archive = Archive::new().file("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
    let mut manifests = Vec::new();
    for architecture in architectures {
        let layer = format!("layer of {architecture}");
        let mut settings = config(&[&layer]);
        settings["architecture"] = json!(architecture);
        let (next, config) = archive.blob(
            "application/vnd.oci.image.config.v1+json",
            &settings.to_string(),
        );
        let (_, described) = Archive::new().blob("application/vnd.oci.image.layer.v1.tar", &layer);
        archive = if leave_out.contains(architecture) {
            next
        } else {
            next.blob("application/vnd.oci.image.layer.v1.tar", &layer)
                .0
        };
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [described] });
        let (next, manifest) = archive.blob(
            "application/vnd.oci.image.manifest.v1+json",
            &manifest.to_string(),
        );
        archive = next;
        manifests.push(manifest);
    }
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    let (archive, mut described) = archive.blob(
        "application/vnd.oci.image.index.v1+json",
        &index.to_string(),
    );
    described["annotations"] = annotations.clone();
    archive.json(
        "index.json",
        &json!({ "schemaVersion": 2, "manifests": [described] }),
    )
}

fn names(images: &[LoadedImage]) -> Vec<String> {
    let names = images.iter().map(|image| image.name.as_ref());
    names
        .map(|name| name.map_or_else(|| "-".to_owned(), ToString::to_string))
        .collect()
}

#[test]
fn an_archive_of_docker_becomes_the_same_image_each_time() {
    let archive = || docker(&json!(["my/app:dev", "app"]), &["one", "two", "one"]).bytes();
    let images = read(&archive()).unwrap();
    assert_eq!(
        names(&images),
        ["docker.io/my/app:dev", "docker.io/library/app:latest"]
    );
    let variant = &images[0].variants[0];
    assert_eq!(variant.architecture, "amd64");
    assert_eq!(variant.layers[0], variant.layers[2]);
    assert_eq!(read(&archive()).unwrap(), images);
}

#[test]
fn compressed_archives_are_the_same() {
    let plain = docker(&json!(["my/app:dev"]), &["one"]).bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let zstd = zstd::encode_all(plain.as_slice(), 3).unwrap();
    let images = read(&plain).unwrap();
    assert_eq!(read(&gzip.finish().unwrap()).unwrap(), images);
    assert_eq!(read(&zstd).unwrap(), images);
    assert_eq!(
        refusal(b"\xfd7zXZ\0 and more"),
        "failed to read `app.tar`: it is compressed with xz; gzip and zstd can be read"
    );
}

#[test]
fn a_layout_keeps_its_manifests_and_may_lack_other_architectures() {
    let full = json!({ "io.containerd.image.name": "docker.io/my/app:dev",
        "org.opencontainers.image.ref.name": "dev" });
    let images = read(&layout(&full, &["amd64", "arm64"], &["arm64"]).bytes()).unwrap();
    assert_eq!(names(&images), ["docker.io/my/app:dev"]);
    let [variant] = images[0].variants.as_slice() else {
        panic!("{images:?}");
    };
    assert_eq!(variant.architecture, "amd64");
    let both = read(&layout(&full, &["amd64", "arm64"], &[]).bytes()).unwrap();
    assert_eq!(both[0].variants.len(), 2);
    let podman = json!({ "org.opencontainers.image.ref.name": "localhost/my/app:dev" });
    let images = read(&layout(&podman, &["amd64"], &[]).bytes()).unwrap();
    assert_eq!(names(&images), ["localhost/my/app:dev"]);
    // A tag alone is no name.
    let tag = json!({ "org.opencontainers.image.ref.name": "dev" });
    assert_eq!(
        names(&read(&layout(&tag, &["amd64"], &[]).bytes()).unwrap()),
        ["-"]
    );
    let none = layout(&full, &["amd64", "arm64"], &["amd64", "arm64"]).bytes();
    assert!(
        refusal(&none).ends_with("is missing from it"),
        "{}",
        refusal(&none)
    );
}

#[test]
fn archives_that_lie_are_refused() {
    let layer_of = |config: &[&str], layer: &str| {
        let manifest = json!([{ "Config": "c", "RepoTags": ["a"], "Layers": ["l"] }]);
        let archive = Archive::new().json("c", &self::config(config));
        archive.file("l", layer).json("manifest.json", &manifest)
    };
    let loop_of_links = Archive::new()
        .json("c", &config(&["x"]))
        .link("l", "m")
        .link("m", "l")
        .json(
            "manifest.json",
            &json!([{ "Config": "c", "RepoTags": ["a"], "Layers": ["l"] }]),
        );
    let mut other_system = config(&[]);
    other_system["os"] = json!("windows");
    let whole = docker(&json!(["a"]), &["a layer that is long enough to be cut"]).bytes();
    let refusals = [
        refusal(&Archive::new().file("../../etc/passwd", "x").bytes()),
        refusal(&Archive::new().file("/etc/passwd", "x").bytes()),
        refusal(&Archive::new().file("a/../../b", "x").bytes()),
        refusal(
            &Archive::new()
                .file(&format!("blobs/sha256/{}", "0".repeat(64)), "x")
                .bytes(),
        ),
        refusal(&Archive::new().file("a", "1").file("./a", "2").bytes()),
        refusal(&Archive::new().file("a", "1").bytes()),
        refusal(&Archive::new().file("manifest.json", "{").bytes()),
        refusal(&layer_of(&["one"], "two").bytes()),
        refusal(&layer_of(&["one", "two"], "one").bytes()),
        refusal(&loop_of_links.bytes()),
        refusal(
            &Archive::new()
                .json("c", &other_system)
                .json(
                    "manifest.json",
                    &json!([{ "Config": "c", "RepoTags": ["a"], "Layers": [] }]),
                )
                .bytes(),
        ),
        refusal(&docker(&json!(["my/App"]), &["one"]).bytes()),
        refusal(&whole[..520]),
        refusal(b"no archive at all"),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn layouts_that_lie_are_refused() {
    let image = |change: &dyn Fn(&mut Value)| {
        let (archive, mut described) =
            Archive::new().blob("application/vnd.oci.image.manifest.v1+json", "{}");
        change(&mut described);
        let index = json!({ "manifests": [described] });
        refusal(
            &archive
                .file("oci-layout", "{}")
                .json("index.json", &index)
                .bytes(),
        )
    };
    let refusals = [
        image(&|it| it["size"] = json!(1)),
        image(&|it| it["digest"] = json!("sha512:00")),
        image(&|it| it["digest"] = json!("sha256:../../../etc/passwd")),
        image(&|it| it["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json")),
        image(&|it| it["annotations"] = json!({ "io.containerd.image.name": "my/App" })),
        image(&|_| {}),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn a_folder_is_read_like_an_archive_of_it() {
    let annotations = json!({ "io.containerd.image.name": "docker.io/my/app:dev" });
    let bytes = layout(&annotations, &["amd64"], &[]).bytes();
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(bytes.as_slice())
        .unpack(folder.path().join("layout"))
        .unwrap();
    let parts = || Parts::begin(&folder.path().join("parts")).unwrap();
    let source = ImageSource::of(folder.path().join("layout").to_str().unwrap()).unwrap();
    let (images, _) = source.read(None, parts()).unwrap();
    assert_eq!(images, read(&bytes).unwrap());
    let name: ImageName = "other:1".parse().unwrap();
    let (images, _) = source.read(Some(&name), parts()).unwrap();
    assert_eq!(names(&images), ["docker.io/library/other:1"]);
}

#[test]
fn what_is_meant_is_told_by_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my-app");
    std::fs::write(&file, "").unwrap();
    let of = |path: &Path| ImageSource::of(path.to_str().unwrap());
    assert_eq!(of(&file).unwrap(), ImageSource::File(file.clone()));
    assert!(matches!(of(folder.path()).unwrap(), ImageSource::Folder(_)));
    assert_eq!(ImageSource::of("-").unwrap(), ImageSource::StandardInput);
    let name = "my/app:dev";
    assert_eq!(
        ImageSource::of(name).unwrap(),
        ImageSource::Program(name.to_owned())
    );
    for path in ["./app", "/no/such/file", "app.tar"] {
        assert!(
            matches!(ImageSource::of(path), Err(ImageFault::NoFile { .. })),
            "{path}"
        );
    }
}
