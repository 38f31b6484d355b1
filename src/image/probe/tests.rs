use std::io::Write as _;
use std::path::Path;

use super::{Content, Packing, ProbeError, probe};
use crate::image::disk::{Compression, DiskFormat};

/// Fields of a header: where, and the bytes.
type Fields<'a> = &'a [(usize, &'a [u8])];

fn file(length: usize, fields: Fields<'_>) -> Vec<u8> {
    let mut bytes = vec![0; length];
    for (at, field) in fields {
        bytes[*at..at + field.len()].copy_from_slice(field);
    }
    bytes
}

/// Version 3 with one table entry, of 1 GiB.
fn qcow2(fields: Fields<'_>) -> Vec<u8> {
    let header: Fields<'_> = &[
        (0, b"QFI\xfb"),
        (4, &3_u32.to_be_bytes()),
        (24, &(1_u64 << 30).to_be_bytes()),
        (36, &1_u32.to_be_bytes()),
        (40, &4096_u64.to_be_bytes()),
        (4096, &0x8000_0000_0001_0000_u64.to_be_bytes()),
    ];
    file(8192, &[header, fields].concat())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn probe_bytes(bytes: &[u8]) -> Result<Content, ProbeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    probe(&path)
}

fn disk(bytes: &[u8]) -> (DiskFormat, u64) {
    match probe_bytes(bytes).unwrap() {
        Content::Disk { disk, .. } => (disk.format, disk.virtual_size),
        other => panic!("{other:?}"),
    }
}

const TAR: Fields<'_> = &[(257, b"ustar")];

#[test]
fn disks_are_known_by_their_content() {
    let zlib = DiskFormat::Qcow2 {
        compression: Compression::Zlib,
        empty: false,
    };
    assert_eq!(disk(&qcow2(&[])), (zlib, 1 << 30));
    let version_2 = qcow2(&[(4, &2_u32.to_be_bytes()), (72, &[0xff; 8])]);
    assert_eq!(disk(&version_2), (zlib, 1 << 30));
    let zstd = DiskFormat::Qcow2 {
        compression: Compression::Zstd,
        empty: false,
    };
    assert_eq!(disk(&qcow2(&[(79, &[8]), (104, &[1])])).0, zstd);
    let empty = DiskFormat::Qcow2 {
        compression: Compression::Zlib,
        empty: true,
    };
    assert_eq!(disk(&qcow2(&[(4096, &[0; 8])])).0, empty);
    let sectors = 4096_u64.to_le_bytes();
    let vmdk = file(512, &[(0, b"KDMV"), (12, &sectors)]);
    assert_eq!(disk(&vmdk), (DiskFormat::Vmdk, 4096 * 512));
    let mark = 0xbeda_107f_u32.to_le_bytes();
    let vdi = file(1024, &[(0x40, &mark), (0x170, &sectors)]);
    assert_eq!(disk(&vdi), (DiskFormat::Vdi, 4096));
    let raw = file(1 << 20, &[(510, b"\x55\xaa")]);
    assert_eq!(disk(&raw), (DiskFormat::Raw, 1 << 20));
    let raw = file(1 << 20, &[(512, b"EFI PART")]);
    assert_eq!(disk(&raw), (DiskFormat::Raw, 1 << 20));
}

#[test]
fn a_disk_in_several_files_names_them() {
    let text = b"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n\
        RW 4096 SPARSE \"disk-s001.vmdk\"\nRW 2048 FLAT \"disk-f002.vmdk\" 0\nRW 2048 ZERO\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.vmdk");
    std::fs::write(&path, text).unwrap();
    let Content::Disk { disk, extents } = probe(&path).unwrap() else {
        panic!("no disk");
    };
    assert_eq!(
        (disk.format, disk.virtual_size),
        (DiskFormat::Vmdk, 8192 * 512)
    );
    let names = ["disk-s001.vmdk", "disk-f002.vmdk"];
    assert_eq!(extents, names.map(|name| folder.path().join(name)));
}

#[test]
fn archives_are_known_however_they_are_packed() {
    let tar = file(1024, TAR);
    let zstd = zstd::encode_all(tar.as_slice(), 0).unwrap();
    let cases = [
        (tar.clone(), Packing::Plain),
        (gzip(&tar), Packing::Gzip),
        (zstd, Packing::Zstd),
    ];
    for (bytes, packing) in cases {
        assert_eq!(probe_bytes(&bytes).unwrap(), Content::Archive(packing));
    }
    let ovf = b"\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- Generated -->\n<Envelope/>";
    assert_eq!(probe_bytes(ovf).unwrap(), Content::Ovf);
}

#[test]
fn what_is_of_no_use_is_told_apart() {
    let cases: [(&str, Vec<u8>); 22] = [
        ("nothing", Vec::new()),
        ("a page", b"<!DOCTYPE html><html>Not found</html>".to_vec()),
        ("zeros", vec![0; 1 << 16]),
        (
            "a CD",
            file(1 << 16, &[(510, b"\x55\xaa"), (0x8001, b"CD001")]),
        ),
        ("packed raw disk", gzip(&file(1024, &[(510, b"\x55\xaa")]))),
        (
            "half of a packed file",
            gzip(&file(1024, TAR))[..12].to_vec(),
        ),
        ("xz", b"\xfd7zXZ\0".to_vec()),
        ("bzip2", b"BZh91AY".to_vec()),
        ("zip", b"PK\x03\x04".to_vec()),
        ("vhd", b"conectix".to_vec()),
        (
            "fixed vhd",
            file(1536, &[(510, b"\x55\xaa"), (1024, b"conectix")]),
        ),
        ("vhdx", b"vhdxfile".to_vec()),
        ("qcow2 with a backing file", qcow2(&[(8, &[1])])),
        ("encrypted qcow2", qcow2(&[(32, &2_u32.to_be_bytes())])),
        ("qcow2 with a data file", qcow2(&[(79, &[4])])),
        ("qcow2 of tomorrow", qcow2(&[(4, &4_u32.to_be_bytes())])),
        ("qcow2 packed anew", qcow2(&[(79, &[8]), (104, &[2])])),
        ("qcow2 with a huge table", qcow2(&[(36, &[0xff; 4])])),
        ("cut qcow2", qcow2(&[])[..4096].to_vec()),
        ("cut header", b"QFI\xfb\0\0\0\x03".to_vec()),
        (
            "vmdk with a parent",
            b"# Disk DescriptorFile\nparentCID=1a2b3c4d\nRW 1 SPARSE \"a\"".to_vec(),
        ),
        (
            "vmdk of another folder",
            b"# Disk DescriptorFile\nRW 1 FLAT \"../../etc/shadow\" 0".to_vec(),
        ),
    ];
    let answers =
        cases.map(|(what, bytes)| format!("{what}: {}", probe_bytes(&bytes).unwrap_err()));
    insta::assert_snapshot!(answers.join("\n"));
    assert!(matches!(
        probe(Path::new("/nowhere/disk.img")),
        Err(ProbeError::Read(_))
    ));
}

#[test]
fn no_beginning_of_a_header_makes_it_panic() {
    let vdi = file(1024, &[(0x40, &0xbeda_107f_u32.to_le_bytes())]);
    let vmdk = file(64, &[(0, b"KDMV")]);
    for whole in [qcow2(&[]), vdi, vmdk] {
        for length in 0..whole.len().min(600) {
            let _ = probe_bytes(&whole[..length]);
        }
    }
}
