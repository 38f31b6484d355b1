//! The law: after `apply`, nothing is left to do; and looking changes nothing.
//!
//! Files, folders, links, blocks, parameters and absences are generated, and so is what stands in
//! their place before; every generated resource goes through the same two checks.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use super::{Node, made};
use crate::resource::{
    Absent, BlobRef, Block, Change, Content, Directory, File, NoLongerWanted, Resource, Sha256,
    Swap, Symlink, Sysctl, Thing,
};
use crate::secret::Secret;

/// What is at a path before kinstall comes.
#[derive(Clone, Debug)]
enum Before {
    Nothing,
    File { text: String, mode: u32 },
    EmptyFolder,
    Link(String),
}

const PATHS: [&str; 5] = ["/etc/a", "/etc/b", "/etc/deep/er/c", "/opt/d", "/e"];

fn path() -> impl Strategy<Value = String> {
    proptest::sample::select(&PATHS).prop_map(str::to_owned)
}

fn mode() -> impl Strategy<Value = u32> {
    proptest::sample::select(&[0o600, 0o644, 0o755, 0o700, 0o1777, 0o4755])
}

/// Text with and without a line end, empty, and beyond ASCII.
fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("([a-zäß# ]{0,12}\n){0,4}[a-z]{0,3}").unwrap()
}

fn before() -> impl Strategy<Value = Before> {
    prop_oneof![
        Just(Before::Nothing),
        (text(), mode()).prop_map(|(text, mode)| Before::File { text, mode }),
        Just(Before::EmptyFolder),
        target().prop_map(Before::Link),
    ]
}

/// Where links lead. Never out of the test's folder: what is behind a link gets its mode changed.
fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(&["nowhere", ".", "a", "d"]).prop_map(str::to_owned),
        "[a-z]{1,4}/[a-z]{1,3}",
    ]
}

fn resource() -> impl Strategy<Value = Resource> {
    let content = prop_oneof![
        text().prop_map(Content::Text),
        text().prop_map(|text| Content::Secret(Secret::new(text))),
        Just(Content::Blob(blob())),
    ];
    let owner = prop_oneof![Just(None), Just(Some(own_id()))];
    prop_oneof![
        path().prop_map(|path| Resource::Absent(Absent { path })),
        (path(), content, mode(), owner.clone()).prop_map(|(path, content, mode, owner)| {
            Resource::File(File {
                path,
                content,
                mode,
                owner,
                group: None,
                validate: None,
            })
        }),
        (path(), mode(), owner).prop_map(|(path, mode, owner)| {
            Resource::Directory(Directory {
                path,
                mode,
                owner,
                group: None,
            })
        }),
        (path(), target()).prop_map(|(path, target)| Resource::Symlink(Symlink { path, target })),
        (path(), text()).prop_map(|(path, content)| {
            Resource::Block(Block {
                path,
                name: "law".into(),
                content,
            })
        }),
    ]
}

fn blob() -> BlobRef {
    BlobRef {
        sha256: Sha256::of(b"blob"),
        size: 4,
    }
}

fn own_id() -> String {
    rustix::process::getuid().as_raw().to_string()
}

/// Makes a node's root in a folder.
fn prepare(root: &Path, before: &[(String, Before)]) -> Node {
    let node = Node::at(root);
    let blobs = node.path("/var/lib/kinstall/blobs");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join(blob().sha256.to_string()), "blob").unwrap();
    for (path, before) in before {
        let path = node.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir(&path);
        match before {
            Before::Nothing => {}
            Before::File { text, mode } => {
                if fs::write(&path, text).is_ok() {
                    fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                }
            }
            Before::EmptyFolder => drop(fs::create_dir(&path)),
            Before::Link(target) => drop(symlink(target, &path)),
        }
    }
    node
}

/// Everything that can be seen of a tree: kinds, modes, times, contents.
fn picture(root: &Path) -> BTreeMap<String, String> {
    let mut picture = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_symlink() {
                format!("{:?}", fs::read_link(&path).unwrap())
            } else if metadata.is_file() {
                format!("{:?}", fs::read(&path).unwrap())
            } else {
                folders.push(path.clone());
                String::new()
            };
            let facts = format!(
                "{:o} {} {} {}.{} {} {content}",
                metadata.mode(),
                metadata.uid(),
                metadata.gid(),
                metadata.mtime(),
                metadata.mtime_nsec(),
                metadata.ino(),
            );
            picture.insert(path.display().to_string(), facts);
        }
    }
    picture
}

fn check_law(resource: &Resource, node: &mut Node, root: &Path) -> Result<(), TestCaseError> {
    let seen = picture(root);
    let first = resource.check(node);
    prop_assert_eq!(&seen, &picture(root), "looking changed something");
    // Some things stand in the way of others; that is an error and no change.
    let Ok(changes) = first else { return Ok(()) };
    if changes.is_empty() {
        return Ok(());
    }
    if resource.apply(&changes, node).is_ok() {
        let left = resource.check(node).unwrap();
        prop_assert!(left.is_empty(), "{resource:?} left {left:?}");
    }
    let drafts = picture(root)
        .into_keys()
        .filter(|path| path.ends_with(".kinstall"))
        .count();
    prop_assert_eq!(drafts, 0, "a temporary file stayed");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_obey(
        before in proptest::collection::vec((path(), before()), 0..4),
        resources in proptest::collection::vec(resource(), 1..6),
    ) {
        let root = tempfile::tempdir().unwrap();
        let mut node = prepare(root.path(), &before);
        for resource in &resources {
            check_law(resource, &mut node, root.path())?;
        }
    }

    #[test]
    fn what_was_made_goes_and_what_was_found_or_changed_stays(
        before in proptest::collection::vec((path(), before()), 0..3),
        resources in proptest::collection::vec(resource(), 1..6),
        changed_by_hand in path(),
    ) {
        let root = tempfile::tempdir().unwrap();
        let mut node = prepare(root.path(), &before);
        let is_there = |path: &str| fs::symlink_metadata(root.path().join(&path[1..])).is_ok();
        let found: Vec<&str> = PATHS.into_iter().filter(|path| is_there(path)).collect();
        let wanted = resources.iter().filter(|it| !matches!(it, Resource::Absent(_)));
        for resource in wanted {
            // Some things stand in the way of others.
            let Ok(changes) = resource.check(&node) else { continue };
            if !changes.is_empty() {
                made::note(resource, &changes, &node);
                let _ = resource.apply(&changes, &mut node);
            }
        }
        let by_hand = node.path(&changed_by_hand);
        let is_changed = by_hand.is_file() && !by_hand.is_symlink();
        if is_changed {
            fs::write(&by_hand, "# changed by hand").unwrap();
        }
        let mut left = made::present(&node);
        left.retain(|it| !it.is_changed);
        left.sort_by_key(|it| matches!(it.thing, Thing::Directory(_)));
        let paths: Vec<String> = left.iter().filter_map(|it| it.thing.path()).map(str::to_owned).collect();
        for it in left {
            let inside = paths.clone();
            let resource = Resource::NoLongerWanted(NoLongerWanted { thing: it.thing, inside });
            check_law(&resource, &mut node, root.path())?;
        }
        for path in PATHS {
            let stays = found.contains(&path) || (is_changed && path == changed_by_hand);
            if stays {
                prop_assert!(is_there(path), "{path} is gone");
            } else if paths.iter().any(|made| made == path) {
                prop_assert!(!is_there(path), "{path} is there");
            }
        }
    }

    #[test]
    fn an_empty_node_needs_what_a_plan_assumes_of_it(resource in resource()) {
        let root = tempfile::tempdir().unwrap();
        let found = resource.check(&Node::at(root.path())).unwrap();
        let without_text = |mut change: Change| {
            change.diff = None;
            change
        };
        let found: Vec<Change> = found.into_iter().map(without_text).collect();
        prop_assert_eq!(resource.from_nothing(), found);
    }

    #[test]
    fn parameters_obey(
        live in "[0-9]{1,3}([ \t]{1,2}[0-9]{1,3}){0,2}\n?",
        value in "[0-9]{1,3}([ \t]{1,2}[0-9]{1,3}){0,2}",
    ) {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        fs::create_dir_all(node.path("/proc/sys/vm")).unwrap();
        fs::write(node.path("/proc/sys/vm/x"), live).unwrap();
        let resource = Resource::Sysctl(Sysctl { key: "vm.x".into(), value });
        // The kernel replaces the whole value; a file in a test keeps the rest of a longer one.
        let path = node.path("/proc/sys/vm/x");
        let changes = resource.check(&node).unwrap();
        if changes.iter().any(|change| change.subject == "live value") {
            fs::write(&path, "").unwrap();
        }
        check_law(&resource, &mut node, root.path())?;
    }
}

/// The usual way of a batch: everything that can be in a folder applies where nothing is in the way.
#[test]
fn nothing_in_the_way_means_no_error() {
    let root = tempfile::tempdir().unwrap();
    let mut node = prepare(root.path(), &[]);
    let resources = [
        Resource::Directory(Directory {
            path: "/etc/deep".into(),
            mode: 0o750,
            owner: Some(own_id()),
            group: None,
        }),
        Resource::File(File {
            path: "/etc/deep/file".into(),
            content: Content::Blob(blob()),
            mode: 0o755,
            owner: None,
            group: None,
            validate: None,
        }),
        Resource::Symlink(Symlink {
            path: "/etc/link".into(),
            target: "deep/file".into(),
        }),
        Resource::Swap(Swap),
    ];
    for resource in &resources {
        let changes = resource.check(&node).unwrap();
        if !changes.is_empty() {
            resource.apply(&changes, &mut node).unwrap();
        }
        assert_eq!(resource.check(&node).unwrap(), []);
    }
}
