use std::io::{self, Read as _, Write as _};

use super::{AgeError, CHUNK, Reader, Writer};
use crate::secret::Secret;

/// Little work, so that tests are fast.
const WORK: u8 = 4;

fn sealed(content: &[u8]) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &Secret::new("open sesame"), WORK).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn opened(file: &[u8], passphrase: &str) -> Result<Vec<u8>, AgeError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Reader::open(file, &Secret::new(passphrase))?.read_to_end(&mut content)?;
        Ok(content)
    };
    read().map_err(|error| *error.get_ref().unwrap().downcast_ref().unwrap())
}

#[test]
fn what_was_sealed_comes_out_again() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
        let content: Vec<u8> = (0..length).map(|it| (it % 251).to_le_bytes()[0]).collect();
        let file = sealed(&content);
        assert_eq!(opened(&file, "open sesame").unwrap(), content, "{length}");
    }
}

#[test]
fn a_file_of_the_age_program_is_opened() {
    let file = include_bytes!("../../tests/fixtures/age/passphrase.age");
    assert_eq!(opened(file, "open sesame").unwrap(), b"geheim\n");
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_refused() {
    let file = sealed(&vec![7; 2 * CHUNK]);
    for length in (0..file.len()).step_by(997).chain([file.len() - 1]) {
        assert!(opened(&file[..length], "open sesame").is_err(), "{length}");
    }
    // At the border of a chunk nothing but the mark of the last one is missing.
    let last = file.len() - CHUNK - 16;
    assert_eq!(opened(&file[..last], "open sesame"), Err(AgeError::Damaged));
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    let file = sealed(&[7; 300]);
    for position in 0..file.len() {
        let mut changed = file.clone();
        changed[position] ^= 1;
        assert!(opened(&changed, "open sesame").is_err(), "{position}");
    }
    let longer = [file, b"x".to_vec()].concat();
    assert_eq!(opened(&longer, "open sesame"), Err(AgeError::Damaged));
}

#[test]
fn what_stays_closed_says_why() {
    let file = sealed(b"x");
    assert_eq!(opened(&file, "other"), Err(AgeError::WrongPassphrase));
    assert_eq!(opened(b"PK\x03\x04", "x"), Err(AgeError::OtherFormat));
    let for_a_key = b"age-encryption.org/v1\n-> X25519 abc\nabc\n--- abc\n";
    assert_eq!(opened(for_a_key, "x"), Err(AgeError::NoPassphrase));
    let costly = b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 40\nAA\n--- AA\n";
    assert_eq!(opened(costly, "x"), Err(AgeError::TooMuchWork { work: 40 }));
}
