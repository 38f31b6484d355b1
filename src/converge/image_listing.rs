//! The images that containerd has, asked for only when its database has changed since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime};

use super::marker::Marker;
use super::program::{Program, exists};
use super::stat_cache::Stat;
use super::{Node, ResourceError};

/// What keeps an image when the kubelet or containerd needs room: it came with the bundle and can't be
/// pulled again.
pub(super) const PINNED: &str = "io.cri-containerd.pinned=pinned";
/// Where containerd writes down every image, before it says that it has it.
const DATABASE: &str = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";
/// A file that was written a moment ago may be written again within the same tick of the clock that stamps it.
const SETTLED: Duration = Duration::from_secs(2);

/// An image that containerd has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Digest of what the name stands for.
    pub target: String,
    pub is_pinned: bool,
}

/// Lists the images by their names.
pub(super) fn images(node: &Node) -> Result<BTreeMap<String, Stored>, ResourceError> {
    if !is_running(node) {
        return Ok(BTreeMap::new());
    }
    // The answer takes a program's start and a look into each image's manifest.
    let marker = Marker::until_restart(node, "images");
    let before = database(node);
    let known = marker.read();
    if let (Some(version), Some(known)) = (&before, &known)
        && let Some(listing) = known.strip_prefix(version)
    {
        return Ok(parse(listing));
    }
    let listing = Program::new(["ctr", "-n", "k8s.io", "images", "ls"]).output(node)?;
    if let Some(version) = before.filter(|_| is_settled(node))
        && database(node).as_ref() == Some(&version)
    {
        // Without it the next question takes longer, and nothing else.
        let _ = marker.jot(&(version + &listing));
    }
    Ok(parse(&listing))
}

/// Lists the digests of the parts that containerd has.
pub(super) fn content(node: &Node) -> Result<BTreeSet<String>, ResourceError> {
    let output = Program::new(["ctr", "-n", "k8s.io", "content", "ls", "-q"]).output(node)?;
    Ok(output.lines().map(str::to_owned).collect())
}

/// Before containerd is installed and started there are no images. One that died leaves its socket.
fn is_running(node: &Node) -> bool {
    let socket = node.path("/run/containerd/containerd.sock");
    exists("ctr", node) && UnixStream::connect(socket).is_ok()
}

/// What changes with the database, as a line.
fn database(node: &Node) -> Option<String> {
    let metadata = fs::metadata(node.path(DATABASE)).ok()?;
    Some(format!("{:?}\n", Stat::of(&metadata)))
}

fn is_settled(node: &Node) -> bool {
    let modified = fs::metadata(node.path(DATABASE)).and_then(|stat| stat.modified());
    let now = SystemTime::now();
    modified.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > SETTLED))
}

/// Reads `ctr images ls`: name, media type, digest, size, …, and the labels, with commas between them, at the end.
pub(super) fn parse(output: &str) -> BTreeMap<String, Stored> {
    output
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let stored = Stored {
                target: (*fields.get(2)?).to_owned(),
                is_pinned: fields.last()?.split(',').any(|label| label == PINNED),
            };
            Some(((*fields.first()?).to_owned(), stored))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{File, create_dir_all, write};
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn containerd_is_asked_again_when_its_database_has_changed() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        for folder in ["/usr/local/bin", "/run/containerd"] {
            create_dir_all(node.path(folder)).unwrap();
        }
        let database = node.path(DATABASE);
        create_dir_all(database.parent().unwrap()).unwrap();
        let _socket = UnixListener::bind(node.path("/run/containerd/containerd.sock")).unwrap();
        let ctr = node.path("/usr/local/bin/ctr");
        let has = |name: &str| {
            let line = format!("{name} type sha256:1 1 KiB linux/amd64 {PINNED}");
            write(&ctr, format!("#!/bin/sh\necho REF; echo '{line}'\n")).unwrap();
            fs::set_permissions(&ctr, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let database_of = |age: u64| {
            write(&database, "").unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            File::options()
                .write(true)
                .open(&database)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        let listed = || images(&node).unwrap().into_keys().collect::<Vec<_>>();

        database_of(0);
        has("a");
        assert_eq!(listed(), ["a"]);
        has("b");
        assert_eq!(listed(), ["b"], "the database has only just been written");
        database_of(60);
        assert_eq!(listed(), ["b"]);
        has("c");
        assert_eq!(listed(), ["b"], "nothing has changed in the database");
        database_of(30);
        assert_eq!(listed(), ["c"]);
    }
}
