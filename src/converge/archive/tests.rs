//! Real archives, good and bad.

use std::io::Write;

use super::*;
use crate::resource::BlobRef;
use crate::resource::Sha256;

fn header(kind: EntryType, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(size as u64);
    header
}

/// Writes a name as it is; the library itself refuses bad ones.
fn append(
    builder: &mut tar::Builder<Vec<u8>>,
    kind: EntryType,
    name: &str,
    link: &str,
    text: &str,
) {
    let mut header = header(kind, text.len());
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    builder.append(&header, text.as_bytes()).unwrap();
}

fn good() -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    append(&mut builder, EntryType::Directory, "top/bin/", "", "");
    append(
        &mut builder,
        EntryType::Regular,
        "top/bin/tool",
        "",
        "program",
    );
    append(
        &mut builder,
        EntryType::Symlink,
        "top/bin/alias",
        "../bin/tool",
        "",
    );
    append(
        &mut builder,
        EntryType::Link,
        "top/twin",
        "top/bin/tool",
        "",
    );
    builder.into_inner().unwrap()
}

struct Bench {
    root: tempfile::TempDir,
    node: Node,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        Self { root, node }
    }

    fn archive(&self, bytes: &[u8], strip: u32) -> Archive {
        let sha256 = Sha256::of(bytes);
        let blobs = self.root.path().join("var/lib/kinstall/blobs");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(blobs.join(sha256.to_string()), bytes).unwrap();
        Archive {
            source: BlobRef {
                sha256,
                size: bytes.len() as u64,
            },
            path: "/opt".into(),
            strip,
        }
    }

    fn converge(&mut self, archive: &Archive) -> Result<usize, ResourceError> {
        let changes = archive.diff(&archive.probe(&self.node)?);
        if !changes.is_empty() {
            archive.apply(&changes, &mut self.node)?;
        }
        Ok(changes.len())
    }
}

#[test]
fn plain_gzip_and_zstd_are_unpacked_alike() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&good()).unwrap();
    let zstd = zstd::encode_all(good().as_slice(), 1).unwrap();
    for bytes in [good(), gzip.finish().unwrap(), zstd] {
        let mut bench = Bench::new();
        let archive = bench.archive(&bytes, 1);
        assert_eq!(bench.converge(&archive).unwrap(), 1);
        assert_eq!(bench.node.read_or_empty("/opt/bin/alias"), "program");
        assert_eq!(bench.node.read_or_empty("/opt/twin"), "program");
        assert_eq!(bench.converge(&archive).unwrap(), 0);
    }
}

#[test]
fn what_was_altered_is_unpacked_again() {
    let mut bench = Bench::new();
    let archive = bench.archive(&good(), 1);
    bench.converge(&archive).unwrap();
    fs::remove_file(bench.node.path("/opt/bin/tool")).unwrap();
    assert_eq!(bench.converge(&archive).unwrap(), 1);
    assert_eq!(bench.converge(&archive).unwrap(), 0);
}

#[test]
fn nothing_leads_out_and_nothing_is_written_before_all_is_checked() {
    let bad = [
        (EntryType::Regular, "../escape", ""),
        (EntryType::Regular, "/escape", ""),
        (EntryType::Regular, "a/../../escape", ""),
        (EntryType::Symlink, "link", "/etc"),
        (EntryType::Symlink, "a/link", "../../etc"),
        (EntryType::Link, "link", "../etc/passwd"),
        (EntryType::Fifo, "pipe", ""),
    ];
    for (kind, name, link) in bad {
        let mut builder = tar::Builder::new(Vec::new());
        append(&mut builder, EntryType::Regular, "innocent", "", "x");
        append(&mut builder, kind, name, link, "");
        let mut bench = Bench::new();
        let archive = bench.archive(&builder.into_inner().unwrap(), 0);
        let error = bench.converge(&archive).unwrap_err().to_string();
        assert!(error.starts_with("refused the archive's entry"), "{error}");
        assert!(!bench.node.path("/opt").exists(), "{name}");
    }
}

#[test]
fn a_link_that_was_there_before_is_not_followed_outside() {
    let mut bench = Bench::new();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(bench.node.path("/opt")).unwrap();
    symlink(outside.path(), bench.node.path("/opt/bin")).unwrap();
    let archive = bench.archive(&good(), 1);
    bench.converge(&archive).unwrap_err();
    assert_eq!(outside.path().read_dir().unwrap().count(), 0);
}
