//! The rules that ARCHITECTURE.md names, held against the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file, in lines.
const LONGEST: usize = 400;

/// What each module may use beside itself and [`EVERYBODY`]; data flows one way, so there is no circle.
const MAY_USE: &[(&str, &[&str])] = &[
    ("agent", &["converge", "log", "resource", "wire"]),
    ("api_proxy", &["converge", "relay"]),
    ("bundle", &["diagnostic", "download", "resource", "yaml"]),
    ("converge", &["diagnostic", "resource", "secret", "yaml"]),
    (
        "credentials",
        &["diagnostic", "private_file", "secret", "yaml"],
    ),
    ("diagnostic", &[]),
    ("did_you_mean", &[]),
    ("error_chain", &[]),
    ("digest", &["resource"]),
    ("download", &["diagnostic", "digest"]),
    ("format_version", &[]),
    (
        "image",
        &["diagnostic", "digest", "download", "resource", "yaml"],
    ),
    (
        "install",
        &[
            "bundle",
            "credentials",
            "diagnostic",
            "image",
            "inventory",
            "log",
            "model",
            "plan",
            "playbook",
            "private_file",
            "provision",
            "report",
            "resource",
            "run",
            "secret",
            "ssh",
            "wire",
            "yaml",
        ],
    ),
    ("inventory", &["diagnostic", "secret", "yaml"]),
    ("log", &["secret", "wire"]),
    ("model", &["diagnostic", "inventory", "secret", "yaml"]),
    (
        "plan",
        &[
            "bundle",
            "diagnostic",
            "model",
            "playbook",
            "resource",
            "secret",
            "template",
            "wire",
        ],
    ),
    (
        "playbook",
        &[
            "bundle",
            "diagnostic",
            "model",
            "resource",
            "secret",
            "template",
            "wire",
            "yaml",
        ],
    ),
    ("private_file", &[]),
    (
        "provision",
        &[
            "diagnostic",
            "image",
            "model",
            "private_file",
            "relay",
            "resource",
            "secret",
        ],
    ),
    ("relay", &[]),
    (
        "report",
        &["diagnostic", "plan", "provision", "resource", "run", "wire"],
    ),
    ("resource", &["secret"]),
    (
        "run",
        &[
            "bundle",
            "diagnostic",
            "log",
            "plan",
            "private_file",
            "provision",
            "resource",
            "ssh",
            "wire",
        ],
    ),
    ("secret", &[]),
    (
        "ssh",
        &[
            "diagnostic",
            "model",
            "private_file",
            "resource",
            "secret",
            "wire",
        ],
    ),
    (
        "template",
        &["bundle", "diagnostic", "model", "secret", "wire", "yaml"],
    ),
    (
        "ui",
        &[
            "bundle",
            "diagnostic",
            "model",
            "provision",
            "image",
            "plan",
            "report",
            "resource",
            "run",
            "ssh",
            "wire",
        ],
    ),
    ("vagrant", &["diagnostic", "model", "yaml"]),
    ("wire", &["resource"]),
    ("yaml", &["diagnostic"]),
];

/// Serves every module.
const EVERYBODY: &[&str] = &["did_you_mean", "error_chain", "format_version"];

/// Words that stand only in some places.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("serde_saphyr", &["src/yaml.rs", "src/yaml/"]),
    ("russh", &["src/ssh/"]),
    ("tera", &["src/template/", "src/playbook/"]),
    ("tokio", &["src/ssh/", "src/run/", "src/install/"]),
    ("clap", &["src/cli/", "src/ui/printer.rs"]),
    ("tracing_subscriber", &["src/log/"]),
    ("indicatif", &["src/ui/"]),
    ("anstream", &["src/ui/"]),
    ("print!", &["src/ui/"]),
    ("println!", &["src/ui/"]),
    ("eprint!", &["src/ui/"]),
    ("eprintln!", &["src/ui/"]),
    ("unsafe", &[]),
];

#[test]
fn modules_use_only_what_they_may() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in Source::all("src") {
        let module = source.module();
        // The commands put everything together.
        if matches!(module.as_str(), "cli" | "lib" | "main") {
            continue;
        }
        let Some(allowed) = table.get(module.as_str()) else {
            wrong.push(format!("module `{module}` is not in the table"));
            continue;
        };
        for used in source.modules_used() {
            let is_allowed = used == module
                || allowed.contains(&used.as_str())
                || EVERYBODY.contains(&used.as_str());
            if !is_allowed {
                wrong.push(format!("{} uses `{used}`", source.path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_table_has_no_circle() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut done: Vec<&str> = Vec::new();
    while done.len() < table.len() {
        let before = done.len();
        for (module, used) in &table {
            if !done.contains(module) && used.iter().all(|it| done.contains(it)) {
                done.push(module);
            }
        }
        assert!(done.len() > before, "a circle among all but {done:?}");
    }
}

#[test]
fn libraries_stay_where_they_belong() {
    let mut wrong = Vec::new();
    for source in Source::all("src") {
        let path = source.path.display().to_string();
        for (word, places) in ONLY_IN {
            if source.names(word) && !places.iter().any(|place| path.starts_with(place)) {
                wrong.push(format!("{path} names `{word}`"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_are_short() {
    let all = [Source::all("src"), Source::all("tests")].concat();
    let long: Vec<String> = all
        .iter()
        .filter(|source| source.lines > LONGEST)
        .map(|source| format!("{}: {} lines", source.path.display(), source.lines))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

/// A source file without comments and tests.
#[derive(Clone)]
struct Source {
    path: PathBuf,
    code: String,
    /// Of the whole file.
    lines: usize,
}

impl Source {
    /// Reads all files below a folder of the package.
    fn all(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join(folder)];
        let mut sources = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    sources.push(Self::read(root, &path));
                }
            }
        }
        assert!(!sources.is_empty());
        sources
    }

    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_owned();
        let is_test = |part: &str| matches!(part, "tests" | "tests.rs" | "law.rs");
        let code = if path
            .iter()
            .skip(1)
            .any(|part| is_test(part.to_str().unwrap()))
        {
            String::new()
        } else {
            text.lines()
                .take_while(|line| *line != "#[cfg(test)]")
                .filter(|line| !line.trim_start().starts_with("//"))
                .flat_map(|line| [line, "\n"])
                .collect()
        };
        let lines = text.lines().count();
        Self { path, code, lines }
    }

    /// Returns the module of the crate that the file belongs to.
    fn module(&self) -> String {
        let first = self.path.iter().nth(1).unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    fn modules_used(&self) -> Vec<String> {
        let name = |text: &str| {
            text.chars()
                .take_while(|it| it.is_ascii_lowercase() || *it == '_')
                .collect()
        };
        self.code.split("crate::").skip(1).map(name).collect()
    }

    /// Returns whether a word stands in the code as a word.
    fn names(&self, word: &str) -> bool {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        self.code.match_indices(word).any(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            let after = self.code[at + word.len()..].chars().next();
            // Neither the end of a longer word, nor a file's suffix, nor a field.
            !before.is_some_and(|it| is_part(it) || it == '.') && !after.is_some_and(is_part)
        })
    }
}
