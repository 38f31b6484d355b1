//! Packages of the node's distribution.

use std::collections::{BTreeMap, BTreeSet};

use super::program::{Program, exists};
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Package};

/// Seconds that a transaction may take, the wait for another one's lock included.
const TIMEOUT: u32 = 1800;

/// Who manages the node's packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
}

/// Answers about all packages of a batch.
#[derive(Debug, Default)]
pub struct Packages {
    names: Vec<String>,
    installed: Option<BTreeSet<String>>,
    /// Installed in the same transaction as the first of them.
    together: Vec<String>,
}

impl Packages {
    /// Says which packages will be asked for.
    pub fn begin(&mut self, names: Vec<String>) {
        self.names = names;
        self.forget();
    }

    /// Forgets the answers.
    pub fn forget(&mut self) {
        self.installed = None;
    }

    /// Says which packages the next one brings along, so that there is one transaction.
    pub fn together(&mut self, names: Vec<String>) {
        self.together = names;
    }

    fn is_installed(&mut self, name: &str, node: &Node) -> Result<bool, ResourceError> {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
            self.installed = None;
        }
        if self.installed.is_none() {
            self.installed = Some(query(&self.names, node)?);
        }
        Ok(self.installed.iter().any(|names| names.contains(name)))
    }
}

impl Converge for Package {
    /// Whether it is installed.
    type Observed = bool;

    fn probe(&self, node: &Node) -> Result<bool, ResourceError> {
        node.packages.borrow_mut().is_installed(&self.name, node)
    }

    fn diff(&self, installed: &bool) -> Vec<Change> {
        if *installed {
            return Vec::new();
        }
        vec![Change::new(Action::Create, "package")]
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let mut names = std::mem::take(&mut node.packages.get_mut().together);
        if !names.contains(&self.name) {
            names.push(self.name.clone());
        }
        install(&names, node)
    }
}

fn manager(node: &Node) -> Result<Manager, ResourceError> {
    if exists("dpkg-query", node) && exists("apt-get", node) {
        Ok(Manager::Apt)
    } else if exists("rpm", node) && exists("dnf", node) {
        Ok(Manager::Dnf)
    } else {
        Err(ResourceError::other(
            "no package manager that kinstall knows (apt or dnf) is on the node",
        ))
    }
}

/// Asks for all packages at once. Both programs fail over a package that isn't there, and still tell of the others.
fn query(names: &[String], node: &Node) -> Result<BTreeSet<String>, ResourceError> {
    let program = match manager(node)? {
        Manager::Apt => Program::new([
            "dpkg-query",
            "--show",
            "--showformat=${Package} ${db:Status-Status}\n",
            "--",
        ]),
        Manager::Dnf => Program::new(["rpm", "--query", "--queryformat", "%{NAME} installed\n"]),
    };
    Ok(parse(&program.arguments(names).capture(node)?.stdout))
}

fn parse(output: &str) -> BTreeSet<String> {
    output
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .map(str::to_owned)
        .collect()
}

fn install(names: &[String], node: &Node) -> Result<(), ResourceError> {
    match manager(node)? {
        Manager::Apt => {
            let first = apt(names).run(node);
            if !matches!(first, Err(ResourceError::Command { .. })) {
                return first;
            }
            // The lists may be older than the mirror; where they can't be renewed, the first reason is
            // the better one.
            let renewed =
                Program::new(["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "update"])
                    .timeout(TIMEOUT)
                    .critical(true)
                    .run(node);
            match renewed {
                Ok(()) => apt(names).run(node),
                Err(_) => first,
            }
        }
        Manager::Dnf => Program::new(["dnf", "install", "-y", "-q", "--"])
            .arguments(names)
            .timeout(TIMEOUT)
            .critical(true)
            .run(node),
    }
}

fn apt(names: &[String]) -> Program {
    let options = [
        "apt-get",
        "install",
        "-q",
        "-y",
        "--no-install-recommends",
        "-o",
        "DPkg::Lock::Timeout=300",
        "-o",
        "Dpkg::Options::=--force-confdef",
        "-o",
        "Dpkg::Options::=--force-confold",
        "--",
    ];
    let environment = BTreeMap::from([
        ("DEBIAN_FRONTEND", "noninteractive"),
        ("NEEDRESTART_MODE", "l"),
        ("APT_LISTCHANGES_FRONTEND", "none"),
    ]);
    let environment: Vec<_> = environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Program::new(options)
        .arguments(names)
        .environment(&environment)
        .timeout(TIMEOUT)
        .critical(true)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_complete_packages_count() {
        let shown = "conntrack installed\nsocat config-files\nethtool half-configured\n";
        let names: Vec<_> = parse(shown).into_iter().collect();
        assert_eq!(names, ["conntrack"]);
        // rpm says so on its standard output.
        assert!(parse("package socat is not installed\n").len() < 2);
        assert!(!parse("package socat is not installed\n").contains("socat"));
    }
}
