//! The files that set kernel parameters at boot, in the order in which systemd reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::Node;

/// Where the files are. A name in an earlier folder hides the same name in a later one.
const FOLDERS: [&str; 4] = [
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
];

/// A value, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub file: String,
    pub value: String,
}

/// Returns the last setting of a parameter, which is the one that counts.
pub fn last(key: &str, node: &Node) -> Option<Setting> {
    last_besides("", key, node)
}

/// Returns the last setting in any but one file.
pub fn last_besides(left_out: &str, key: &str, node: &Node) -> Option<Setting> {
    let wanted = live_path(key);
    let mut last = None;
    for file in files(node).filter(|file| file != left_out) {
        for (key, value) in settings(&node.read_or_empty(&file)) {
            if live_path(key) == wanted {
                last = Some(Setting {
                    file: file.clone(),
                    value: value.to_owned(),
                });
            }
        }
    }
    last
}

/// Returns where the kernel has a parameter. Dots and slashes change places, unless a slash comes first:
/// `net.ipv4.conf.eth0/1.rp_filter` and `net/ipv4/conf/eth0.1/rp_filter` are about the interface `eth0.1`.
pub fn live_path(key: &str) -> String {
    let first = key.find(['.', '/']).map(|at| &key[at..=at]);
    let path: String = if first == Some("/") {
        key.to_owned()
    } else {
        let swapped = key.chars().map(|letter| match letter {
            '.' => '/',
            '/' => '.',
            other => other,
        });
        swapped.collect()
    };
    format!("/proc/sys/{path}")
}

/// All files, by their names alone, whichever folder they are in.
fn files(node: &Node) -> impl Iterator<Item = String> {
    let mut by_name = BTreeMap::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(node.path(folder)).into_iter().flatten();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_some_and(|it| it == "conf") {
                by_name
                    .entry(name.clone())
                    .or_insert_with(|| format!("{folder}/{name}"));
            }
        }
    }
    by_name.into_values()
}

/// `key = value`; a minus in front of it only says that a failure doesn't matter.
fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with(['#', ';']))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim().trim_start_matches('-').trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_wins_whichever_folder_it_is_in() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let files = [
            ("/usr/lib/sysctl.d/50-default.conf", "a.b = 1\n"),
            ("/usr/lib/sysctl.d/99-last.conf", "a.b = 9\n"),
            (
                "/etc/sysctl.d/99-last.conf",
                "# a.b = 8\na/b = 2\n;a.b = 3\n",
            ),
            ("/etc/sysctl.d/no.configuration", "a.b = 7\n"),
        ];
        for (path, text) in files {
            let path = node.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let setting = last("a.b", &node).unwrap();
        assert_eq!(setting.file, "/etc/sysctl.d/99-last.conf");
        assert_eq!(setting.value, "2");
        assert_eq!(last("a.c", &node), None);
    }

    #[test]
    fn interface_names_may_hold_dots() {
        let path = "/proc/sys/net/ipv4/conf/eth0.1/rp_filter";
        assert_eq!(live_path("net.ipv4.conf.eth0/1.rp_filter"), path);
        assert_eq!(live_path("net/ipv4/conf/eth0.1/rp_filter"), path);
    }
}
