//! One archive for a report of a fault, without secrets.
//!
//! ```text
//! inventory, journals and logs, status, what nodes say -> redaction -> a list for the user -> FILE.tar.gz
//! ```

mod nodes;
mod redaction;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use self::redaction::Redaction;
use super::lab::{Keys, LabMachines};
use super::project::{self, Project};
use super::{history, status, stores};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::error_chain::error_chain;
use crate::inventory::{Inventory, Vault};
use crate::private_file;
use crate::run::RunEvent;
use crate::wire::Event;

/// Runs whose journals and logs are taken: the last ones.
const RUNS: usize = 5;

/// Most bytes of a journal or log: its end.
const MOST: usize = 2_000_000;

/// A file of the archive.
#[derive(Debug)]
pub struct Item {
    pub name: String,
    text: String,
}

impl Item {
    fn new(name: impl Into<String>, text: String) -> Self {
        Self {
            name: name.into(),
            text,
        }
    }

    /// Returns its size in bytes.
    pub fn size(&self) -> usize {
        self.text.len()
    }
}

/// Puts together what there is; a part that can't be had is left out, or says why. Nothing secret is in it.
pub fn collect(path: &Path, vault: Vault, bundle: Option<&Path>) -> Result<Vec<Item>, Diagnostics> {
    let directory = project::state_folder(path)?;
    let inventory = Inventory::load(path, vault.clone()).ok().map(|it| it.0);
    let redaction = Redaction::of(&directory, inventory.as_ref());
    let mut items = vec![Item::new("versions.txt", versions(bundle))];
    items.extend(runs(&directory)?);
    let (facts, mut problems) = (facts(&items), Vec::new());
    items.push(Item::new("facts.json", facts));
    match Project::load(path, vault) {
        Ok(mut project) => match LabMachines::of(&mut project, Keys::Read) {
            Ok(machines) => {
                match status::of(&project, &machines) {
                    Ok(status) => items.push(Item::new("status.json", pretty(&status))),
                    Err(errors) => problems.extend(errors),
                }
                items.extend(nodes::ask(&project, &machines)?);
            }
            Err(errors) => problems.extend(errors),
        },
        Err(errors) => problems.extend(errors),
    }
    if !problems.is_empty() {
        items.push(Item::new("problems.txt", messages(&problems)));
    }
    for item in &mut items {
        item.text = redaction.of_text(&item.text);
    }
    for file in variable_files(path, inventory.as_ref()) {
        let text = fs::read(&file).unwrap_or_default();
        let folder = directory.parent().unwrap_or(Path::new(""));
        let real = dunce::canonicalize(&file).unwrap_or_else(|_| file.clone());
        let name = real
            .strip_prefix(folder)
            .ok()
            .or(file.file_name().map(Path::new));
        let name = name.unwrap_or(&file).display();
        let text = redaction.of_variables(&String::from_utf8_lossy(&text));
        items.push(Item::new(format!("inventory/{name}"), text));
    }
    items.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(items)
}

/// Writes the archive, which only its owner may read.
pub fn write(items: &[Item], file: &Path) -> Result<(), Diagnostics> {
    let packed = pack(items).and_then(|bytes| private_file::write(file, &bytes));
    packed.map_err(|error| {
        let message = format!("failed to write `{}`: {error}", file.display());
        vec![Diagnostic::error(Kind::Environment, message)]
    })
}

fn pack(items: &[Item]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for item in items {
        let mut header = tar::Header::new_gnu();
        header.set_size(item.text.len() as u64);
        header.set_mode(0o600);
        let path = Path::new("kinstall-support").join(&item.name);
        archive.append_data(&mut header, path, item.text.as_bytes())?;
    }
    let mut bytes = archive.into_inner()?.finish()?;
    bytes.flush()?;
    Ok(bytes)
}

fn versions(bundle: Option<&Path>) -> String {
    let bundle = match stores::open_bundle(bundle) {
        // Which parts there are; their hashes tell builds apart.
        Ok(bundle) => pretty(bundle.manifest()),
        Err(errors) => messages(&errors),
    };
    format!(
        "kinstall {}\ncontroller {} {}\nbundle {bundle}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

fn messages(errors: &[Diagnostic]) -> String {
    let messages: Vec<&str> = errors.iter().map(|it| it.message.as_str()).collect();
    messages.join("\n")
}

/// Returns journals and logs of the last runs, and the list of all.
fn runs(directory: &Path) -> Result<Vec<Item>, Diagnostics> {
    let mut items = vec![Item::new("runs.json", pretty(&history::all(directory)?))];
    for run in history::names(directory)?.iter().rev().take(RUNS) {
        for ending in ["jsonl", "log"] {
            let name = format!("runs/{run}.{ending}");
            if let Ok(bytes) = fs::read(directory.join(&name)) {
                let start = bytes.len().saturating_sub(MOST);
                let text = String::from_utf8_lossy(&bytes[start..]).into_owned();
                items.push(Item::new(name, text));
            }
        }
    }
    Ok(items)
}

/// Returns what the nodes said of themselves when they were last connected to.
fn facts(items: &[Item]) -> String {
    let mut facts = serde_json::Map::new();
    let journals = items.iter().filter(|it| it.name.starts_with("runs/"));
    for line in journals.flat_map(|journal| journal.text.lines()) {
        if let Ok(RunEvent::Agent {
            host,
            event: Event::Hello { facts: found, .. },
        }) = serde_json::from_str(line)
        {
            // The newest journal comes first.
            facts.entry(host).or_insert_with(|| json!(found));
        }
    }
    pretty(&Value::Object(facts))
}

/// Returns the inventory's files, and all that lie in the folders of variables beside it.
fn variable_files(path: &Path, inventory: Option<&Inventory>) -> Vec<PathBuf> {
    let absolute = dunce::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let read = inventory.map(|inventory| inventory.files.iter().map(|it| it.path.clone()));
    let mut files: Vec<PathBuf> = match read {
        Some(read) => read.collect(),
        None if absolute.is_file() => vec![absolute.clone()],
        None => Vec::new(),
    };
    let folder = match absolute.parent() {
        Some(parent) if !absolute.is_dir() => parent,
        _ => &absolute,
    };
    for name in ["group_vars", "host_vars"] {
        add_files(&folder.join(name), &mut files);
    }
    files
}

fn add_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_hidden = path
            .file_name()
            .is_some_and(|it| it.to_string_lossy().starts_with('.'));
        if is_hidden {
            // Neither Ansible nor kinstall reads it, and it may hold a password and nothing else.
        } else if path.is_dir() {
            add_files(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| error_chain(&error))
}
