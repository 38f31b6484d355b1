use kinstall::image::{Compression, DiskFormat, ImageKind};

use super::make::{Lab, convert, raw};

#[test]
fn what_qemu_img_writes_is_recognised() {
    let lab = Lab::new();
    // A size that no rounding to tracks or cylinders leaves alone.
    let disk = lab.write("disk.raw", &raw(7));
    let qcow2 = |compression| DiskFormat::Qcow2 {
        compression,
        empty: false,
    };
    let cases: [(&str, &[&str], DiskFormat); 8] = [
        ("raw", &[], DiskFormat::Raw),
        ("qcow2", &[], qcow2(Compression::Zlib)),
        ("qcow2", &["compat=0.10"], qcow2(Compression::Zlib)),
        (
            "qcow2",
            &["compression_type=zstd"],
            qcow2(Compression::Zstd),
        ),
        ("vmdk", &[], DiskFormat::Vmdk),
        ("vmdk", &["subformat=streamOptimized"], DiskFormat::Vmdk),
        (
            "vmdk",
            &["subformat=twoGbMaxExtentSparse"],
            DiskFormat::Vmdk,
        ),
        ("vdi", &[], DiskFormat::Vdi),
    ];
    for (format, options, expected) in cases {
        let path = convert(&disk, format, options);
        let image = lab.fetch(&path.display().to_string()).unwrap();
        let boot_disk = image.boot_disk();
        assert_eq!(boot_disk.format, expected, "{options:?}");
        assert_eq!(boot_disk.virtual_size, 7 << 20, "{options:?}");
        assert_eq!(boot_disk.path, path.canonicalize().unwrap());
        assert!(image.has_cloud_init());
    }
}

#[test]
fn an_empty_qcow2_is_said_to_be_empty() {
    let lab = Lab::new();
    let path = convert(&lab.write("disk.raw", &vec![0; 1 << 20]), "qcow2", &[]);
    let image = lab.fetch(&path.display().to_string()).unwrap();
    let DiskFormat::Qcow2 { empty, .. } = image.boot_disk().format else {
        panic!("{image:?}");
    };
    assert!(empty);
}

#[test]
fn disks_that_need_others_are_refused() {
    let lab = Lab::new();
    let base = convert(&lab.write("disk.raw", &raw(1)), "qcow2", &[]);
    let overlay = lab.path("overlay.qcow2");
    let status = std::process::Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"])
        .args([&base, &overlay])
        .status();
    assert!(status.unwrap().success());
    let refused = [
        lab.fetch("overlay.qcow2").unwrap_err(),
        lab.fetch(&convert(&base, "vpc", &[]).display().to_string())
            .unwrap_err(),
        lab.fetch(&convert(&base, "vhdx", &[]).display().to_string())
            .unwrap_err(),
        lab.fetch("nothing.img").unwrap_err(),
    ];
    let messages = refused.map(|error| lab.message(error));
    insta::assert_snapshot!(messages.join("\n\n"));
}

#[test]
fn a_disk_of_several_files_is_known_by_all_of_them() {
    let lab = Lab::new();
    let disk = lab.write("disk.raw", &raw(2));
    let path = convert(&disk, "vmdk", &["subformat=monolithicFlat"]);
    let text = path.display().to_string();
    let first = lab.fetch(&text).unwrap();
    assert!(matches!(first.kind, ImageKind::Disk(_)));
    assert_eq!(lab.fetch(&text).unwrap(), first);
    let mut files = std::fs::read_dir(lab.folder.path()).unwrap();
    let extent = files.find_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_string_lossy().into_owned();
        name.starts_with("disk-flat").then_some(path)
    });
    std::fs::write(extent.unwrap(), raw(3)).unwrap();
    assert_ne!(lab.fetch(&text).unwrap().sha256, first.sha256);
}
