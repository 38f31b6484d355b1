use std::path::Path;
use std::sync::Mutex;

use kinstall::bundle::{BuildOptions, Bundle, Catalog, Manifest, Origin, Progress, build_catalog};
use kinstall::resource::Sha256;

use super::server::{Answer, Server};

/// A component of this repository that is built within a second, in an image of its own.
pub const PAUSE: &str = "
format: 1
components:
  pause:
    version: '1.0.0'
    source:
      go:
        folder: pause
        cgo: false
        tags: []
        ldflags: [-s, -w, '-X main.version=v{version}']
        programs: [{package: ., output: pause}]
base_image: {debian_release: trixie, packages: [], leave_out: [], links: {}}
images:
  pause:
    component: pause
    nodes: all
    base: scratch
    programs: [{program: pause/pause, path: /usr/local/bin/pause}]
    directories: {/tmp: '1777'}
    links: {/pause: usr/local/bin/pause}
    user: '65532:65532'
    entrypoint: [/usr/local/bin/pause]
node_programs:
  - {program: pause/pause, path: /opt/pause, links: [/opt/wait]}
";

/// Builds a catalog below `folder`; returns the parts that were worked on as well.
pub fn build(catalog: &str, folder: &Path, origin: Origin) -> (Manifest, Vec<String>) {
    let options = BuildOptions {
        output: folder.join("bundle"),
        cache: folder.join("cache"),
        origin,
    };
    let parts = Mutex::new(Vec::new());
    let catalog = Catalog::parse(catalog).unwrap();
    let manifest = build_catalog(&catalog, &options, &|progress| {
        if let Progress::Finished { part } = progress {
            parts.lock().unwrap().push(part.to_owned());
        }
    });
    (manifest.unwrap(), parts.into_inner().unwrap())
}

fn modified(path: &Path) -> std::time::SystemTime {
    std::fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn a_second_build_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (first, parts) = build(PAUSE, folder.path(), Origin::Source);
    assert_eq!(parts, ["pause"]);
    let path = folder.path().join("bundle/manifest.json");
    let written = modified(&path);
    let (second, parts) = build(PAUSE, folder.path(), Origin::Source);
    assert!(parts.is_empty(), "{parts:?}");
    assert_eq!(second, first);
    assert_eq!(modified(&path), written);
    assert_eq!(Manifest::load(&path).unwrap(), first);
}

#[test]
fn another_folder_gives_the_same_bytes() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, _) = build(PAUSE, one.path(), Origin::Source);
    let (second, _) = build(PAUSE, other.path(), Origin::Source);
    assert_eq!(second, first);
}

#[test]
fn what_the_new_bundle_lacks_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = build(PAUSE, folder.path(), Origin::Source);
    let blobs = folder.path().join("bundle/blobs");
    let left = folder.path().join("cache/blobs/tmp-1-1");
    for path in [&left, &blobs.join("tmp-1-1")] {
        std::fs::write(path, "of a build that died").unwrap();
    }
    let changed = PAUSE.replace("65532", "1000");
    let (second, parts) = build(&changed, folder.path(), Origin::Source);
    assert!(parts.is_empty());
    assert_eq!(second.programs, first.programs);
    assert_ne!(second.images["pause"].config, first.images["pause"].config);
    let files = std::fs::read_dir(blobs).unwrap().count();
    assert_eq!(files, second.blobs.len());
    assert!(!left.exists());
    assert_eq!(second.blobs.len(), 5); // the program, two layers, configuration and manifest
}

#[test]
fn an_image_holds_what_the_catalog_says() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = build(PAUSE, folder.path(), Origin::Source);
    let bundle = Bundle::open(&folder.path().join("bundle")).unwrap();
    bundle.verify(true).unwrap();
    let image = &manifest.images["pause"];
    assert_eq!(image.name, "kinstall.local/pause:v1.0.0");
    let document =
        |blob| -> serde_json::Value { serde_json::from_str(&bundle.text(blob).unwrap()).unwrap() };
    let config = document(&image.config);
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["config"]["Entrypoint"][0], "/usr/local/bin/pause");
    let layers = document(&image.manifest)["layers"].clone();
    let mut listing = Vec::new();
    for (index, layer) in image.layers.iter().enumerate() {
        assert_eq!(layers[index]["digest"], format!("sha256:{}", layer.sha256));
        assert_eq!(layers[index]["size"], layer.size);
        let tar = zstd::decode_all(bundle.blob(layer.sha256).unwrap().file).unwrap();
        let diff_id = format!("sha256:{}", Sha256::of(&tar));
        assert_eq!(config["rootfs"]["diff_ids"][index], diff_id);
        for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), 0);
            let mode = header.mode().unwrap();
            listing.push(format!("{mode:o} {}", entry.path().unwrap().display()));
        }
    }
    assert_eq!(
        listing,
        ["755 usr/local/bin/pause", "1777 tmp/", "777 pause"]
    );
}

#[test]
fn a_failed_build_shows_what_go_said() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::parse(&PAUSE.replace("package: .", "package: ./nothing")).unwrap();
    let options = BuildOptions {
        output: folder.path().join("bundle"),
        cache: folder.path().join("cache"),
        origin: Origin::Source,
    };
    let error = build_catalog(&catalog, &options, &|_| ()).unwrap_err();
    let text = error
        .message
        .replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(text, @"
    failed to make pause: `go build` ended with exit code 1
        stat FOLDER/cache/work/pause/pause/nothing: directory not found
    ");
    assert_eq!(
        std::fs::read_dir(folder.path().join("cache/work"))
            .unwrap()
            .count(),
        0
    );
    assert!(!options.output.exists());
}

#[test]
fn a_release_takes_the_place_of_the_source() {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    for (path, content) in [
        ("./LICENSE", "no program"),
        ("./bin/pause", "from upstream"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    let archive = archive.into_inner().unwrap().finish().unwrap();
    let sum = Sha256::of(&archive);
    let release = format!(
        "pause:
    version: '1.0.0'
    release:
      version: '0.9.1'
      url: https://releases.invalid/pause/v{{version}}/pause-{{architecture}}.tgz
      sha256: {{amd64: {sum}, arm64: {sum}}}
      programs: [{{path: bin/pause, output: pause}}]"
    );
    let catalog = PAUSE.replacen("pause:\n    version: '1.0.0'", &release, 1);
    let server = Server::start(vec![Answer::Whole(archive)]);
    let folder = tempfile::tempdir().unwrap();
    let mirror = Origin::Releases {
        mirror: Some(format!("{}/", server.url)),
    };
    let (manifest, _) = build(&catalog, folder.path(), mirror.clone());
    assert_eq!(manifest.components["pause"], "0.9.1");
    assert_eq!(manifest.images["pause"].name, "kinstall.local/pause:v0.9.1");
    assert_eq!(
        manifest.programs["pause/pause"].blob.sha256,
        Sha256::of(b"from upstream")
    );
    assert!(server.requests()[0].starts_with("/pause/v0.9.1/pause-"));
    let (_, parts) = build(&catalog, folder.path(), mirror);
    assert!(parts.is_empty());
    assert_eq!(server.requests().len(), 1);
    let (built, _) = build(&catalog, folder.path(), Origin::Source);
    assert_eq!(built.components["pause"], "1.0.0");
}
