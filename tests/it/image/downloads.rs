use std::fs;
use std::path::Path;

use kinstall::digest::{Algorithm, of_reader};
use kinstall::resource::Sha256;

use super::make::{Lab, catalog, disk, gzip, ovf, tar};
use crate::bundle::server::{Answer, Server};

fn qcow2() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    disk(folder.path(), "qcow2", &[])
}

fn with_hash(server: &Server, bytes: &[u8]) -> String {
    format!("{}/disk.img#sha256={}", server.url, Sha256::of(bytes))
}

#[test]
fn an_image_is_downloaded_once() {
    let bytes = qcow2();
    let server = Server::start(vec![Answer::Whole(bytes.clone())]);
    let lab = Lab::new();
    let text = with_hash(&server, &bytes);
    assert_eq!(lab.store.find(&lab.reference(&text)).unwrap(), None);
    let image = lab.fetch(&text).unwrap();
    assert_eq!(fs::read(&image.boot_disk().path).unwrap(), bytes);
    let folder = lab.path("images").join(image.sha256.to_string());
    assert_eq!(image.boot_disk().path, folder.join("disk.qcow2"));
    assert_eq!(lab.fetch(&text).unwrap(), image);
    assert_eq!(lab.store.find(&lab.reference(&text)).unwrap(), Some(image));
    assert_eq!(server.requests(), ["/disk.img"]);
    assert_eq!(lab.left().len(), 2, "{:?}", lab.left());
}

#[test]
fn a_download_that_breaks_goes_on() {
    let bytes = qcow2();
    let half = bytes.len() / 2;
    let broken = Server::start(vec![Answer::Cut(bytes.clone(), half)]);
    let lab = Lab::new();
    let error = lab.fetch(&with_hash(&broken, &bytes)).unwrap_err();
    let message = lab.message(error).replace(&broken.url, "http://server");
    insta::assert_snapshot!(
        message
            .replace(&half.to_string(), "HALF")
            .replace(&bytes.len().to_string(), "ALL")
    );
    // What came is kept, and isn't taken for an image.
    assert!(lab.store.list().unwrap().is_empty());
    assert!(
        Path::new(&lab.left()[0])
            .extension()
            .is_some_and(|it| it == "part")
    );
    let server = Server::start(vec![Answer::Whole(bytes.clone())]);
    let image = lab.fetch(&with_hash(&server, &bytes)).unwrap();
    assert_eq!(server.requests(), [format!("/disk.img bytes={half}-")]);
    assert_eq!(fs::read(&image.boot_disk().path).unwrap(), bytes);
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let bytes = qcow2();
    let cut = Answer::Cut(bytes.clone(), 1000);
    let server = Server::start(vec![cut, Answer::WithoutRanges(bytes.clone())]);
    let lab = Lab::new();
    let image = lab.fetch(&with_hash(&server, &bytes)).unwrap();
    assert_eq!(fs::read(&image.boot_disk().path).unwrap(), bytes);
}

#[test]
fn another_file_than_expected_leaves_nothing() {
    let (bytes, other) = (qcow2(), b"something else".to_vec());
    let server = Server::start(vec![Answer::Whole(other)]);
    let lab = Lab::new();
    let error = lab.fetch(&with_hash(&server, &bytes)).unwrap_err();
    let message = lab.message(error).replace(&server.url, "http://server");
    insta::assert_snapshot!(message.replace(&Sha256::of(&bytes).to_string(), "EXPECTED"));
    assert!(lab.left().is_empty(), "{:?}", lab.left());
}

#[test]
fn the_right_file_that_is_no_image_leaves_nothing() {
    let page = b"<html>Login to the hotel's network</html>".to_vec();
    let server = Server::start(vec![Answer::Whole(page.clone())]);
    let lab = Lab::new();
    let error = lab.fetch(&with_hash(&server, &page)).unwrap_err();
    insta::assert_snapshot!(lab.message(error));
    assert!(lab.left().is_empty(), "{:?}", lab.left());
}

#[test]
fn the_hash_can_stand_in_a_list() {
    let bytes = qcow2();
    let list = format!(
        "{}  other.img\n{} *disk.img\n",
        Sha256::of(b"x"),
        Sha256::of(&bytes)
    );
    let server = Server::start(vec![
        Answer::Whole(list.into_bytes()),
        Answer::Whole(bytes.clone()),
    ]);
    let lab = Lab::new();
    let text = format!("{0}/disk.img?token=1#sha256sums={0}/SHA256SUMS", server.url);
    let image = lab.fetch(&text).unwrap();
    assert_eq!(image.sha256, Sha256::of(&bytes));
    // Neither the list nor the file is asked for again: the lab stays what it is.
    assert_eq!(lab.fetch(&text).unwrap(), image);
    assert_eq!(server.requests(), ["/SHA256SUMS", "/disk.img?token=1"]);

    // A list on this computer does as well, and the image is known by its hash.
    lab.write(
        "sums",
        format!("SHA256 (disk.img) = {}", Sha256::of(&bytes)).as_bytes(),
    );
    let elsewhere = Server::start(vec![Answer::Status(500)]);
    let text = format!("{}/disk.img#sha256sums=sums", elsewhere.url);
    assert_eq!(lab.fetch(&text).unwrap(), image);
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_list_without_the_file_is_no_reason_to_download() {
    let lab = Lab::new();
    let lists = [
        format!("{}  other.img\n", Sha256::of(b"x")),
        "<html>404</html>".to_owned(),
        format!(
            "{}  disk.img\n{}  ./disk.img\n",
            Sha256::of(b"x"),
            Sha256::of(b"y")
        ),
    ];
    let messages = lists.map(|list| {
        let server = Server::start(vec![Answer::Whole(list.into_bytes())]);
        let text = format!("{0}/disk.img#sha256sums={0}/SHA256SUMS", server.url);
        let message = lab.message(lab.fetch(&text).unwrap_err());
        assert_eq!(server.requests(), ["/SHA256SUMS"]);
        message.replace(&server.url, "http://server")
    });
    let gone = Server::start(vec![Answer::Status(404)]);
    let text = format!("{0}/disk.img#sha256sums={0}/SHA256SUMS", gone.url);
    let gone_message = lab
        .message(lab.fetch(&text).unwrap_err())
        .replace(&gone.url, "http://server");
    insta::assert_snapshot!([messages.join("\n\n"), gone_message].join("\n\n"));
}

#[test]
fn an_image_of_the_catalog_comes_from_the_first_address_that_has_it() {
    let bytes = qcow2();
    let sha512 = of_reader(Algorithm::Sha512, bytes.as_slice()).unwrap();
    let first = Server::start(vec![Answer::Status(404)]);
    let second = Server::start(vec![Answer::Whole(bytes.clone())]);
    let urls = [
        format!("{}/a.img", first.url),
        format!("{}/b.img", second.url),
    ];
    let lab = Lab::with_catalog(catalog(&urls, &sha512.to_string()));
    let image = lab.fetch("lab-1").unwrap();
    assert_eq!(image.sha256, Sha256::of(&bytes));
    assert_eq!(image.name.as_deref(), Some("lab-1"));
    assert_eq!(image.user.as_deref(), Some("worker"));
    lab.told();
    // An old name leads to the same, with a word about it.
    assert_eq!(lab.fetch("old/lab").unwrap(), image);
    insta::assert_snapshot!(lab.told().join("\n"), @r#"Notice("`old/lab` is end of life; `lab-1` (Lab 1) takes its place")"#);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
}

#[test]
fn a_newer_kinstall_fetches_its_own_build() {
    let (old, new) = (qcow2(), super::make::raw(1));
    let server = Server::start(vec![Answer::Whole(old.clone()), Answer::Whole(new.clone())]);
    let urls = [format!("{}/a.img", server.url)];
    let lab = Lab::with_catalog(catalog(&urls, &Sha256::of(&old).to_string()));
    let first = lab.fetch("lab-1").unwrap();
    let newer = lab.upgraded(catalog(&urls, &Sha256::of(&new).to_string()));
    let second = newer.fetch(&lab.reference("lab-1"), &|_, _| {}).unwrap();
    assert_ne!(first.sha256, second.sha256);
    let outdated = newer.list().unwrap().into_iter().filter(|it| it.outdated);
    let outdated: Vec<Sha256> = outdated.map(|it| it.image.sha256).collect();
    assert_eq!(outdated, [first.sha256]);
    let report = |_: &str, _: kinstall::image::Progress<'_>| {};
    let error = newer.remove("lab-1", &report).unwrap_err();
    let message = lab.message(error);
    assert!(
        message.contains("is the name of several images"),
        "{message}"
    );
    newer.remove(&first.sha256.to_string(), &report).unwrap();
    newer.remove("lab-1", &report).unwrap();
}

#[test]
fn a_build_that_its_publisher_removed_has_a_successor() {
    let gone = Server::start(vec![Answer::Status(404)]);
    let urls = [format!("{}/a.img", gone.url), format!("{}/b.img", gone.url)];
    let lab = Lab::with_catalog(catalog(&urls, &Sha256::of(b"x").to_string()));
    let message = lab.message(lab.fetch("lab-1").unwrap_err());
    let message = message.replace(&gone.url, "http://server");
    insta::assert_snapshot!(
        message
            .replace("amd64", "ARCHITECTURE")
            .replace("arm64", "ARCHITECTURE")
    );
}

#[test]
fn a_file_that_the_user_brought_is_the_catalogs_too() {
    let bytes = qcow2();
    let sha512 = of_reader(Algorithm::Sha512, bytes.as_slice()).unwrap();
    let unreachable = Server::start(vec![Answer::Status(500)]);
    let lab = Lab::with_catalog(catalog(
        &[format!("{}/a.img", unreachable.url)],
        &sha512.to_string(),
    ));
    lab.write("usb-stick.img", &bytes);
    let brought = lab.fetch("usb-stick.img").unwrap();
    assert_eq!(lab.fetch("lab-1").unwrap(), brought);
    assert_eq!(brought.user.as_deref(), Some("worker"));
    assert!(unreachable.requests().is_empty());
}

#[test]
fn a_downloaded_box_is_kept_unpacked_only() {
    let folder = tempfile::tempdir().unwrap();
    let vmdk = disk(folder.path(), "vmdk", &["subformat=streamOptimized"]);
    let bytes = gzip(&tar(&[
        ("box.ovf", ovf(&["disk.vmdk"]).as_bytes()),
        ("disk.vmdk", &vmdk),
    ]));
    let server = Server::start(vec![Answer::Whole(bytes.clone())]);
    let lab = Lab::new();
    let image = lab.fetch(&with_hash(&server, &bytes)).unwrap();
    assert_eq!(image.user.as_deref(), Some("vagrant"));
    let folder = image.sha256.to_string();
    let files = ["box.ovf", "disk.vmdk", "image.json"].map(|name| format!("{folder}/{name}"));
    assert_eq!(lab.left(), files);
}

#[test]
fn many_at_once_download_once() {
    let bytes = qcow2();
    let server = Server::start(vec![Answer::Whole(bytes.clone())]);
    let lab = Lab::new();
    let text = with_hash(&server, &bytes);
    let images = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| lab.fetch(&text).unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|it| it.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(images.iter().all(|it| *it == images[0]));
    assert_eq!(server.requests(), ["/disk.img"]);
}
