//! The controller's side of the journal: every event of a run as a JSON line, and the log beside it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::RunEvent;
use crate::private_file;

/// Runs that are kept; older ones are removed when a new one begins.
const KEPT: usize = 20;

/// Writes `runs/<run>.jsonl`.
pub struct Journal(BufWriter<File>);

impl Journal {
    /// Begins the journal of a run and forgets the oldest ones.
    pub fn create(directory: &Path, run: &str) -> io::Result<Self> {
        let directory = directory.join("runs");
        private_file::create_folder(&directory)?;
        forget_oldest(&directory, run)?;
        let file = private_file::create(&directory.join(format!("{run}.jsonl")))?;
        Ok(Self(BufWriter::new(file)))
    }

    /// Begins the log of a run, in `runs/<run>.log`.
    pub fn create_log(directory: &Path, run: &str) -> io::Result<File> {
        let directory = directory.join("runs");
        private_file::create_folder(&directory)?;
        private_file::create(&directory.join(format!("{run}.log")))
    }

    /// Adds an event. Uploads are too many and too dull to keep.
    pub fn add(&mut self, event: &RunEvent) -> io::Result<()> {
        if matches!(event, RunEvent::Upload { .. }) {
            return Ok(());
        }
        serde_json::to_writer(&mut self.0, event)?;
        self.0.write_all(b"\n")?;
        self.0.flush()
    }
}

/// Removes the journals and logs of all but the last runs and this one.
fn forget_oldest(directory: &Path, this: &str) -> io::Result<()> {
    let files = fs::read_dir(directory)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut runs: BTreeMap<OsString, Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        let run = file.file_stem().unwrap_or_default().to_owned();
        runs.entry(run).or_default().push(file);
    }
    runs.remove(OsStr::new(this));
    for file in runs.into_values().rev().skip(KEPT - 1).flatten() {
        // Another run may have been faster.
        let _ = fs::remove_file(file);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Journal, KEPT};

    #[test]
    fn the_last_runs_are_kept_with_their_logs() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..KEPT + 3 {
            let run = format!("20260101T0000{number:02}Z-1");
            Journal::create_log(folder.path(), &run).unwrap();
            Journal::create(folder.path(), &run).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(folder.path().join("runs"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 2 * KEPT);
        assert_eq!(names[0], "20260101T000003Z-1.jsonl");
        assert_eq!(names[1], "20260101T000003Z-1.log");
    }
}
