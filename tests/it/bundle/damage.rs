use std::path::{Path, PathBuf};

use kinstall::bundle::{Bundle, Manifest, Origin};
use kinstall::diagnostic::Diagnostic;

use super::build::{PAUSE, build, release};

/// A bundle, and the path of its one program.
fn bundle(folder: &Path) -> (Manifest, PathBuf) {
    let (manifest, _) = build(PAUSE, folder, Origin::Source);
    let program = release(&manifest).programs["pause/pause"].blob.sha256;
    let path = folder.join(format!("bundle/blobs/{program}.zst"));
    (manifest, path)
}

fn verify(folder: &Path, full: bool) -> Vec<Diagnostic> {
    let bundle = Bundle::open(&folder.join("bundle")).unwrap();
    bundle.verify(full).err().unwrap_or_default()
}

/// The messages, without what differs from run to run.
fn text(diagnostics: &[Diagnostic], folder: &Path) -> String {
    let lines = diagnostics.iter().map(|it| {
        let hints = it.hints.join("\nhint: ");
        format!(
            "{} ({})\n{}\nhint: {hints}\n",
            it.kind.name(),
            it.kind.exit_code(),
            it.message
        )
    });
    let text = lines
        .collect::<String>()
        .replace(&folder.display().to_string(), "FOLDER");
    // Hashes and sizes change with every version of Go.
    let mut hashes = 0;
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
    let words = words.map(|word| {
        let name = word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let end = &word[name.len()..];
        if name.len() == 64 {
            hashes += 1;
            format!("SHA256-{hashes}{end}")
        } else if name.len() > 3 && name.parse::<u64>().is_ok() {
            format!("NUMBER{end}")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}

#[test]
fn a_missing_part_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, program) = bundle(folder.path());
    std::fs::remove_file(program).unwrap();
    insta::assert_snapshot!(text(&verify(folder.path(), false), folder.path()));
}

#[test]
fn a_truncated_part_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, program) = bundle(folder.path());
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(program)
        .unwrap();
    file.set_len(10_000).unwrap();
    insta::assert_snapshot!(text(&verify(folder.path(), false), folder.path()));
}

#[test]
fn a_part_with_other_content_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = bundle(folder.path());
    let layer = release(&manifest).images["pause"].layers[1];
    let path = folder.path().join(format!("bundle/blobs/{}", layer.sha256));
    std::fs::write(path, vec![b'x'; usize::try_from(layer.size).unwrap()]).unwrap();
    // Even the quick check reads what somebody wrote to.
    insta::assert_snapshot!(text(&verify(folder.path(), false), folder.path()));
}

#[test]
fn a_silently_damaged_part_is_found_by_the_full_check_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_, program) = bundle(folder.path());
    let before = std::fs::metadata(&program).unwrap().modified().unwrap();
    let good = std::fs::read(&program).unwrap();
    let mut bad = good.clone();
    bad[20_000] ^= 1;
    std::fs::write(&program, bad).unwrap();
    std::fs::File::open(&program)
        .unwrap()
        .set_modified(before)
        .unwrap();

    assert!(verify(folder.path(), false).is_empty());
    insta::assert_snapshot!(text(&verify(folder.path(), true), folder.path()));

    // The hint is right: the cache shares the damaged file, and both get a good one.
    let (_, parts) = build(PAUSE, folder.path(), Origin::Source);
    assert_eq!(parts, ["pause"]);
    assert!(verify(folder.path(), true).is_empty());
    assert_eq!(std::fs::read(&program).unwrap(), good);
}

#[test]
fn a_copied_bundle_is_read_once_and_then_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (_, program) = bundle(folder.path());
    let stamp = std::fs::metadata(&program).unwrap().modified().unwrap();
    let file = std::fs::File::open(&program).unwrap();
    file.set_modified(std::time::SystemTime::now()).unwrap();
    assert!(verify(folder.path(), false).is_empty());
    assert_eq!(
        std::fs::metadata(&program).unwrap().modified().unwrap(),
        stamp
    );
}

#[test]
fn no_bundle_and_no_good_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = bundle(folder.path());
    let path = folder.path().join("bundle");
    let open = |path: &Path| text(&[Bundle::open(path).unwrap_err()], folder.path());
    let missing = open(&folder.path().join("nothing"));
    std::fs::write(path.join("manifest.json"), "{\"format\": 1, \"kinstall\"").unwrap();
    let broken = open(&path);
    let newer = Manifest {
        format: 9,
        ..manifest
    };
    newer.save(&path.join("manifest.json")).unwrap();
    insta::assert_snapshot!([missing, broken, open(&path)].join("\n"));
}
