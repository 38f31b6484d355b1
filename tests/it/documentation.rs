//! README and docs against the program: commands parse, snippets load, links lead somewhere, every error kind is explained.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser as _;
use clap::error::ErrorKind;
use kinstall::cli::Cli;
use kinstall::diagnostic::{Kind, SourceFile};

use crate::program::Project;

/// What stands for a value in the text, with a value.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("ADDRESS:PORT", "192.168.56.50:80"),
    ("SHELL", "bash"),
    ("URL", "https://host/disk.img"),
];

pub fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = Vec::new();
    for folder in ["", "docs", "tests", "playbooks", "templates"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).unwrap();
                pages.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(pages.len() > 10);
    pages
}

/// Returns fenced blocks: what follows the fence's backquotes, and the text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| !line.starts_with("```"));
            let text: Vec<&str> = inside.collect();
            blocks.push((language, text.join("\n") + "\n"));
        }
    }
    blocks
}

/// Returns all commands of kinstall in a page: in blocks, on lines that are set in, and in backquotes.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut is_fenced = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_fenced = !is_fenced;
        }
        if is_fenced || line.starts_with("    ") {
            let line = line
                .trim()
                .trim_start_matches("$ ")
                .trim_start_matches("sudo ");
            if line.starts_with("kinstall ") {
                commands.push(line.to_owned());
            }
            continue;
        }
        let quoted = line.split('`').skip(1).step_by(2);
        commands.extend(
            quoted
                .filter(|it| it.starts_with("kinstall "))
                .map(str::to_owned),
        );
    }
    commands
}

/// Parses a command as it stands in a page; placeholders, comments and what the shell does are taken off.
fn parse(command: &str) -> Result<(), String> {
    let mut command = command.replace(['[', ']', '…'], " ");
    for (name, value) in PLACEHOLDERS {
        command = command.replace(name, value);
    }
    // Output of kinstall explains a command behind a gap.
    let ends = [
        command.find([';', '|', '>', '&', '\\']),
        command.find("   "),
    ];
    let end = ends.into_iter().flatten().min().unwrap_or(command.len());
    let words = shlex::split(&command[..end]).ok_or("its quotes don't end")?;
    match Cli::try_parse_from(words) {
        Ok(_) => Ok(()),
        Err(error) if !error.use_stderr() => Ok(()),
        // A sentence may name a command without its arguments.
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn commands_are_the_programs() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (path, page) in pages() {
        for command in commands(&page) {
            count += 1;
            if let Err(problem) = parse(&command) {
                wrong.push(format!("{}: {command}\n{problem}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "{count}");
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    parse("kinstall status  # of all").unwrap();
    parse("kinstall ssh NODE -- sudo kubectl get nodes | head").unwrap();
    parse("kinstall stauts").unwrap_err();
    parse("kinstall up --provder qemu").unwrap_err();
}

#[test]
fn links_lead_to_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (path, page) in pages() {
        for link in page.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            if target.starts_with("http") {
                continue;
            }
            let file = if target.is_empty() {
                root.join(&path)
            } else {
                root.join(path.parent().unwrap()).join(target)
            };
            let has_heading = || has_heading(&fs::read_to_string(&file).unwrap(), heading);
            if !file.exists() || !heading.is_empty() && !has_heading() {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Returns whether a page has a heading of this anchor, as GitHub makes anchors.
fn has_heading(page: &str, anchor: &str) -> bool {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|title| title.replace(' ', "-"))
        .map(|title| {
            title.replace(
                |letter: char| !letter.is_alphanumeric() && letter != '-',
                "",
            )
        })
        .any(|title| title == anchor)
}

#[test]
fn the_summary_lists_every_page() {
    let summary = fs::read_to_string("docs/SUMMARY.md").unwrap();
    for (path, _) in pages() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.starts_with("docs") && name != "SUMMARY.md" {
            assert!(summary.contains(&format!("]({name})")), "{name}");
        }
    }
}

#[test]
fn snippets_of_yaml_and_json_can_be_read() {
    for (path, page) in pages() {
        for (language, text) in blocks(&page) {
            let is_read = match language {
                "yaml" => {
                    let path = path.clone();
                    let text = text.clone();
                    kinstall::yaml::documents(&Arc::new(SourceFile { path, text })).is_ok()
                }
                "json" => serde_json::from_str::<serde_json::Value>(&text).is_ok(),
                _ => true,
            };
            assert!(is_read, "{}:\n{text}", path.display());
        }
    }
}

/// A snippet of `ini` is an inventory; one of `yaml` that is no playbook has variables of one.
#[test]
fn snippets_of_inventories_are_valid() {
    let mut count = 0;
    for (path, page) in pages() {
        for (language, text) in blocks(&page) {
            let project = match language {
                "ini" => Project::with_inventory(&text),
                "yaml" if !text.starts_with("# playbooks/") => {
                    let project = Project::of_host("node1 ip=192.168.56.21");
                    project.write("group_vars/all.yml", &text);
                    project
                }
                _ => continue,
            };
            count += 1;
            let told = project.run(&["check"]);
            let is_valid = told.starts_with("exit code 0\n") && !told.contains("doesn't know");
            assert!(is_valid, "{}:\n{text}\n{told}", path.display());
        }
    }
    assert!(count > 1, "{count}");
}

/// The page's own playbook and template, used as it says.
#[test]
fn the_playbook_of_the_guide_is_planned() {
    let page = fs::read_to_string("docs/customising.md").unwrap();
    let project = Project::of_host("node1 ansible_host=127.0.0.1 ip=192.168.56.21").without_steps();
    project.write("group_vars/all.yml", "kinstall_provider: container\n");
    let mut written = 0;
    for (_, text) in blocks(&page) {
        let head = text.lines().next().unwrap_or_default();
        let name = head.trim_matches(|letter: char| "{}# ".contains(letter));
        if name.starts_with("playbooks/") || name.starts_with("templates/") {
            project.write(&format!("overrides/{name}"), &text);
            written += 1;
        }
    }
    assert_eq!(written, 2);
    let plan = project.run(&["plan"]);
    assert!(plan.starts_with("exit code 2\n"), "{plan}");
}

#[test]
fn every_error_kind_is_explained_with_its_exit_code() {
    let page = fs::read_to_string("docs/exit-codes.md").unwrap();
    for kind in kinds() {
        let row = format!("| {} | `{}` | ", kind.exit_code(), kind.name());
        assert!(page.contains(&row), "{row}");
    }
}

#[test]
fn every_error_kind_has_its_section_with_what_to_do() {
    let page = fs::read_to_string("docs/troubleshooting.md").unwrap();
    let sections: Vec<&str> = page.split("\n## ").collect();
    for kind in kinds() {
        let title = format!("`{}`: ", kind.name());
        let section = sections.iter().find(|section| section.starts_with(&title));
        let section = section.unwrap_or_else(|| panic!("no section {title}"));
        let code = format!("Exit code {}.", kind.exit_code());
        assert!(section.contains(&code), "{title} lacks: {code}");
    }
}

/// The compiler sees to it that none is left out.
fn kinds() -> Vec<Kind> {
    let following = |kind| match kind {
        Kind::Step => Some(Kind::Inventory),
        Kind::Inventory => Some(Kind::Environment),
        Kind::Environment => Some(Kind::Connection),
        Kind::Connection => Some(Kind::Bundle),
        Kind::Bundle => Some(Kind::Locked),
        Kind::Locked => Some(Kind::Interrupted),
        Kind::Interrupted => Some(Kind::Internal),
        Kind::Internal => None,
    };
    std::iter::successors(Some(Kind::Step), |kind| following(*kind)).collect()
}

#[test]
fn errors_as_json_have_the_fields_of_the_page() {
    let page = fs::read_to_string("docs/exit-codes.md").unwrap();
    let blocks = blocks(&page);
    let (_, example) = blocks.iter().find(|(it, _)| *it == "json").unwrap();
    let project = Project::of_host("node1 ansible_host=127.0.0.300");
    let output = project
        .command(&["up", "--output", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let fields = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let keys = value.as_object().unwrap().keys().cloned();
        let place = value["place"].as_object().unwrap().keys().cloned();
        keys.chain(place).collect::<Vec<_>>()
    };
    assert_eq!(fields(&said), fields(example));
}
