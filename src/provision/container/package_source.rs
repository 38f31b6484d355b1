//! Where the base image's packages come from: the mirror that this computer's own apt uses.

use std::fs;
use std::path::Path;

/// Release of Debian that machines run.
const DEBIAN_SUITE: &str = "trixie";

/// A distribution release on a mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackageSource {
    pub(super) suite: String,
    pub(super) mirror: String,
}

impl PackageSource {
    /// Finds the source for this computer: `mirror` (a Debian one) if given, else apt's own, else nothing.
    pub(super) fn find(mirror: Option<&str>) -> Option<Self> {
        if let Some(mirror) = mirror {
            return Some(Self {
                suite: DEBIAN_SUITE.into(),
                mirror: mirror.into(),
            });
        }
        let release = fs::read_to_string("/etc/os-release").ok()?;
        Self::from_texts(&release, &apt_sources(Path::new("/etc/apt")))
    }

    fn from_texts(os_release: &str, sources: &[String]) -> Option<Self> {
        let field = |name: &str| {
            os_release.lines().find_map(|line| {
                Some(
                    line.strip_prefix(name)?
                        .strip_prefix('=')?
                        .trim_matches('"')
                        .to_owned(),
                )
            })
        };
        let (own_suite, suite) = match field("UBUNTU_CODENAME") {
            // Debian's archive isn't on Ubuntu's mirrors, so machines run the computer's own release.
            Some(codename) => (codename.clone(), codename),
            None if field("ID").as_deref() == Some("debian") => (
                field("VERSION_CODENAME").unwrap_or_default(),
                DEBIAN_SUITE.to_owned(),
            ),
            None => return None,
        };
        let wanted = [
            own_suite.as_str(),
            DEBIAN_SUITE,
            "stable",
            "testing",
            "unstable",
            "sid",
        ];
        let mirror = sources
            .iter()
            .flat_map(|text| entries(text))
            .find(|entry| {
                entry
                    .suites
                    .iter()
                    .any(|suite| wanted.contains(&suite.as_str()))
            })?
            .uri;
        Some(Self { suite, mirror })
    }
}

/// One archive in apt's sources.
struct Entry {
    uri: String,
    suites: Vec<String>,
}

/// Reads the texts of sources.list and sources.list.d; the distribution's own file names come first.
fn apt_sources(apt: &Path) -> Vec<String> {
    let mut files = vec![apt.join("sources.list")];
    let listed = fs::read_dir(apt.join("sources.list.d"))
        .into_iter()
        .flatten()
        .flatten();
    let mut more: Vec<_> = listed.map(|entry| entry.path()).collect();
    more.sort_by_key(|path| {
        let own = path
            .file_stem()
            .is_some_and(|stem| stem == "debian" || stem == "ubuntu");
        (!own, path.clone())
    });
    files.extend(more);
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .collect()
}

/// Parses either form of apt sources: one archive a line, or stanzas of fields.
fn entries(text: &str) -> Vec<Entry> {
    let one_line = text.lines().filter_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace();
        Some(Entry {
            uri: words.next()?.to_owned(),
            suites: vec![words.next()?.to_owned()],
        })
    });
    let stanzas = text.split("\n\n").filter_map(|stanza| {
        let field = |name: &str| {
            stanza.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name)
                    .then(|| value.split_whitespace())
            })
        };
        let is_enabled = field("Enabled").is_none_or(|mut words| words.next() != Some("no"));
        let is_binary = field("Types")?.any(|word| word == "deb");
        let uri = field("URIs")?.next()?.to_owned();
        let suites = field("Suites")?.map(ToOwned::to_owned).collect();
        (is_enabled && is_binary).then_some(Entry { uri, suites })
    });
    one_line
        .chain(stanzas)
        .filter(|entry| {
            ["http:", "https:", "file:"]
                .iter()
                .any(|scheme| entry.uri.starts_with(scheme))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::PackageSource;

    fn find(os_release: &str, sources: &[&str]) -> Option<(String, String)> {
        let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
        PackageSource::from_texts(os_release, &sources).map(|source| (source.suite, source.mirror))
    }

    fn expected(suite: &str, mirror: &str) -> Option<(String, String)> {
        Some(suite.into()).zip(Some(mirror.into()))
    }

    #[test]
    fn debian_takes_the_archive_and_not_the_security_mirror() {
        let stanzas = "Types: deb\nURIs: http://mirror.test/security\nSuites: bookworm-security\n\n\
                       # a comment\nTypes: deb\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\n";
        let release = "ID=debian\nVERSION_CODENAME=bookworm\n";
        assert_eq!(
            find(release, &[stanzas]),
            expected("trixie", "http://mirror.test/debian")
        );
    }

    #[test]
    fn one_line_entries_may_have_options() {
        let lines = "# deb http://old.test/debian bookworm main\ndeb cdrom:[Debian]/ bookworm main\n\
                     deb [signed-by=/k.gpg arch=amd64] https://mirror.test/debian stable main\n";
        let release = "ID=debian\nVERSION_CODENAME=\"bookworm\"\n";
        assert_eq!(
            find(release, &[lines]),
            expected("trixie", "https://mirror.test/debian")
        );
    }

    #[test]
    fn ubuntu_keeps_its_own_release() {
        let stanzas = "Enabled: no\nTypes: deb\nURIs: http://off.test/ubuntu\nSuites: noble\n\n\
                       Types: deb deb-src\nURIs: http://mirror.test/ubuntu/\nSuites: noble noble-updates\n";
        let release = "ID=ubuntu\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n";
        assert_eq!(
            find(release, &["", stanzas]),
            expected("noble", "http://mirror.test/ubuntu/")
        );
    }

    #[test]
    fn other_distributions_and_foreign_archives_give_nothing() {
        assert_eq!(find("ID=fedora\n", &[]), None);
        let foreign = "deb http://packages.test/apt tool-bookworm main\n";
        assert_eq!(
            find("ID=debian\nVERSION_CODENAME=bookworm\n", &[foreign]),
            None
        );
    }
}
