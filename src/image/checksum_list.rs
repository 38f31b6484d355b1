//! Lists of hashes as publishers put them beside their files.

use crate::digest::{Algorithm, Digest};

/// A list in the form of `sha256sum` (`HASH  NAME`), of BSD and `--tag` (`SHA256 (NAME) = HASH`), of
/// OVF manifests (`SHA256(NAME)= HASH`), or a single hash. Lines of other kinds, such as those of a
/// signature, are passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecksumList {
    entries: Vec<(Option<String>, Digest)>,
}

/// Why a list tells no hash for a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unlisted {
    #[error("it holds no hash at all")]
    Empty,
    #[error("`{file}` isn't in it")]
    Missing { file: String, names: Vec<String> },
    #[error("it has two hashes for `{file}`")]
    Contradiction { file: String },
}

impl ChecksumList {
    pub fn parse(text: &str) -> Self {
        Self {
            entries: text.lines().filter_map(entry).collect(),
        }
    }

    /// Returns the hash of the file with this name, whatever folder the list puts it in; the longest
    /// where there are several kinds. A hash that stands alone is that of any file.
    pub fn find(&self, file: &str) -> Result<&Digest, Unlisted> {
        if let [(None, digest)] = self.entries.as_slice()
            && digest.algorithm() != Algorithm::Sha1
        {
            return Ok(digest);
        }
        // A sha1 can be forged.
        let is_named = |name: &str| name.rsplit(['/', '\\']).next() == Some(file);
        let named = self.named();
        let named = named.filter(|(name, it)| is_named(name) && it.algorithm() != Algorithm::Sha1);
        let mut found: Vec<&Digest> = named.map(|(_, digest)| digest).collect();
        found.sort_by_key(|digest| digest.hex().len());
        let file = file.to_owned();
        let Some(best) = found.last() else {
            let others: Vec<String> = self.named().map(|(name, _)| name.to_owned()).collect();
            return Err(if others.is_empty() {
                Unlisted::Empty
            } else {
                Unlisted::Missing {
                    file,
                    names: others,
                }
            });
        };
        let same_kind = |it: &&&Digest| it.algorithm() == best.algorithm();
        if found.iter().filter(same_kind).all(|it| it == best) {
            Ok(best)
        } else {
            Err(Unlisted::Contradiction { file })
        }
    }

    /// Returns all names with their hashes.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Digest)> {
        let entries = self.entries.iter();
        entries.filter_map(|(name, digest)| Some((name.as_deref()?, digest)))
    }
}

fn entry(line: &str) -> Option<(Option<String>, Digest)> {
    let line = line.trim();
    if let Ok(digest) = line.parse() {
        return Some((None, digest));
    }
    tagged(line).or_else(|| plain(line))
}

/// `SHA256 (NAME) = HASH`
fn tagged(line: &str) -> Option<(Option<String>, Digest)> {
    let (head, hash) = line.rsplit_once('=')?;
    let (algorithm, name) = head.trim_end().strip_suffix(')')?.split_once('(')?;
    let digest: Digest = hash.parse().ok()?;
    let is_meant = Algorithm::named(algorithm.trim()) == Some(digest.algorithm());
    is_meant.then(|| (Some(name.to_owned()), digest))
}

/// `HASH  NAME`, or `HASH *NAME` for a file read as binary.
fn plain(line: &str) -> Option<(Option<String>, Digest)> {
    let (hash, name) = line.split_once(char::is_whitespace)?;
    // A leading backslash says that the name has backslashes doubled; no image has any.
    let digest = hash.trim_start_matches('\\').parse().ok()?;
    let name = name.trim_start();
    let name = name.strip_prefix('*').unwrap_or(name);
    Some((Some(name.to_owned()), digest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ChecksumList, Unlisted};
    use crate::digest::Digest;

    fn sha256(letter: &str) -> String {
        letter.repeat(64)
    }

    #[test]
    fn every_form_of_list_is_understood() {
        let (a, b, long) = (sha256("a"), sha256("b"), "c".repeat(128));
        let lists = [
            format!("{b}  other.img\n{a}  disk.img\n"),
            format!("{a} *disk.img\r\n{b} *disk.img.manifest\r\n"),
            format!(
                "# built today\n\n  {}  ./images/disk.img  \n",
                a.to_uppercase()
            ),
            format!("SHA256 (disk.img) = {a}\nSHA256 (disk) = {b}\n"),
            format!("SHA256(disk.img)= {a}\n"),
            format!("SHA-256 (out/disk.img) = {a}"),
            format!("{a}\n"),
            format!("  {}\n\n", a.to_uppercase()),
            format!(
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{a}  disk.img\n-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCgAdFiEE\n=AbCd\n-----END PGP SIGNATURE-----\n"
            ),
        ];
        for text in lists {
            let list = ChecksumList::parse(&text);
            assert_eq!(list.find("disk.img").unwrap().hex(), a, "{text}");
        }
        let several = format!("{a}  disk.img\n{long}  disk.img\n{a}  disk.img\n");
        assert_eq!(
            ChecksumList::parse(&several)
                .find("disk.img")
                .unwrap()
                .hex(),
            long
        );
    }

    #[test]
    fn a_file_that_is_not_in_the_list_is_not_guessed() {
        let (a, b) = (sha256("a"), sha256("b"));
        let find = |text: &str| ChecksumList::parse(text).find("disk.img").unwrap_err();
        let file = || "disk.img".to_owned();
        assert_eq!(find("<html>not found</html>"), Unlisted::Empty);
        assert_eq!(find(&format!("{a}\n{b}\n")), Unlisted::Empty);
        let text = format!("{a}  disk.img.xz\n{b}  a-disk.img\n");
        let names = vec!["disk.img.xz".to_owned(), "a-disk.img".to_owned()];
        assert_eq!(
            find(&text),
            Unlisted::Missing {
                file: file(),
                names
            }
        );
        let text = format!("{a}  x/disk.img\n{b}  y/disk.img\n");
        assert_eq!(find(&text), Unlisted::Contradiction { file: file() });
        // Hashes that can be forged count for nothing.
        let sha1 = "a".repeat(40);
        assert_eq!(find(&sha1), Unlisted::Empty);
        let names = vec!["disk.img".to_owned()];
        let text = format!("{sha1}  disk.img");
        assert_eq!(
            find(&text),
            Unlisted::Missing {
                file: file(),
                names
            }
        );
        // Says sha512 and has the length of another.
        assert_eq!(find(&format!("SHA512 (disk.img) = {a}")), Unlisted::Empty);
    }

    proptest! {
        #[test]
        fn what_the_tools_write_is_read_back(
            files in proptest::collection::btree_map("[a-z][a-z0-9._ ()=-]{0,20}[a-z0-9]", "[0-9a-f]{64}", 1..8),
            binary: bool,
            tagged: bool,
        ) {
            let mark = if binary { '*' } else { ' ' };
            let line = |(name, hash): (&String, &String)| if tagged {
                format!("SHA256 ({name}) = {hash}\n")
            } else {
                format!("{hash} {mark}{name}\n")
            };
            let list = ChecksumList::parse(&files.iter().map(line).collect::<String>());
            for (name, hash) in &files {
                prop_assert_eq!(list.find(name), Ok(&hash.parse::<Digest>().unwrap()));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = ChecksumList::parse(&text).find("disk.img");
        }
    }
}
