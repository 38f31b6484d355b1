use std::fs;

use kinstall::image::{BoxProvider, DiskFormat, ImageKind};
use kinstall::resource::Sha256;

use super::make::{Lab, disk, gzip, ovf, tar};

const VAGRANTFILE: &[u8] =
    b"Vagrant.configure(\"2\") do |config|\n  config.vm.base_mac = \"080027d14c66\"\nend\n";

#[test]
fn a_box_is_unpacked_once() {
    let lab = Lab::new();
    let vmdk = disk(lab.folder.path(), "vmdk", &["subformat=streamOptimized"]);
    let ovf = ovf(&["box-disk001.vmdk"]);
    let entries: [(&str, &[u8]); 5] = [
        (
            "./metadata.json",
            br#"{"provider": "virtualbox", "architecture": "amd64"}"#,
        ),
        ("./Vagrantfile", VAGRANTFILE),
        ("./include/_Vagrantfile", b"# more"),
        ("./box.ovf", ovf.as_bytes()),
        ("./box-disk001.vmdk", &vmdk),
    ];
    let plain = tar(&entries);
    let zstd = zstd::encode_all(plain.as_slice(), 0).unwrap();
    for (name, bytes) in [
        ("plain.box", plain.clone()),
        ("gzip.box", gzip(&plain)),
        ("zstd.box", zstd),
    ] {
        let path = lab.write(name, &bytes);
        let image = lab.fetch(name).unwrap();
        assert_eq!(lab.told(), ["Hashing", "Unpacking"]);
        assert_eq!(image.sha256, Sha256::of(&bytes));
        assert_eq!(image.user.as_deref(), Some("vagrant"));
        assert!(!image.has_cloud_init());
        let ImageKind::Box(it) = &image.kind else {
            panic!("{image:?}");
        };
        assert_eq!(it.provider, BoxProvider::VirtualBox);
        assert_eq!(it.base_mac.as_deref(), Some("080027D14C66"));
        let folder = lab.path("images").join(image.sha256.to_string());
        assert_eq!(
            it.appliance.ovf.as_deref(),
            Some(folder.join("box.ovf").as_path())
        );
        assert_eq!(fs::read(&image.boot_disk().path).unwrap(), vmdk);
        assert_eq!(image.boot_disk().format, DiskFormat::Vmdk);
        assert_eq!(image.boot_disk().virtual_size, 4 << 20);
        // The second time the file isn't even read.
        assert_eq!(lab.fetch(name).unwrap(), image);
        assert_eq!(lab.told(), Vec::<String>::new());
        // What was touched is read, but not unpacked again.
        fs::write(&path, &bytes).unwrap();
        assert_eq!(lab.fetch(name).unwrap(), image);
        assert_eq!(lab.told(), ["Hashing"]);
    }
}

#[test]
fn a_box_of_libvirt_holds_a_qcow2() {
    let lab = Lab::new();
    let qcow2 = disk(lab.folder.path(), "qcow2", &[]);
    let metadata: &[u8] = br#"{"provider": "libvirt", "format": "qcow2", "virtual_size": 1}"#;
    lab.write(
        "a.box",
        &gzip(&tar(&[("metadata.json", metadata), ("box.img", &qcow2)])),
    );
    let metadata: &[u8] =
        br#"{"provider": "libvirt", "disks": [{"path": "system.qcow2"}, {"path": "data.qcow2"}]}"#;
    let entries: [(&str, &[u8]); 4] = [
        ("metadata.json", metadata),
        ("data.qcow2", &qcow2),
        ("system.qcow2", &qcow2),
        ("Vagrantfile", b"config.ssh.username = 'admin'"),
    ];
    lab.write("b.box", &gzip(&tar(&entries)));
    for (name, user, disks) in [
        ("a.box", "vagrant", vec!["box.img"]),
        ("b.box", "admin", vec!["system.qcow2", "data.qcow2"]),
    ] {
        let image = lab.fetch(name).unwrap();
        let ImageKind::Box(it) = &image.kind else {
            panic!("{image:?}");
        };
        assert_eq!(
            (it.provider, it.user.as_str()),
            (BoxProvider::Libvirt, user)
        );
        assert_eq!(it.appliance.ovf, None);
        let all = std::iter::once(&it.appliance.disk).chain(&it.appliance.further_disks);
        let names: Vec<_> = all
            .map(|disk| disk.path.file_name().unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, disks);
    }
}

#[test]
fn an_appliance_is_checked_against_its_manifest() {
    let lab = Lab::new();
    let vmdk = disk(lab.folder.path(), "vmdk", &["subformat=streamOptimized"]);
    let ovf = ovf(&["disk.vmdk"]);
    let sha1 = |_: &[u8]| "a9993e364706816aba3e25717850c26c9cd0d89d".to_owned();
    let good = format!(
        "SHA256(lab.ovf)= {}\nSHA256(disk.vmdk)= {}\n",
        Sha256::of(ovf.as_bytes()),
        Sha256::of(&vmdk)
    );
    // As VirtualBox writes it by default; this one is of `abc`.
    let bad = format!("SHA1 (disk.vmdk) = {}\n", sha1(&vmdk));
    let ova = |manifest: &str| {
        tar(&[
            ("lab.ovf", ovf.as_bytes()),
            ("lab.mf", manifest.as_bytes()),
            ("disk.vmdk", &vmdk),
        ])
    };
    lab.write("good.ova", &ova(&good));
    let image = lab.fetch("good.ova").unwrap();
    assert!(matches!(image.kind, ImageKind::Appliance(_)), "{image:?}");
    assert_eq!(image.user, None);
    lab.write("bad.ova", &ova(&bad));
    insta::assert_snapshot!(lab.message(lab.fetch("bad.ova").unwrap_err()));
    let stored = lab.left();
    assert!(
        stored
            .iter()
            .all(|it| it.starts_with(&image.sha256.to_string())),
        "{stored:?}"
    );

    // The same files without an archive around them are used where they are.
    lab.write("lab.ovf", ovf.as_bytes());
    lab.write("lab.mf", good.as_bytes());
    let path = lab.write("disk.vmdk", &vmdk);
    let beside = lab.fetch("lab.ovf").unwrap();
    assert_eq!(beside.boot_disk().path, path.canonicalize().unwrap());
    assert_eq!(lab.fetch("lab.ovf").unwrap(), beside);
    lab.write("lab.mf", bad.as_bytes());
    assert!(lab.fetch("lab.ovf").is_err());
}

#[test]
fn boxes_of_no_use_are_told_apart() {
    let lab = Lab::new();
    let vmdk = disk(lab.folder.path(), "vmdk", &[]);
    let with_ovf = ovf(&["disk.vmdk"]);
    let of: fn(&str) -> Vec<u8> =
        |provider| format!("{{\"provider\": \"{provider}\"}}").into_bytes();
    let boxes: [(&str, Vec<u8>); 8] = [
        (
            "vmware.box",
            tar(&[("metadata.json", &of("vmware_desktop"))]),
        ),
        (
            "no-ovf.box",
            tar(&[("metadata.json", &of("virtualbox")), ("disk.vmdk", &vmdk)]),
        ),
        ("no-disk.box", tar(&[("box.ovf", with_ovf.as_bytes())])),
        ("no-image.box", tar(&[("metadata.json", &of("libvirt"))])),
        (
            "bad-disk.box",
            tar(&[("box.ovf", with_ovf.as_bytes()), ("disk.vmdk", b"nothing")]),
        ),
        (
            "bad-ovf.box",
            tar(&[("box.ovf", b"<Envelope"), ("disk.vmdk", &vmdk)]),
        ),
        ("bad-metadata.box", tar(&[("metadata.json", b"{")])),
        ("anything.tar", tar(&[("README", b"hello")])),
    ];
    let messages = boxes.map(|(name, bytes)| {
        lab.write(name, &bytes);
        lab.message(lab.fetch(&format!("./{name}")).unwrap_err())
    });
    insta::assert_snapshot!(messages.join("\n\n"));
    assert!(lab.store.list().unwrap().is_empty());
}
