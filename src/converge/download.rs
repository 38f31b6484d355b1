//! Files that the node itself downloads.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use super::draft::{Access, Draft};
use super::error::FileContext;
use super::file_state::{FileState, Kind};
use super::marker::STATE;
use super::stat_cache::hash_file;
use super::{Converge, Node, ResourceError, disk};
use crate::resource::{Action, Change, Download, Sha256};

/// Attempts before a broken connection is an error.
const ATTEMPTS: u32 = 5;
/// A server that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// What is at the path now.
#[derive(Debug)]
pub struct Observed {
    state: Option<FileState>,
    sha256: Option<Sha256>,
}

impl Converge for Download {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let state = FileState::of(&self.path, node)?;
        let sha256 = match &state {
            Some(state) if state.kind == Kind::File => Some(node.sha256(&self.path)?),
            _ => None,
        };
        Ok(Observed { state, sha256 })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let Some(state) = &observed.state else {
            return vec![Change::new(Action::Create, "content")];
        };
        if observed.sha256 == Some(self.sha256) {
            state.access_changes(self.mode, None, None)
        } else {
            vec![Change::new(Action::Update, "content")]
        }
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let target = node.path(&self.path);
        let access = Access {
            mode: self.mode,
            user: None,
            group: None,
        };
        if changes.iter().all(|change| change.subject == "mode") {
            return super::file_state::set_access(&target, access);
        }
        let part = node.path(&format!("{STATE}/downloads/{}", self.sha256));
        if let Some(folder) = part.parent() {
            fs::create_dir_all(folder).doing("create the folder", folder)?;
        }
        self.download(&part, node)?;
        let arrived = hash_file(&part)?;
        if arrived != self.sha256 {
            fs::remove_file(&part).doing("remove", &part)?;
            return Err(ResourceError::other(format!(
                "{} has the wrong content: its sha256 is {arrived}, not {}",
                self.url, self.sha256
            )));
        }
        let size = fs::metadata(&part).map_or(0, |metadata| metadata.len());
        let mut draft = Draft::new(&target, size)?;
        draft.copy_file(&part)?;
        draft.publish(access)?;
        fs::remove_file(&part).doing("remove", &part)?;
        node.learn_sha256(&self.path, self.sha256);
        Ok(())
    }
}

impl Download {
    /// Fetches into `part`, continuing what an earlier attempt or run left there.
    fn download(&self, part: &Path, node: &Node) -> Result<(), ResourceError> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .build()
            .new_agent();
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            node.cancel()
                .sleep(Duration::from_secs(u64::from(attempt)))?;
            match self.attempt(&agent, part, node) {
                Ok(()) => return Ok(()),
                Err(Attempt::Final(error)) => return Err(error),
                Err(Attempt::Again(reason)) => last = reason,
            }
        }
        Err(ResourceError::other(format!(
            "failed to download {} in {ATTEMPTS} attempts: {last}",
            self.url
        )))
    }

    fn attempt(&self, agent: &ureq::Agent, part: &Path, node: &Node) -> Result<(), Attempt> {
        let have = fs::metadata(part).map_or(0, |metadata| metadata.len());
        let mut request = agent.get(&self.url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = request
            .call()
            .map_err(|error| Attempt::Again(error.to_string()))?;
        let status = response.status().as_u16();
        let start = match status {
            200 => 0,
            206 => have,
            // Nothing is missing: the digest decides whether it is right.
            416 if have > 0 => return Ok(()),
            408 | 429 | 500..=599 => return Err(Attempt::Again(format!("HTTP {status}"))),
            _ => {
                return Err(Attempt::Final(ResourceError::other(format!(
                    "failed to download {}: HTTP {status}",
                    self.url
                ))));
            }
        };
        let length = response.body().content_length();
        let total = length.map_or(0, |length| start + length);
        disk::require(part, length.unwrap_or(0)).map_err(Attempt::Final)?;
        let mut file = OpenOptions::new()
            .create(true)
            .append(start > 0)
            .write(true)
            .truncate(start == 0)
            .open(part)
            .doing("open", part)
            .map_err(Attempt::Final)?;
        let mut reader = response.into_body().into_reader();
        let mut buffer = vec![0; 256 << 10];
        let mut done = start;
        loop {
            node.cancel().check_now().map_err(Attempt::Final)?;
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Attempt::Again(error.to_string())),
            };
            file.write_all(&buffer[..count])
                .doing("write", part)
                .map_err(Attempt::Final)?;
            done += count as u64;
            node.progress(done, total);
        }
        if total > 0 && done < total {
            return Err(Attempt::Again("the connection ended early".to_owned()));
        }
        Ok(())
    }
}

/// Why an attempt failed.
enum Attempt {
    /// Worth another one.
    Again(String),
    Final(ResourceError),
}

#[cfg(test)]
mod tests;
