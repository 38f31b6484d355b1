//! What the name of a Vagrant box says of its distribution, where no list of the catalog has it.

/// Publishers whose boxes are a distribution and nothing more.
const PUBLISHERS: [&str; 19] = [
    "",
    "alvistack",
    "bento",
    "boxomatic",
    "cloud-image",
    "cloudicio",
    "debian",
    "elastic",
    "generic",
    "generic-a64",
    "generic-x32",
    "generic-x64",
    "geerlingguy",
    "hashicorp",
    "hashicorp-education",
    "peru",
    "roboxes",
    "roboxes-x64",
    "ubuntu",
];

/// Words behind a release that say nothing of what is in the box.
const PLAIN: [&str; 15] = [
    "64",
    "aarch64",
    "amd64",
    "arm64",
    "base",
    "cloud",
    "cloudimg",
    "generic",
    "genericcloud",
    "image",
    "lts",
    "minimal",
    "server",
    "standard",
    "x86_64",
];

/// Distributions and systems that kinstall has no image of.
const OTHERS: [&str; 22] = [
    "alma", "alpine", "amazon", "arch", "atomic", "coreos", "fedora", "flatcar", "freebsd",
    "gentoo", "kali", "nixos", "openbsd", "opensuse", "oracle", "photon", "redhat", "rhel",
    "rocky", "sles", "talos", "windows",
];

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// `22.04` of Ubuntu.
    Ubuntu(u32, u32),
    /// `12` of Debian.
    Debian(u32),
    /// Why kinstall has nothing in its place.
    Other(&'static str),
}

/// Reads a name as `generic/ubuntu2204`, `bento/debian-12.5` or `ubuntu-22.04-amd64`.
pub(super) fn told(name: &str) -> Option<Told> {
    let name = name.to_ascii_lowercase();
    if name.contains("centos") {
        let is_stream = name.contains("stream") || name.ends_with('s') && !name.ends_with("centos");
        let why = if is_stream {
            OTHER
        } else {
            "CentOS Linux is end of life"
        };
        return Some(Told::Other(why));
    }
    let (publisher, rest) = name.split_once('/').unwrap_or(("", &name));
    for (distribution, is_ubuntu) in [("ubuntu", true), ("debian", false)] {
        let Some(rest) = rest.strip_prefix(distribution) else {
            continue;
        };
        if !PUBLISHERS.contains(&publisher) {
            return None;
        }
        let rest = rest.trim_start_matches(['-', '_', '/']);
        return if is_ubuntu {
            ubuntu(rest)
        } else {
            debian(rest)
        };
    }
    let mut words = name.split(['/', '-', '_', '.']);
    let is_other = words.any(|word| OTHERS.iter().any(|other| word.starts_with(other)));
    is_other.then_some(Told::Other(OTHER))
}

const OTHER: &str = "kinstall's own images are those of Debian and Ubuntu";

fn ubuntu(text: &str) -> Option<Told> {
    let (year, rest) = number(text, 2)?;
    let rest = rest.strip_prefix(['.', '-']).unwrap_or(rest);
    let (month, rest) = number(rest, 2)?;
    // 22.04.3 is 22.04.
    let rest = rest
        .strip_prefix('.')
        .map_or(Some(rest), |rest| Some(number(rest, 1)?.1))?;
    (matches!(month, 4 | 10) && is_plain(rest)).then_some(Told::Ubuntu(year, month))
}

fn debian(text: &str) -> Option<Told> {
    let digits = text
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(text.len());
    let (major, rest) = number(text, digits)?;
    let minor = |rest: &str| {
        rest.trim_start_matches(|it: char| it.is_ascii_digit())
            .to_owned()
    };
    let rest = rest
        .strip_prefix('.')
        .map_or_else(|| rest.to_owned(), minor);
    ((1..100).contains(&major) && is_plain(&rest)).then_some(Told::Debian(major))
}

fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

/// Tells whether the rest of a name says nothing of what is in the box.
fn is_plain(rest: &str) -> bool {
    // "x86_64" has a sign of its own.
    let rest = rest.replace("x86_64", "amd64");
    let mut words = rest.split(['-', '_']).filter(|it| !it.is_empty());
    words.all(|word| PLAIN.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::{Told, told};

    #[test]
    fn names_of_boxes_tell_distribution_and_release() {
        let centos = Some(Told::Other("CentOS Linux is end of life"));
        let other = Some(Told::Other(super::OTHER));
        for (name, expected) in [
            ("generic/ubuntu2110", Some(Told::Ubuntu(21, 10))),
            ("generic-x64/ubuntu2204", Some(Told::Ubuntu(22, 4))),
            ("roboxes/debian12", Some(Told::Debian(12))),
            ("geerlingguy/ubuntu1804", Some(Told::Ubuntu(18, 4))),
            ("geerlingguy/debian10", Some(Told::Debian(10))),
            ("bento/debian-12.5", Some(Told::Debian(12))),
            ("bento/ubuntu-24.10", Some(Told::Ubuntu(24, 10))),
            ("bento/ubuntu-22.04-arm64", Some(Told::Ubuntu(22, 4))),
            ("elastic/ubuntu-16.04-x86_64", Some(Told::Ubuntu(16, 4))),
            ("ubuntu-22.04-amd64", Some(Told::Ubuntu(22, 4))),
            (
                "hashicorp-education/ubuntu-24-04",
                Some(Told::Ubuntu(24, 4)),
            ),
            ("peru/ubuntu-22.04-server-amd64", Some(Told::Ubuntu(22, 4))),
            ("bento/ubuntu-22.04.3", Some(Told::Ubuntu(22, 4))),
            ("debian-12-amd64", Some(Told::Debian(12))),
            ("bento/centos-7.9", centos.clone()),
            ("generic/centos8", centos.clone()),
            ("eurolinux-vagrant/centos-7", centos),
            ("generic/centos9s", other.clone()),
            ("centos/stream10", other.clone()),
            ("generic/alpine312", other.clone()),
            ("fedora/32-cloud-base", other.clone()),
            ("gusztavvargadr/windows-server-2022-standard-core", other),
            // What else may be in these isn't known.
            ("acme/ubuntu-22.04", None),
            ("generic/ubuntu-22.04-kubernetes", None),
            ("ubuntu/jammy64", None),
            ("ubuntu-1", None),
            ("debian/", None),
        ] {
            assert_eq!(told(name), expected, "{name}");
        }
    }
}
