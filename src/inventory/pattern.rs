//! Host patterns as Ansible has them, for `--limit`.
//!
//! ```text
//! node1,node2   web:db   node*   kube_node[0]   kube_node[1:2]   ~node[12]   all:!etcd   kube_node:&rack1   @retry
//! ```
//!
//! Names and groups add up, `&` keeps only what is in both, `!` takes away, in whatever order they are written.

use std::fs;
use std::path::PathBuf;

use indexmap::IndexSet;
use regex_lite::Regex;

use super::Inventory;
use super::group::{canonical, host_names};
use crate::did_you_mean::closest;

/// Why a pattern selects nothing.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    #[error("no host and no group matches `{term}`")]
    NoMatch {
        term: String,
        /// A name that it may have been meant to be.
        closest: Option<String>,
    },
    #[error("`{pattern}` leaves no host")]
    Empty { pattern: String },
    #[error("`{term}` is not a regular expression: {source}")]
    Regex {
        term: String,
        source: regex_lite::Error,
    },
    #[error("failed to read `{}`", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
}

impl Inventory {
    /// Returns the hosts that a pattern selects, in the order of the inventory.
    pub fn matching(&self, pattern: &str) -> Result<Vec<&str>, PatternError> {
        let terms = terms(pattern)?;
        let is_plain = |term: &&String| !term.starts_with(['!', '&']);
        let mut selected: IndexSet<&str> = if terms.iter().any(|term| is_plain(&term)) {
            let mut selected = IndexSet::new();
            for term in terms.iter().filter(is_plain) {
                selected.extend(self.matching_term(term)?);
            }
            selected
        } else {
            self.hosts.keys().map(String::as_str).collect()
        };
        for term in terms.iter().filter_map(|term| term.strip_prefix('&')) {
            let kept = self.matching_term(term)?;
            selected.retain(|name| kept.contains(name));
        }
        for term in terms.iter().filter_map(|term| term.strip_prefix('!')) {
            let removed = self.matching_term(term)?;
            selected.retain(|name| !removed.contains(name));
        }
        if selected.is_empty() {
            let pattern = pattern.to_owned();
            return Err(PatternError::Empty { pattern });
        }
        let hosts = self.hosts.keys().map(String::as_str);
        Ok(hosts.filter(|name| selected.contains(name)).collect())
    }

    fn matching_term(&self, term: &str) -> Result<Vec<&str>, PatternError> {
        let (names, range) = match subscript(term) {
            // A host's name may look like one.
            Some(_) if self.hosts.contains_key(term) => (term, None),
            Some((names, range)) => (names, Some(range)),
            None => (term, None),
        };
        let is_match = matcher(names)?;
        let mut found: IndexSet<&str> = IndexSet::new();
        for group in self.groups.keys().filter(|it| is_match(it)) {
            found.extend(host_names(self, group));
        }
        // Old spellings of a group are the group, and the groups that Ansible makes are there anyway.
        if let Some((group, _)) = self.groups.get_key_value(canonical(names)) {
            found.extend(host_names(self, group));
        }
        if is_match("all") {
            found.extend(self.hosts.keys().map(String::as_str));
        }
        found.extend(
            self.hosts
                .keys()
                .map(String::as_str)
                .filter(|it| is_match(it)),
        );
        let found: Vec<&str> = match range {
            None => found.into_iter().collect(),
            Some(range) => range.of(&found.into_iter().collect::<Vec<_>>()).to_vec(),
        };
        if found.is_empty() && !self.groups.contains_key(canonical(names)) {
            let known = self.hosts.keys().chain(self.groups.keys());
            return Err(PatternError::NoMatch {
                term: term.to_owned(),
                closest: closest(names, known.map(String::as_str)).map(str::to_owned),
            });
        }
        Ok(found)
    }
}

/// Splits a pattern at commas, or without any at colons outside of brackets; `@FILE` is a file of patterns.
fn terms(pattern: &str) -> Result<Vec<String>, PatternError> {
    let mut terms = Vec::new();
    let parts = if pattern.contains(',') || pattern.starts_with(['@', '~']) {
        pattern.split(',').map(str::to_owned).collect()
    } else {
        split_at_colons(pattern)
    };
    for part in parts.iter().map(|it| it.trim()).filter(|it| !it.is_empty()) {
        let Some(path) = part.strip_prefix('@') else {
            terms.push(part.to_owned());
            continue;
        };
        let text = fs::read_to_string(path).map_err(|source| PatternError::File {
            path: path.into(),
            source,
        })?;
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
        {
            terms.extend(self::terms(line)?);
        }
    }
    Ok(terms)
}

fn split_at_colons(pattern: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_u32;
    for character in pattern.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

/// Which of some hosts: `[0]`, `[-1]`, `[1:2]` (both ends included), `[1:]`.
#[derive(Clone, Copy, Debug)]
struct Subscript {
    first: isize,
    last: Option<isize>,
}

impl Subscript {
    fn of<'a, 'b>(self, hosts: &'a [&'b str]) -> &'a [&'b str] {
        let place = |index: isize| {
            let length = isize::try_from(hosts.len()).unwrap_or(isize::MAX);
            usize::try_from(if index < 0 { length + index } else { index }).ok()
        };
        let last = self.last.map_or(Some(hosts.len().saturating_sub(1)), place);
        match (place(self.first), last) {
            (Some(first), Some(last)) if first < hosts.len() => {
                &hosts[first..hosts.len().min(last + 1).max(first)]
            }
            _ => &[],
        }
    }
}

fn subscript(term: &str) -> Option<(&str, Subscript)> {
    if term.starts_with('~') {
        return None;
    }
    let (names, range) = term.strip_suffix(']')?.rsplit_once('[')?;
    let range = match range.split_once([':', '-']) {
        Some(("", index)) => {
            let first = -index.parse::<isize>().ok()?;
            Subscript {
                first,
                last: Some(first),
            }
        }
        Some((first, "")) => Subscript {
            first: first.parse().ok()?,
            last: None,
        },
        Some((first, last)) => Subscript {
            first: first.parse().ok()?,
            last: Some(last.parse().ok()?),
        },
        None => {
            let first = range.parse().ok()?;
            Subscript {
                first,
                last: Some(first),
            }
        }
    };
    Some((names, range))
}

/// Makes the test of a name: `~` begins a regular expression, all else is a name or a glob.
fn matcher(term: &str) -> Result<impl Fn(&str) -> bool, PatternError> {
    let expression = match term.strip_prefix('~') {
        // Ansible looks at the beginning only.
        Some(expression) => format!("^(?:{expression})"),
        None => format!("^{}$", glob(term)),
    };
    let regex = Regex::new(&expression).map_err(|source| PatternError::Regex {
        term: term.to_owned(),
        source,
    })?;
    Ok(move |name: &str| regex.is_match(name))
}

/// Turns `*`, `?`, `[abc]` and `[!abc]` into a regular expression.
fn glob(term: &str) -> String {
    let mut expression = String::new();
    let mut in_class = false;
    let mut characters = term.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' if !in_class => expression.push_str(".*"),
            '?' if !in_class => expression.push('.'),
            '[' if !in_class => {
                in_class = true;
                expression.push('[');
                if characters.next_if_eq(&'!').is_some() {
                    expression.push('^');
                }
            }
            ']' if in_class => {
                in_class = false;
                expression.push(']');
            }
            '-' if in_class => expression.push('-'),
            other => expression.push_str(&regex_lite::escape(&other.to_string())),
        }
    }
    expression
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::super::{Inventory, Vault};
    use crate::diagnostic::{Diagnostics, SourceFile};

    fn inventory() -> Inventory {
        let text = "cp1\ncp2\nnode1 rack=1\nnode2\nnode3\nnode10\n[kube-master]\ncp1\ncp2\n[kube_node]\nnode1\n\
                    node2\nnode3\nnode10\n[etcd]\ncp1\nnode1\n[k8s_cluster:children]\nkube-master\nkube_node\n\
                    [empty]\n";
        let file = Arc::new(SourceFile {
            path: PathBuf::from("inventory.ini"),
            text: text.to_owned(),
        });
        Inventory::of(&[file], Vault::default(), &mut Diagnostics::new()).unwrap()
    }

    #[test]
    fn patterns_select_what_ansible_selects() {
        let inventory = inventory();
        for (pattern, expected) in [
            ("node1", "node1"),
            ("node2,cp1", "cp1 node2"),
            ("node2:cp1", "cp1 node2"),
            ("all", "cp1 cp2 node1 node2 node3 node10"),
            ("*", "cp1 cp2 node1 node2 node3 node10"),
            ("kube_control_plane", "cp1 cp2"),
            ("kube-master", "cp1 cp2"),
            ("k8s_cluster", "cp1 cp2 node1 node2 node3 node10"),
            ("node?", "node1 node2 node3"),
            ("node[12]*", "node1 node2 node10"),
            ("node[!1]", "node2 node3"),
            ("kube_*", "cp1 cp2 node1 node2 node3 node10"),
            ("!node1", "cp1 cp2 node2 node3 node10"),
            ("all:!kube_node", "cp1 cp2"),
            ("!kube_node:all", "cp1 cp2"),
            ("kube_node:&etcd", "node1"),
            ("&etcd:kube_node:kube-master:!cp1", "node1"),
            ("kube_node[0]", "node1"),
            ("kube_node[-1]", "node10"),
            ("kube_node[1:2]", "node2 node3"),
            ("kube_node[1:]:!node3", "node2 node10"),
            ("~node[12]$", "node1 node2"),
            ("~(cp|node)1$,!cp*", "node1"),
        ] {
            let selected = inventory
                .matching(pattern)
                .unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(selected.join(" "), expected, "{pattern}");
        }
    }

    #[test]
    fn a_file_holds_patterns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("limit");
        fs::write(&path, "# failed last time\nnode3\nkube-master\n\n!cp2\n").unwrap();
        let pattern = format!("@{}", path.display());
        assert_eq!(inventory().matching(&pattern).unwrap(), ["cp1", "node3"]);
    }

    #[test]
    fn a_pattern_that_selects_nothing_is_an_error() {
        let inventory = inventory();
        for (pattern, expected) in [
            ("ndoe1", "no host and no group matches `ndoe1`"),
            ("node1,worker*", "no host and no group matches `worker*`"),
            ("kube_node[9]", "`kube_node[9]` leaves no host"),
            ("empty", "`empty` leaves no host"),
            ("node1:!node1", "`node1:!node1` leaves no host"),
            ("node1:!ndoe2", "no host and no group matches `ndoe2`"),
        ] {
            assert_eq!(
                inventory.matching(pattern).unwrap_err().to_string(),
                expected
            );
        }
        assert!(
            inventory
                .matching("~[")
                .unwrap_err()
                .to_string()
                .contains("regular expression")
        );
    }
}
