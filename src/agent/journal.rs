//! What a run did on this node, one JSON line an event, in `/var/lib/kinstall/runs`.
//!
//! Events hold no secrets: changes of secrets have no values, and output is redacted where it arises.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::converge::Node;
use crate::converge::marker::STATE;
use crate::wire::Event;

/// Journals kept.
const KEPT: usize = 10;

/// An open journal.
#[derive(Debug)]
pub struct Journal(File);

impl Journal {
    /// Continues or begins the journal of a run, and removes the oldest ones.
    pub fn open(node: &Node, run: &str) -> io::Result<Self> {
        let folder = node.path(STATE).join("runs");
        fs::create_dir_all(&folder)?;
        let name: String = run
            .chars()
            .map(|letter| match letter {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => letter,
                _ => '_',
            })
            .collect();
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(folder.join(format!("{name}.jsonl")))?;
        remove_oldest(&folder)?;
        Ok(Self(file))
    }

    /// Adds an event. A full disk must not stop the run that may be about to repair it.
    pub fn record(&mut self, event: &Event) {
        let time = jiff::Timestamp::now();
        if let Ok(event) = serde_json::to_string(event) {
            let line = format!("{{\"time\":\"{time:.3}\",\"event\":{event}}}\n");
            let _ = self.0.write_all(line.as_bytes());
        }
    }
}

fn remove_oldest(folder: &Path) -> io::Result<()> {
    let mut journals = Vec::new();
    for entry in folder.read_dir()? {
        let entry = entry?;
        journals.push((entry.metadata()?.modified()?, entry.path()));
    }
    journals.sort();
    journals.reverse();
    for (_, path) in journals.iter().skip(KEPT) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Sha256;

    #[test]
    fn ten_are_kept_and_names_stay_in_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        for run in 0..12 {
            let mut journal = Journal::open(&node, &format!("../{run}")).unwrap();
            let blob = Sha256::of(b"x");
            journal.record(&Event::NeedBlob { blob });
        }
        let folder = node.path(STATE).join("runs");
        assert_eq!(folder.read_dir().unwrap().count(), 10);
        let line = fs::read_to_string(folder.join(".._11.jsonl")).unwrap();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(value["event"]["NeedBlob"]["blob"].is_string());
        assert!(value["time"].is_string());
    }
}
