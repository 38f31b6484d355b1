use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use kinstall::bundle::BuildError;
use kinstall::diagnostic::Diagnostic;
use kinstall::download::{Download, DownloadError, Patience, Progress};
use kinstall::resource::Sha256;

use super::server::{Answer, Server};

const QUICK: Patience = Patience {
    stall: Duration::from_millis(200),
    attempts: 3,
    pause: Duration::from_millis(1),
};

fn content() -> Vec<u8> {
    (0..100_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn fetch(server: &Server, folder: &Path) -> (Result<Vec<u8>, DownloadError>, Vec<String>) {
    let retries = Mutex::new(Vec::new());
    let url = format!("{}/file.tgz", server.url);
    let download = Download {
        url: &url,
        digest: &Sha256::of(&content()).into(),
        server: &kinstall::download::Server::default(),
        patience: QUICK,
    };
    let result = download.fetch(folder, &|progress| {
        if let Progress::Retry { reason } = progress {
            retries
                .lock()
                .unwrap()
                .push(reason.replace(&server.url, "http://server"));
        }
    });
    let bytes = result.map(|path| std::fs::read(path).unwrap());
    (bytes, retries.into_inner().unwrap())
}

fn message(error: DownloadError, server: &Server) -> String {
    let diagnostic = Diagnostic::from(BuildError::Download(error));
    let text = format!(
        "{}\nhint: {}",
        diagnostic.message,
        diagnostic.hints.join("\nhint: ")
    );
    text.replace(&server.url, "http://server")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_cut_download_goes_on_where_it_ended() {
    let server = Server::start(vec![
        Answer::Cut(content(), 150_000),
        Answer::Cut(content(), 300_000),
        Answer::Whole(content()),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let (bytes, retries) = fetch(&server, folder.path());
    assert_eq!(bytes.unwrap(), content());
    assert_eq!(retries.len(), 2);
    insta::assert_snapshot!(retries[0], @"`http://server/file.tgz` ended early: 150000 of 400000 bytes");
    let asked = [
        "/file.tgz",
        "/file.tgz bytes=150000-",
        "/file.tgz bytes=300000-",
    ];
    assert_eq!(server.requests(), asked);
    // A second call finds the file and asks nobody.
    assert_eq!(fetch(&server, folder.path()).0.unwrap(), content());
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_later_run_goes_on_with_what_an_earlier_one_left() {
    let folder = tempfile::tempdir().unwrap();
    let broken = Server::start(vec![Answer::Cut(content(), 1000)]);
    assert!(fetch(&broken, folder.path()).0.is_err());
    let server = Server::start(vec![Answer::Whole(content())]);
    assert_eq!(fetch(&server, folder.path()).0.unwrap(), content());
    assert_eq!(server.requests(), ["/file.tgz bytes=1000-"]);
}

#[test]
fn a_server_without_ranges_begins_again() {
    let server = Server::start(vec![
        Answer::Cut(content(), 150_000),
        Answer::WithoutRanges(content()),
    ]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(fetch(&server, folder.path()).0.unwrap(), content());
}

#[test]
fn a_bad_part_of_an_earlier_run_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let partial = folder
        .path()
        .join(format!("{}.part", Sha256::of(&content())));
    for bad in [vec![7; 1000], vec![7; 400_000], vec![7; 500_000]] {
        std::fs::write(&partial, bad).unwrap();
        let server = Server::start(vec![Answer::Whole(content())]);
        assert_eq!(fetch(&server, folder.path()).0.unwrap(), content());
        std::fs::remove_dir_all(folder.path()).unwrap();
        std::fs::create_dir(folder.path()).unwrap();
    }
}

#[test]
fn another_file_than_expected_is_refused_and_removed() {
    let server = Server::start(vec![Answer::Whole(b"something else".to_vec())]);
    let folder = tempfile::tempdir().unwrap();
    let (bytes, retries) = fetch(&server, folder.path());
    assert!(retries.is_empty());
    insta::assert_snapshot!(message(bytes.unwrap_err(), &server));
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_file_that_is_gone_is_not_asked_for_again() {
    let server = Server::start(vec![Answer::Status(404)]);
    let folder = tempfile::tempdir().unwrap();
    let (bytes, _) = fetch(&server, folder.path());
    insta::assert_snapshot!(message(bytes.unwrap_err(), &server));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_busy_server_is_asked_again() {
    let server = Server::start(vec![Answer::Status(503), Answer::Whole(content())]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(fetch(&server, folder.path()).0.unwrap(), content());
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::start(vec![Answer::Silent(content(), 1000)]);
    let folder = tempfile::tempdir().unwrap();
    let (bytes, _) = fetch(&server, folder.path());
    insta::assert_snapshot!(message(bytes.unwrap_err(), &server));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_full_disk_says_so() {
    // /dev/full is a file system of one file: every write fails as on a full disk.
    let folder = tempfile::tempdir().unwrap();
    let partial = folder
        .path()
        .join(format!("{}.part", Sha256::of(&content())));
    std::os::unix::fs::symlink("/dev/full", partial).unwrap();
    let server = Server::start(vec![Answer::Whole(content())]);
    let (bytes, _) = fetch(&server, folder.path());
    let text = message(bytes.unwrap_err(), &server);
    insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "FOLDER"));
}
