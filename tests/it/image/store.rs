use std::fs;

use kinstall::image::ImageStore;
use kinstall::resource::Sha256;

use super::make::{Lab, convert, raw};

#[test]
fn a_disk_of_the_users_stays_where_it_is() {
    let lab = Lab::new();
    let path = lab.write("disk.raw", &raw(1));
    let image = lab.fetch("disk.raw").unwrap();
    assert_eq!(lab.told(), ["Hashing"]);
    assert_eq!(image.boot_disk().path, path.canonicalize().unwrap());
    assert_eq!(image.sha256, Sha256::of(&raw(1)));
    assert_eq!(lab.left(), [format!("{}/image.json", image.sha256)]);
    // Known again without being read, also by another program.
    let other = ImageStore::at(lab.path("images")).unwrap();
    assert_eq!(
        other.find(&lab.reference("./disk.raw")).unwrap(),
        Some(image.clone())
    );
    assert_eq!(lab.fetch("disk.raw").unwrap(), image);
    assert!(lab.told().is_empty());
    // Another content is another image.
    lab.write("disk.raw", &raw(2));
    let changed = lab.fetch("disk.raw").unwrap();
    assert_eq!(changed.sha256, Sha256::of(&raw(2)));
    // Removed from the store, not from the user.
    lab.remove(&changed.sha256.to_string()[..8]).unwrap();
    assert!(path.exists());
}

#[test]
fn a_hash_is_held_against_files_of_the_users_too() {
    let lab = Lab::new();
    lab.write("disk.raw", &raw(1));
    let right = format!("disk.raw#sha256={}", Sha256::of(&raw(1)));
    let wrong = format!("disk.raw#sha256={}", Sha256::of(b"another"));
    lab.fetch(&right).unwrap();
    insta::assert_snapshot!(lab.message(lab.fetch(&wrong).unwrap_err()));
    lab.write(
        "sums",
        format!("{}  ./out/disk.raw", Sha256::of(&raw(1))).as_bytes(),
    );
    lab.fetch("disk.raw#sha256sums=sums").unwrap();
}

#[test]
fn names_lead_to_the_image_that_got_them_last() {
    let lab = Lab::new();
    let path = lab.write("a.raw", &raw(1));
    lab.write("b.raw", &raw(2));
    let a = lab.add("a.raw", "ubuntu/bionic64").unwrap();
    assert_eq!(a.name.as_deref(), Some("ubuntu/bionic64"));
    assert_eq!(lab.fetch("ubuntu/bionic64").unwrap(), a);
    let b = lab.add("b.raw", "ubuntu/bionic64").unwrap();
    assert_eq!(lab.fetch("ubuntu/bionic64").unwrap(), b);
    assert_eq!(lab.fetch("a.raw").unwrap().name, None);
    // A name for what is here already.
    lab.add("a.raw", "again").unwrap();
    fs::remove_file(path).unwrap();
    let messages = [
        lab.add("b.raw", "lab-1").unwrap_err(),
        lab.add("b.raw", "x.img").unwrap_err(),
        lab.add("b.raw", "https://host/x").unwrap_err(),
        lab.fetch("again").unwrap_err(),
        lab.fetch("agian").unwrap_err(),
        lab.fetch("acme/machine").unwrap_err(),
    ]
    .map(|error| lab.message(error));
    insta::assert_snapshot!(messages.join("\n\n"));
}

#[test]
fn an_image_in_use_is_not_removed() {
    let lab = Lab::new();
    lab.write("disk.raw", &raw(1));
    let image = lab.add("disk.raw", "mine").unwrap();
    let folders = ["one", "two"].map(|name| lab.path(name));
    for folder in &folders {
        fs::create_dir(folder).unwrap();
        lab.store.use_by(&image, folder).unwrap();
        lab.store.use_by(&image, folder).unwrap();
    }
    insta::assert_snapshot!(lab.message(lab.remove("mine").unwrap_err()));
    lab.store.release(&folders[0]).unwrap();
    assert_eq!(lab.store.list().unwrap()[0].labs, [folders[1].clone()]);
    // A lab that was deleted by hand holds nothing.
    fs::remove_dir(&folders[1]).unwrap();
    assert_eq!(lab.remove("mine").unwrap(), image);
    assert!(lab.left().is_empty(), "{:?}", lab.left());
    insta::assert_snapshot!(lab.message(lab.remove("mine").unwrap_err()));
}

#[test]
fn what_a_dead_kinstall_left_does_no_harm() {
    let lab = Lab::new();
    let path = convert(&lab.write("disk.raw", &raw(1)), "qcow2", &[]);
    let text = path.display().to_string();
    let sha256 = Sha256::of(&fs::read(&path).unwrap());
    // Killed while unpacking, while removing, and by a power failure in the middle of a write.
    let folder = lab.path("images").join(sha256.to_string());
    fs::create_dir_all(lab.path("images/work").join(sha256.to_string())).unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("disk.qcow2"), b"half").unwrap();
    for record in ["", "{\"format\": 1"] {
        fs::write(folder.join("image.json"), record).unwrap();
        assert!(lab.store.list().unwrap().is_empty());
    }
    let image = lab.fetch(&text).unwrap();
    assert_eq!(image.boot_disk().path, path.canonicalize().unwrap());
    assert_eq!(lab.left(), [format!("{sha256}/image.json")]);
}

#[test]
fn a_damaged_image_is_made_again_and_keeps_its_users() {
    use crate::bundle::server::{Answer, Server};
    let lab = Lab::new();
    let bytes = raw(1);
    let server = Server::start(vec![Answer::Whole(bytes.clone())]);
    let text = format!("{}/disk.img#sha256={}", server.url, Sha256::of(&bytes));
    let image = lab.add(&text, "mine").unwrap();
    let folder = lab.path("lab");
    fs::create_dir(&folder).unwrap();
    lab.store.use_by(&image, &folder).unwrap();
    fs::write(&image.boot_disk().path, b"half").unwrap();
    assert!(!lab.store.list().unwrap()[0].whole);
    assert_eq!(lab.fetch(&text).unwrap(), image);
    assert_eq!(fs::read(&image.boot_disk().path).unwrap(), bytes);
    assert_eq!(lab.store.list().unwrap()[0].labs, [folder]);
    assert_eq!(server.requests().len(), 2);
}

/// It may be in use: nothing is made in its place.
#[test]
fn an_image_that_a_newer_kinstall_stored_is_refused() {
    let lab = Lab::new();
    lab.write("disk.raw", &raw(1));
    let image = lab.fetch("disk.raw").unwrap();
    let record = lab.path(&format!("images/{}/image.json", image.sha256));
    let newer = r#"{"format": 2, "what a newer kinstall keeps": []}"#;
    fs::write(&record, newer).unwrap();
    insta::assert_snapshot!(lab.message(lab.fetch("disk.raw").unwrap_err()));
    assert!(lab.store.list().is_err());
    assert_eq!(fs::read_to_string(record).unwrap(), newer);
}
