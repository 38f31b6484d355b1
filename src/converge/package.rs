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

/// Asks for all packages at once. Both programs fail over a package that isn't there, and still tell of the
/// others; any other failure says nothing of the packages.
fn query(names: &[String], node: &Node) -> Result<BTreeSet<String>, ResourceError> {
    let manager = manager(node)?;
    let program = match manager {
        Manager::Apt => Program::new([
            "dpkg-query",
            "--show",
            "--showformat=${Package} ${db:Status-Status}\n",
            "--",
        ]),
        Manager::Dnf => Program::new(["rpm", "--query", "--queryformat", "%{NAME} installed\n"]),
    };
    let finished = program.arguments(names).capture(node)?;
    // rpm's exit code is the number of packages that aren't there.
    let most = match manager {
        Manager::Apt => 1,
        Manager::Dnf => i32::try_from(names.len()).unwrap_or(i32::MAX),
    };
    match finished.status.code() {
        Some(code) if (0..=most).contains(&code) => Ok(parse(&finished.stdout)),
        _ => finished
            .success("the query for installed packages".to_owned())
            .map(|_| BTreeSet::new()),
    }
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
                    .through_proxy()
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
            .through_proxy()
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
        .through_proxy()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_complete_packages_count() {
        let shown = "conntrack installed\nsocat config-files\nethtool half-configured\n";
        let names: Vec<_> = parse(shown).into_iter().collect();
        assert_eq!(names, ["conntrack"]);
        // rpm says so on its standard output.
        assert!(parse("package socat is not installed\n").len() < 2);
        assert!(!parse("package socat is not installed\n").contains("socat"));
    }

    #[test]
    fn a_query_that_fails_does_not_say_that_packages_are_missing() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let programs = node.path("/usr/local/bin");
        fs::create_dir_all(&programs).unwrap();
        fs::write(programs.join("apt-get"), "").unwrap();
        let names = ["mount".to_owned(), "nftables".to_owned()];
        let query_with = |script: &str| {
            let path = programs.join("dpkg-query");
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            query(&names, &node)
        };
        let one = query_with("echo mount installed; echo no packages >&2; exit 1").unwrap();
        assert_eq!(one.len(), 1);
        let failed = query_with("echo dpkg-query: error: the database is locked >&2; exit 2");
        let error = failed.unwrap_err();
        assert!(error.output()[0].contains("locked"), "{error}");
        assert!(query_with("kill -9 $$").is_err());
    }
}
