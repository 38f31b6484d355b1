//! The controller's side of the journal: every event of a run as a JSON line.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

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
        let mut old: Vec<_> = fs::read_dir(&directory)?
            .filter_map(|it| Some(it.ok()?.path()))
            .collect();
        old.sort();
        for path in old.iter().rev().skip(KEPT - 1) {
            // Another run may have been faster.
            let _ = fs::remove_file(path);
        }
        let file = private_file::create(&directory.join(format!("{run}.jsonl")))?;
        Ok(Self(BufWriter::new(file)))
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
