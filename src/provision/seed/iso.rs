//! Writes small ISO 9660 images: one folder, Rock Ridge names, the same bytes each time.
//!
//! ECMA-119 and the Rock Ridge Interchange Protocol (IEEE P1282) name all fields. Linux reads Rock
//! Ridge wherever it reads ISO 9660, which isn't so for Joliet.

const SECTOR: usize = 2048;
const SECTOR_SIZE: u32 = 2048;

/// Sectors in their order; the files follow the folder.
const VOLUME: u32 = 16;
const PATHS_LITTLE: u32 = 18;
const PATHS_BIG: u32 = 19;
const FOLDER: u32 = 20;

/// Size of the table of folders: one folder.
const PATHS_SIZE: u32 = 10;

/// POSIX modes of the folder and its files: there is a key among them.
const FOLDER_MODE: u32 = 0o040_500;
const FILE_MODE: u32 = 0o100_400;

/// 1 January 1970: years since 1900, month, day, time, time zone.
const DATE: [u8; 7] = [70, 1, 1, 0, 0, 0, 0];

/// "Not set", as the volume's dates are written.
const NO_DATE: &[u8; 17] = b"0000000000000000\0";

/// Makes an image of files, given in the order of their names. All must fit into one sector's worth
/// of folder: about 15 files.
pub fn image(label: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut folder = own_record(0, true);
    folder.extend(own_record(1, false));
    let mut next = FOLDER + 1;
    for (name, contents) in files {
        folder.extend(file_record(name, next, size(contents)));
        next += sectors(contents);
    }
    let mut image = vec![0; VOLUME as usize * SECTOR];
    push(&mut image, &volume(label, next));
    push(&mut image, b"\xffCD001\x01");
    push(
        &mut image,
        &paths(FOLDER.to_le_bytes(), 1_u16.to_le_bytes()),
    );
    push(
        &mut image,
        &paths(FOLDER.to_be_bytes(), 1_u16.to_be_bytes()),
    );
    push(&mut image, &folder);
    for (_, contents) in files {
        push(&mut image, contents);
    }
    image
}

/// Adds bytes, and zeros up to the next sector.
fn push(image: &mut Vec<u8>, bytes: &[u8]) {
    image.extend(bytes);
    image.resize(image.len().next_multiple_of(SECTOR), 0);
}

/// The primary volume descriptor.
fn volume(label: &str, sectors: u32) -> Vec<u8> {
    let mut volume = b"\x01CD001\x01\0".to_vec();
    let text = |volume: &mut Vec<u8>, text: &str, width| {
        volume.extend(format!("{text:width$}").bytes());
    };
    text(&mut volume, "", 32);
    text(&mut volume, label, 32);
    volume.extend([0; 8]);
    volume.extend(both(sectors));
    volume.extend([0; 32]);
    // The first volume of a set of one, and the size of a sector.
    volume.extend(both_short(1));
    volume.extend(both_short(1));
    volume.extend([0x00, 0x08, 0x08, 0x00]);
    volume.extend(both(PATHS_SIZE));
    volume.extend(PATHS_LITTLE.to_le_bytes());
    volume.extend([0; 4]);
    volume.extend(PATHS_BIG.to_be_bytes());
    volume.extend([0; 4]);
    volume.extend(record(&[0], FOLDER, SECTOR_SIZE, true, &[]));
    // Set, publisher, preparer, application; copyright, abstract, bibliography.
    text(&mut volume, "", 4 * 128 + 3 * 37);
    for _ in 0..4 {
        volume.extend(NO_DATE);
    }
    // Version of the layout.
    volume.push(1);
    volume
}

/// The table of folders, in one of the two byte orders.
fn paths(folder: [u8; 4], parent: [u8; 2]) -> Vec<u8> {
    [&[1, 0][..], &folder, &parent, &[0, 0]].concat()
}

/// The folder's entry for itself (0) or its parent (1).
fn own_record(name: u8, is_first: bool) -> Vec<u8> {
    let mut extra = Vec::new();
    if is_first {
        // "There is Rock Ridge here."
        extra.extend(b"SP\x07\x01\xbe\xef\0");
    }
    extra.extend(posix(FOLDER_MODE, 2));
    if is_first {
        extra.extend(b"ER\x12\x01\x0a\0\0\x01RRIP_1991A");
    }
    record(&[name], FOLDER, SECTOR_SIZE, true, &extra)
}

fn file_record(name: &str, sector: u32, size: u32) -> Vec<u8> {
    let mut extra = posix(FILE_MODE, 1);
    let length = u8::try_from(5 + name.len()).unwrap_or(u8::MAX);
    extra.extend([b'N', b'M', length, 1, 0]);
    extra.extend(name.bytes());
    record(plain_name(name).as_bytes(), sector, size, false, &extra)
}

/// An entry of the folder.
fn record(name: &[u8], sector: u32, size: u32, is_folder: bool, extra: &[u8]) -> Vec<u8> {
    let mut record = vec![0, 0];
    record.extend(both(sector));
    record.extend(both(size));
    record.extend(DATE);
    record.extend([if is_folder { 2 } else { 0 }, 0, 0]);
    record.extend(both_short(1));
    record.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    record.extend(name);
    // What follows begins, and the next entry as well, at an even byte.
    record.resize(record.len().next_multiple_of(2), 0);
    record.extend(extra);
    record.resize(record.len().next_multiple_of(2), 0);
    record[0] = u8::try_from(record.len()).unwrap_or(u8::MAX);
    record
}

/// Rock Ridge's mode, links, user and group.
fn posix(mode: u32, links: u32) -> Vec<u8> {
    let fields = [mode, links, 0, 0].map(both).concat();
    [&b"PX\x24\x01"[..], &fields].concat()
}

/// The name for those who don't know Rock Ridge: `USER_DAT.;1`.
fn plain_name(name: &str) -> String {
    let name: String = name
        .to_uppercase()
        .replace('-', "_")
        .chars()
        .take(8)
        .collect();
    format!("{name}.;1")
}

/// A number in both byte orders.
fn both(number: u32) -> [u8; 8] {
    (u64::from(number.swap_bytes()) << 32 | u64::from(number)).to_le_bytes()
}

fn both_short(number: u16) -> [u8; 4] {
    (u32::from(number.swap_bytes()) << 16 | u32::from(number)).to_le_bytes()
}

/// Documents are a few KiB.
fn size(contents: &[u8]) -> u32 {
    u32::try_from(contents.len()).unwrap_or(u32::MAX)
}

fn sectors(contents: &[u8]) -> u32 {
    size(contents).div_ceil(SECTOR_SIZE)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use crate::resource::Sha256;

    use super::image;

    const FILES: [(&str, &[u8]); 3] = [
        ("meta-data", b"one"),
        ("network-config", &[b'n'; 2049]),
        ("user-data", b"three"),
    ];

    #[test]
    fn the_bytes() {
        let image = image("cidata", &FILES);
        assert_eq!(image.len(), 25 * 2048);
        // The folder, then all of it; what is behind the hash was read back by the test below.
        insta::assert_snapshot!(image[20 * 2048..21 * 2048].trim_ascii_end().escape_ascii());
        let hash = Sha256::of(&image).to_string();
        insta::assert_snapshot!(hash, @"6466fdf29ed646d1199a0b7b2b34b80eafe92f4ce3470d67c3c08d3d294c43e6");
    }

    #[test]
    fn others_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seed.iso");
        std::fs::write(&path, image("cidata", &FILES)).unwrap();
        let isoinfo = |arguments: &[&str]| {
            let output = Command::new("isoinfo")
                .arg("-i")
                .arg(&path)
                .args(arguments)
                .output()
                .expect("isoinfo is needed: `./setup tests` installs it");
            String::from_utf8(output.stdout).unwrap()
        };
        let volume = isoinfo(&["-d"]);
        assert!(volume.contains("Volume id: cidata\n"), "{volume}");
        assert!(
            volume.contains("Rock Ridge signatures version 1 found"),
            "{volume}"
        );
        for (name, contents) in FILES {
            let read = isoinfo(&["-R", "-x", &format!("/{name}")]);
            assert_eq!(read.as_bytes(), contents, "{name}");
        }
    }
}
