//! The rules that ARCHITECTURE.md names, held against the sources.

mod circles;
mod paths;
pub mod source;

use std::collections::BTreeMap;

use self::source::Source;

/// Longest file, in lines.
const LONGEST: usize = 400;

/// What each module may use beside itself and [`EVERYBODY`]; data flows one way, so there is no circle.
const MAY_USE: &[(&str, &[&str])] = &[
    ("addon", &["diagnostic", "yaml"]),
    ("age", &["secret"]),
    ("agent", &["converge", "log", "resource", "wire"]),
    ("api_proxy", &["converge", "relay"]),
    (
        "bundle",
        &[
            "addon",
            "diagnostic",
            "digest",
            "download",
            "registry",
            "resource",
            "yaml",
        ],
    ),
    (
        "cli",
        &[
            "agent",
            "api_proxy",
            "bundle",
            "container_image",
            "diagnostic",
            "digest",
            "image",
            "install",
            "inventory",
            "log",
            "model",
            "provision",
            "registry",
            "report",
            "resource",
            "secret",
            "ssh",
            "ui",
            "vagrant",
            "verify",
        ],
    ),
    ("container_image", &["bundle", "diagnostic", "resource"]),
    ("converge", &["diagnostic", "resource", "secret", "yaml"]),
    (
        "credentials",
        &["diagnostic", "private_file", "secret", "yaml"],
    ),
    ("dashboard", &[]),
    ("diagnostic", &[]),
    ("did_you_mean", &[]),
    ("error_chain", &[]),
    ("digest", &["resource"]),
    ("download", &["diagnostic", "digest", "secret"]),
    ("format_version", &[]),
    (
        "image",
        &["diagnostic", "digest", "download", "resource", "yaml"],
    ),
    (
        "install",
        &[
            "addon",
            "age",
            "bundle",
            "container_image",
            "credentials",
            "dashboard",
            "diagnostic",
            "image",
            "inventory",
            "log",
            "manifest",
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
            "verify",
            "wire",
            "yaml",
        ],
    ),
    ("inventory", &["diagnostic", "secret", "yaml"]),
    ("log", &["secret", "wire"]),
    ("manifest", &["diagnostic", "resource", "secret", "yaml"]),
    (
        "model",
        &["addon", "diagnostic", "inventory", "secret", "yaml"],
    ),
    (
        "plan",
        &[
            "addon",
            "bundle",
            "diagnostic",
            "manifest",
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
            "addon",
            "bundle",
            "diagnostic",
            "manifest",
            "model",
            "resource",
            "secret",
            "template",
            "wire",
            "yaml",
        ],
    ),
    ("parallel", &[]),
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
    ("registry", &["diagnostic", "digest", "download", "secret"]),
    ("relay", &[]),
    (
        "report",
        &[
            "container_image",
            "diagnostic",
            "plan",
            "provision",
            "resource",
            "run",
            "wire",
        ],
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
        &[
            "addon",
            "bundle",
            "diagnostic",
            "model",
            "secret",
            "wire",
            "yaml",
        ],
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
            "secret",
            "ssh",
            "verify",
            "wire",
        ],
    ),
    ("vagrant", &["diagnostic", "model", "yaml"]),
    ("verify", &["addon", "diagnostic", "yaml"]),
    ("whole_file", &[]),
    ("wire", &["resource"]),
    ("yaml", &["diagnostic"]),
];

/// Serves every module.
const EVERYBODY: &[&str] = &[
    "did_you_mean",
    "error_chain",
    "format_version",
    "parallel",
    "whole_file",
];

/// Words that stand only in some places.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("serde_saphyr", &["src/yaml.rs", "src/yaml/"]),
    ("ruby_prism", &["src/vagrant/ruby/"]),
    ("russh", &["src/ssh/"]),
    ("tera", &["src/template/", "src/playbook/"]),
    ("hyper", &["src/install/open/dashboard/"]),
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
        if matches!(module.as_str(), "lib" | "main") {
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
fn the_page_names_every_module() {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md"));
    let is_named = |module: &&str| {
        page.contains(&format!("`src/{module}/`")) || page.contains(&format!("`src/{module}.rs`"))
    };
    let missing: Vec<&str> = MAY_USE
        .iter()
        .map(|(module, _)| *module)
        .filter(|it| !is_named(it))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
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
fn files_use_each_other_in_no_other_circles() {
    let found = circles::among(&Source::all("src"));
    let known: Vec<Vec<String>> = circles::KNOWN
        .iter()
        .map(|(_, files)| files.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(found, known);
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
