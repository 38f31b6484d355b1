use std::path::Path;
use std::sync::Mutex;

use kinstall::bundle::{
    BuildOptions, Bundle, Catalog, Manifest, Minor, Origin, Progress, Release, build_catalog,
};
use kinstall::resource::Sha256;

use super::server::{Answer, Server};

/// A component of this repository that is built within a second, in an image of its own.
pub const PAUSE: &str = "
format: 2
releases: {'1.0': {}}
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
        releases: Vec::new(),
        unwanted_addons: Vec::new(),
    };
    let parts = Mutex::new(Vec::new());
    let catalog = Catalog::parse(catalog).unwrap();
    let manifest = build_catalog(&catalog, &options, &|progress| {
        if let Progress::Finished { part } = progress {
            parts.lock().unwrap().push(part.to_owned());
        }
        if let Progress::Packages { done, total, .. } = progress {
            assert!(0 < done && done <= total, "{done} of {total}");
        }
    });
    (manifest.unwrap(), parts.into_inner().unwrap())
}

/// Returns what the one release of a bundle is made of.
pub fn release(manifest: &Manifest) -> &Release {
    let releases: Vec<_> = manifest.releases.values().collect();
    assert_eq!(releases.len(), 1);
    releases[0]
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
    assert_eq!(release(&second).programs, release(&first).programs);
    assert_ne!(
        release(&second).images["pause"].config,
        release(&first).images["pause"].config
    );
    let files = std::fs::read_dir(blobs).unwrap().count();
    assert_eq!(files, second.blobs.len());
    assert!(!left.exists());
    assert_eq!(second.blobs.len(), 5); // the program, two layers, configuration and manifest
}

#[test]
fn releases_share_what_they_have_in_common() {
    let catalog = PAUSE.replace(
        "releases: {'1.0': {}}",
        "releases: {'1.0': {}, '0.9': {tags: {pause: other}}}",
    );
    let folder = tempfile::tempdir().unwrap();
    let minors: Vec<Minor> = ["0.9", "1.0"].map(|it| it.parse().unwrap()).into();
    let options = |releases: &[Minor]| BuildOptions {
        output: folder.path().join("bundle"),
        cache: folder.path().join("cache"),
        origin: Origin::Source,
        releases: releases.to_vec(),
        unwanted_addons: Vec::new(),
    };
    let catalog = Catalog::parse(&catalog).unwrap();
    let manifest = build_catalog(&catalog, &options(&minors), &|_| ()).unwrap();
    let [earlier, newest] = [0, 1].map(|index| &manifest.releases[&minors[index]]);
    assert_eq!(earlier.images["pause"].name, "kinstall.local/pause:other");
    assert_eq!(newest.images["pause"].name, "kinstall.local/pause:v1.0.0");
    assert_eq!(earlier.programs, newest.programs);
    let bundle = Bundle::open(&options(&[]).output).unwrap();
    assert_eq!(bundle.release(None).unwrap(), newest);
    assert_eq!(bundle.release(Some(minors[0])).unwrap(), earlier);

    let newest_only = build_catalog(&catalog, &options(&[]), &|_| ()).unwrap();
    assert_eq!(
        newest_only.releases.keys().collect::<Vec<_>>(),
        [&minors[1]]
    );
    let bundle = Bundle::open(&options(&[]).output).unwrap();
    let error = bundle.release(Some(minors[0])).unwrap_err();
    assert_eq!(error.message, "the bundle has no Kubernetes 0.9, only 1.0");
    let unknown = "1.1".parse().unwrap();
    let error = build_catalog(&catalog, &options(&[unknown]), &|_| ()).unwrap_err();
    assert_eq!(error.message, "the catalog has no Kubernetes 1.1");
    assert_eq!(error.hints, ["this kinstall can build 0.9, 1.0"]);
}

#[test]
fn the_bundle_of_the_first_version_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    let blob = Sha256::of(b"a program");
    let manifest = serde_json::json!({
        "format": 1, "kinstall": "0.1.0", "architecture": "amd64",
        "components": { "kubernetes": "1.37.2" },
        "programs": { "kubernetes/kube": {
            "component": "kubernetes", "version": "1.37.2", "blob": { "sha256": blob, "size": 9 },
        } },
        "images": {}, "files": {},
        "node_programs": [{ "program": "kubernetes/kube", "path": "/usr/local/bin/kube" }],
        "blobs": { blob.to_string(): { "encoding": "zstd", "stored": 7 } },
    });
    std::fs::write(&path, manifest.to_string()).unwrap();
    let bundle = Bundle::open(folder.path()).unwrap();
    let release = bundle.release(Some("1.37".parse().unwrap())).unwrap();
    assert_eq!(release.programs["kubernetes/kube"].blob.sha256, blob);
    assert_eq!(release, bundle.release(None).unwrap());
}

#[test]
fn an_image_holds_what_the_catalog_says() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = build(PAUSE, folder.path(), Origin::Source);
    let bundle = Bundle::open(&folder.path().join("bundle")).unwrap();
    bundle.verify(true).unwrap();
    let image = &release(&manifest).images["pause"];
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
        releases: Vec::new(),
        unwanted_addons: Vec::new(),
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
    let upstream = format!(
        "pause:
    version: '1.0.0'
    release:
      version: '0.9.1'
      url: https://releases.invalid/pause/v{{version}}/pause-{{architecture}}.tgz
      sha256: {{amd64: {sum}, arm64: {sum}}}
      programs: [{{path: bin/pause, output: pause}}]"
    );
    let catalog = PAUSE.replacen("pause:\n    version: '1.0.0'", &upstream, 1);
    let server = Server::start(vec![Answer::Whole(archive)]);
    let folder = tempfile::tempdir().unwrap();
    let mirror = Origin::Releases {
        mirror: Some(format!("{}/", server.url)),
    };
    let (manifest, _) = build(&catalog, folder.path(), mirror.clone());
    assert_eq!(release(&manifest).components["pause"], "0.9.1");
    assert_eq!(
        release(&manifest).images["pause"].name,
        "kinstall.local/pause:v0.9.1"
    );
    assert_eq!(
        release(&manifest).programs["pause/pause"].blob.sha256,
        Sha256::of(b"from upstream")
    );
    assert!(server.requests()[0].starts_with("/pause/v0.9.1/pause-"));
    let (_, parts) = build(&catalog, folder.path(), mirror);
    assert!(parts.is_empty());
    assert_eq!(server.requests().len(), 1);
    let (built, _) = build(&catalog, folder.path(), Origin::Source);
    assert_eq!(release(&built).components["pause"], "1.0.0");
}
