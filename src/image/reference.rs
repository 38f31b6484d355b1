//! How an inventory names an image.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::digest::{Algorithm, Digest};

/// Endings by which a text without a leading `./` is known as a path.
const ENDINGS: [&str; 10] = [
    ".box", ".img", ".ova", ".ovf", ".qcow2", ".raw", ".vdi", ".vhd", ".vhdx", ".vmdk",
];

/// The image that a `machine_image` names: `debian-13`, `./disk.qcow2`,
/// `https://host/disk.img#sha256=…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageReference {
    /// Of the catalog, of a box, or one that `image add --name` gave.
    Name(String),
    /// A file of the user's; used where it is.
    File {
        path: PathBuf,
        checksum: Option<Checksum>,
    },
    /// A file of a server's; its hash has to be known.
    Url { url: String, checksum: Checksum },
}

/// What a file is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    Digest(Digest),
    /// A list of hashes that has the file's name in it.
    List(Location),
}

/// Where something lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `http:` or `https:`
    Url(String),
    Path(PathBuf),
}

/// Why a text names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("the name of the machine image is empty")]
    Empty,
    #[error("`{url}` can't be fetched: only http, https and file addresses are understood")]
    Scheme { url: String },
    #[error("`{url}` comes without a hash, so nothing tells if the right file arrives")]
    NoChecksum { url: String },
    #[error("`#{fragment}` is no hash of a machine image")]
    Fragment { fragment: String },
    #[error("a sha1 can be forged: give the sha256 or the sha512")]
    Weak,
    #[error("`{name}` takes no hash: the image of a name is known by its own")]
    NamedWithChecksum { name: String },
}

impl ImageReference {
    /// Reads a reference; relative paths in it start at `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, ReferenceError> {
        let (text, fragment) = match text.trim().split_once('#') {
            Some((text, fragment)) => (text, Some(fragment)),
            None => (text.trim(), None),
        };
        let checksum = fragment
            .map(|fragment| Checksum::parse(fragment, base))
            .transpose()?;
        Self::with_checksum(text, checksum, base)
    }

    /// As [`ImageReference::parse`], where the hash is known from elsewhere.
    pub fn with_checksum(
        text: &str,
        checksum: Option<Checksum>,
        base: &Path,
    ) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if matches!(&checksum, Some(Checksum::Digest(it)) if it.algorithm() == Algorithm::Sha1) {
            return Err(ReferenceError::Weak);
        }
        if is_name(text) {
            let name = text.to_owned();
            return match checksum {
                None => Ok(Self::Name(name)),
                Some(_) => Err(ReferenceError::NamedWithChecksum { name }),
            };
        }
        match (Location::parse(text, base)?, checksum) {
            (Location::Path(path), checksum) => Ok(Self::File { path, checksum }),
            (Location::Url(url), Some(checksum)) => Ok(Self::Url { url, checksum }),
            (Location::Url(url), None) => Err(ReferenceError::NoChecksum { url }),
        }
    }

    /// Returns the last part of the address, of the path, or the name.
    pub fn short_name(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::File { path, .. } => Location::Path(path.clone()).file_name(),
            Self::Url { url, .. } => Location::Url(url.clone()).file_name(),
        }
    }
}

impl Checksum {
    /// Reads `sha256=HEX`, `sha512=HEX`, `sha256sums=LIST` or `sha512sums=LIST`.
    fn parse(fragment: &str, base: &Path) -> Result<Self, ReferenceError> {
        let wrong = || ReferenceError::Fragment {
            fragment: fragment.to_owned(),
        };
        let (key, value) = fragment.split_once('=').ok_or_else(wrong)?;
        if value.is_empty() {
            return Err(wrong());
        }
        match key.to_ascii_lowercase().as_str() {
            "sha256" | "sha512" => {
                let digest: Digest = value.parse().map_err(|_| wrong())?;
                let is_meant = Algorithm::named(key) == Some(digest.algorithm());
                is_meant.then_some(Self::Digest(digest)).ok_or_else(wrong)
            }
            "sha256sums" | "sha512sums" => Ok(Self::List(Location::parse(value, base)?)),
            _ => Err(wrong()),
        }
    }
}

impl Location {
    /// Reads an address or a path; a relative path starts at `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, ReferenceError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::Path(path(text, base)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" if !rest.is_empty() => Ok(Self::Url(text.to_owned())),
            "file" if rest.starts_with('/') => Ok(Self::Path(rest.into())),
            _ => Err(ReferenceError::Scheme { url: text.into() }),
        }
    }

    /// Returns the last part, without what a server is asked besides.
    pub fn file_name(&self) -> String {
        match self {
            Self::Path(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                name.to_string_lossy().into_owned()
            }
            Self::Url(url) => {
                let path = url.split('?').next().unwrap_or(url);
                let name = path.trim_end_matches('/').rsplit('/').next();
                name.unwrap_or(url).to_owned()
            }
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(url) => formatter.write_str(url),
            Self::Path(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// Boxes have a slash in their names, so a slash alone makes no path.
fn is_name(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let starts_as_path = ["/", "./", "../", "~/", ".\\", "..\\", "\\\\"]
        .iter()
        .any(|start| text.starts_with(start));
    let has_drive =
        matches!(text.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    let ends_as_file = ENDINGS.iter().any(|ending| lower.ends_with(ending));
    !(starts_as_path || has_drive || ends_as_file || text.contains("://"))
}

fn path(text: &str, base: &Path) -> PathBuf {
    let below_home = text.strip_prefix("~/");
    let home = || etcetera::choose_base_strategy().ok();
    match below_home.and_then(|rest| Some(home()?.home_dir().join(rest))) {
        Some(path) => path,
        None => base.join(text.strip_prefix("./").unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::{Checksum, ImageReference, Location, ReferenceError};

    fn parse(text: &str) -> Result<ImageReference, ReferenceError> {
        ImageReference::parse(text, Path::new("/lab"))
    }

    #[test]
    fn names_stay_names() {
        let names = [
            "debian-13",
            "ubuntu/bionic64",
            "bento/ubuntu-22.04",
            "centos/7",
            "my image",
        ];
        for name in names {
            assert_eq!(parse(name), Ok(ImageReference::Name(name.into())));
        }
        assert_eq!(
            parse("  debian-13\n"),
            Ok(ImageReference::Name("debian-13".into()))
        );
    }

    #[test]
    fn paths_start_at_the_inventory() {
        let cases = [
            ("disk.qcow2", "/lab/disk.qcow2"),
            ("images/Old.BOX", "/lab/images/Old.BOX"),
            ("./noending", "/lab/noending"),
            ("../disk.vdi", "/lab/../disk.vdi"),
            ("/srv/disk", "/srv/disk"),
            ("file:///srv/disk.img", "/srv/disk.img"),
        ];
        for (text, path) in cases {
            let expected = ImageReference::File {
                path: path.into(),
                checksum: None,
            };
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        let drive = parse(r"C:\images\lab.ova");
        assert!(
            matches!(drive, Ok(ImageReference::File { .. })),
            "{drive:?}"
        );
        let ImageReference::File { path, .. } = parse("~/disk.img").unwrap() else {
            panic!("no path");
        };
        assert!(path.is_absolute() && !path.starts_with("/lab"));
    }

    #[test]
    fn hashes_follow_a_hash_sign() {
        let hash = "AB".repeat(32);
        let digest = || Checksum::Digest(hash.parse().unwrap());
        let url = "https://host/a/disk.img?x=1";
        let with = |checksum| {
            Ok(ImageReference::Url {
                url: url.into(),
                checksum,
            })
        };
        assert_eq!(parse(&format!("{url}#sha256={hash}")), with(digest()));
        let list = Location::Url("https://host/SHA256SUMS".into());
        assert_eq!(
            parse(&format!("{url}#sha256sums=https://host/SHA256SUMS")),
            with(Checksum::List(list))
        );
        let list = Location::Path("/lab/sums".into());
        assert_eq!(
            parse(&format!("{url}#sha512sums=sums")),
            with(Checksum::List(list))
        );
        assert_eq!(
            parse(&format!("disk.img#SHA256={hash}")),
            Ok(ImageReference::File {
                path: "/lab/disk.img".into(),
                checksum: Some(digest())
            })
        );
        assert_eq!(
            parse(&format!("{url}#sha256={hash}")).unwrap().short_name(),
            "disk.img"
        );
    }

    #[test]
    fn wrong_texts_are_told_apart() {
        let hash = "ab".repeat(32);
        let wrong = [
            "",
            "#sha256=00",
            "ftp://host/disk.img",
            "file://host/disk.img",
            "https://",
            "https://host/disk.img",
            "https://host/disk.img#md5=d41d8cd98f00b204e9800998ecf8427e",
            "https://host/disk.img#sha256=12",
            &format!("https://host/disk.img#sha512={hash}"),
            "https://host/disk.img#sha256sums=",
            &format!("debian-13#sha256={hash}"),
        ];
        let messages = wrong.map(|text| format!("{text}\n  {}", parse(text).unwrap_err()));
        insta::assert_snapshot!(messages.join("\n"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
