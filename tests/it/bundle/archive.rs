use std::path::Path;

use kinstall::bundle::{self, Bundle, Origin};
use kinstall::resource::Sha256;

use super::build::{PAUSE, build};

fn error(file: &Path, expected: Option<Sha256>, output: &Path) -> String {
    let error = bundle::load(file, expected, output).unwrap_err();
    kinstall::error_chain::error_chain(&error)
}

#[test]
fn a_bundle_goes_through_a_file_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = build(PAUSE, folder.path(), Origin::Source);
    let original = Bundle::open(&folder.path().join("bundle")).unwrap();
    let file = folder.path().join("bundle.tar");
    let saved = bundle::save(&original, &file).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(saved.sha256, Sha256::of(&bytes));
    let again = folder.path().join("again.tar");
    assert_eq!(bundle::save(&original, &again).unwrap(), saved);

    let output = folder.path().join("loaded");
    // What arrived of a file that was cut off stays, and counts for nothing.
    let half = folder.path().join("half.tar");
    std::fs::write(&half, &bytes[..bytes.len() / 4 * 3]).unwrap();
    assert!(!error(&half, None, &output).is_empty());
    assert!(Bundle::open(&output).is_err());
    let other = Sha256::of(b"other");
    let refused = error(&file, Some(other), &output);
    assert!(refused.ends_with(&format!("expected {other}")), "{refused}");

    let loaded = bundle::load(&file, Some(saved.sha256), &output).unwrap();
    assert!(loaded.new < loaded.parts, "{loaded:?}");
    let copy = Bundle::open(&output).unwrap();
    assert_eq!(copy.manifest(), &manifest);
    copy.verify(true).unwrap();
    assert_eq!(bundle::load(&file, None, &output).unwrap().new, 0);

    let mut damaged = bytes.clone();
    let last = damaged.iter().rposition(|byte| *byte != 0).unwrap();
    damaged[last] ^= 1;
    std::fs::write(&half, damaged).unwrap();
    let refused = error(&half, None, &folder.path().join("damaged"));
    assert!(refused.contains("is damaged"), "{refused}");
    std::fs::write(&half, b"no archive").unwrap();
    assert!(!error(&half, None, &output).is_empty());
    copy.verify(true).unwrap();
}
