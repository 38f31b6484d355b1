//! The journals of earlier runs, in `.kinstall/runs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::named_hosts;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::report::history::PastRun;
use crate::run::RunEvent;

/// Returns all runs that are kept, the oldest first.
pub fn all(directory: &Path) -> Result<Vec<PastRun>, Diagnostics> {
    let mut runs = Vec::new();
    for name in names(directory)? {
        runs.push(read(directory, &name)?);
    }
    Ok(runs)
}

/// Returns one run, by its name or the beginning of it; the last one is `last`.
pub fn one(directory: &Path, wanted: &str) -> Result<PastRun, Diagnostics> {
    let names = names(directory)?;
    let mut found = names.iter().filter(|name| name.starts_with(wanted));
    let name = match (wanted, found.next(), found.next()) {
        ("last", _, _) => names.last(),
        (_, Some(name), None) => Some(name),
        (_, Some(first), Some(second)) => {
            let message = format!("`{wanted}` may be {first} or {second}");
            return Err(vec![Diagnostic::error(Kind::Environment, message)]);
        }
        (_, None, _) => None,
    };
    if let Some(name) = name {
        return read(directory, name);
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = named_hosts::unknown("run", wanted, &known, "the journals are of");
    Err(vec![error.with_kind(Kind::Environment)])
}

/// Returns the names of the runs that are kept, the oldest first.
pub fn names(directory: &Path) -> Result<Vec<String>, Diagnostics> {
    let folder = directory.join("runs");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(&folder).map_err(|error| failed(&folder, &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let journals = paths.filter(|path| path.extension().is_some_and(|it| it == "jsonl"));
    let names = journals.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

/// Returns what happened in a run.
pub fn events(directory: &Path, run: &str) -> Result<Vec<RunEvent>, Diagnostics> {
    let path = journal(directory, run);
    let text = fs::read(&path).map_err(|error| failed(&path, &error))?;
    let text = String::from_utf8_lossy(&text);
    // The last line may be cut off, and other versions have other events.
    let events = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    Ok(events.collect())
}

fn read(directory: &Path, run: &str) -> Result<PastRun, Diagnostics> {
    let path = journal(directory, run);
    let events = events(directory, run)?;
    let lasted = began(run).zip(fs::metadata(&path).and_then(|it| it.modified()).ok());
    let lasted = lasted.and_then(|(began, ended)| ended.duration_since(began).ok());
    Ok(PastRun::of(run, events, lasted.unwrap_or(Duration::ZERO)))
}

fn journal(directory: &Path, run: &str) -> PathBuf {
    directory.join("runs").join(format!("{run}.jsonl"))
}

fn began(run: &str) -> Option<SystemTime> {
    let stamp = run.split('-').next()?;
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(time.timestamp().into())
}

fn failed(path: &Path, error: &std::io::Error) -> Diagnostics {
    let message = format!("failed to read `{}`: {error}", path.display());
    vec![Diagnostic::error(Kind::Environment, message)]
}
