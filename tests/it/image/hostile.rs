//! Archives that were made to do harm.

use std::fs;

use tar::EntryType;

use super::make::{Lab, gzip, header, tar};

#[test]
fn entries_that_lead_out_of_the_folder_are_refused() {
    let names = [
        "../outside",
        "a/../../outside",
        "/tmp/kinstall-outside",
        "./../outside",
        r"..\outside",
        "C:outside",
    ];
    for name in names {
        let lab = Lab::new();
        lab.write(
            "bad.box",
            &gzip(&tar(&[("box.ovf", b"<Envelope/>"), (name, b"gotcha")])),
        );
        let message = lab.message(lab.fetch("bad.box").unwrap_err());
        assert!(
            message.contains("its name leads out of the folder"),
            "{name}: {message}"
        );
        assert!(lab.store.list().unwrap().is_empty());
        let outside = [
            lab.path("outside"),
            lab.path("images/outside"),
            lab.path("images/work/outside"),
        ];
        assert!(outside.iter().all(|path| !path.exists()));
        assert!(!std::path::Path::new("/tmp/kinstall-outside").exists());
    }
}

#[test]
fn links_and_devices_are_refused() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
    ] {
        let lab = Lab::new();
        let victim = lab.write("victim", b"whole");
        let mut builder = tar::Builder::new(Vec::new());
        let mut link = header("box.ovf", kind, 0);
        link.set_link_name(&victim).unwrap();
        link.set_cksum();
        builder.append(&link, &b""[..]).unwrap();
        // Would be written through the link.
        builder
            .append(&header("box.ovf", EntryType::Regular, 6), &b"gotcha"[..])
            .unwrap();
        lab.write("bad.box", &builder.into_inner().unwrap());
        let message = lab.message(lab.fetch("bad.box").unwrap_err());
        assert!(message.contains("entry `box.ovf` is refused"), "{message}");
        assert_eq!(fs::read(victim).unwrap(), b"whole");
    }
}

#[test]
fn a_second_file_of_the_same_name_is_refused() {
    let lab = Lab::new();
    lab.write(
        "bad.box",
        &tar(&[
            ("box.ovf", b"<Envelope/>"),
            ("./box.ovf", b"<Envelope></Envelope>"),
        ]),
    );
    insta::assert_snapshot!(lab.message(lab.fetch("bad.box").unwrap_err()));
}

#[test]
fn more_than_the_disk_holds_is_refused_before_it_is_written() {
    let lab = Lab::new();
    let mut huge = header("disk.vmdk", EntryType::Regular, 0);
    huge.set_size(1 << 62);
    huge.set_cksum();
    let mut bytes = huge.as_bytes().to_vec();
    bytes.extend([0; 1024]);
    lab.write("bad.box", &bytes);
    let message = lab.message(lab.fetch("bad.box").unwrap_err());
    assert!(message.contains("there is no room for it"), "{message}");
}

#[test]
fn half_an_archive_is_nothing() {
    let lab = Lab::new();
    let whole = gzip(&tar(&[
        ("metadata.json", b"{}"),
        ("box.ovf", &vec![b'x'; 1 << 16]),
    ]));
    for length in [20, whole.len() / 2, whole.len() - 9] {
        lab.write("bad.box", &whole[..length]);
        assert!(lab.fetch("bad.box").is_err());
        assert!(lab.store.list().unwrap().is_empty());
    }
}
