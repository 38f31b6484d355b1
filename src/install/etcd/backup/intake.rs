//! Turns what a control plane sends into a backup's archive, piece by piece.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::Digest as _;

use super::{RECORD, SECRETS, SNAPSHOT};
use crate::report::backup::{FORMAT, Record, Snapshot};
use crate::resource::Sha256;
use crate::secret::Secret;

/// The first line may be this long: it holds some keys and small files.
const LONGEST_LINE: usize = 4 << 20;

/// What a backup has beside the control plane's data.
pub(super) struct Beside {
    pub cluster: String,
    pub control_planes: Vec<String>,
    pub inventory: Vec<(PathBuf, Vec<u8>)>,
    pub secrets: Secret,
}

/// What the control plane says in its first line; the snapshot follows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    snapshot: Snapshot,
    /// A tar archive in base64.
    files: Secret,
}

/// An archive that is being written.
pub(super) struct Intake<W: Write> {
    archive: tar::Builder<W>,
    beside: Beside,
    line: Vec<u8>,
    begun: Option<(Record, sha2::Sha256, u64)>,
}

impl<W: Write> Intake<W> {
    pub(super) fn new(sink: W, beside: Beside) -> Self {
        Self {
            archive: tar::Builder::new(sink),
            beside,
            line: Vec::new(),
            begun: None,
        }
    }

    /// Tells whether anything was written: another control plane can't be asked any more.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Takes what a control plane sends.
    pub(super) fn take(&mut self, node: &str, mut bytes: &[u8]) -> io::Result<()> {
        if self.begun.is_none() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (own, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.line.extend_from_slice(own);
            if self.line.len() > LONGEST_LINE {
                return Err(io::Error::other("it does not say what it sends"));
            }
            let Some((_, rest)) = rest.split_first() else {
                return Ok(());
            };
            bytes = rest;
            self.begin(node)?;
        }
        if let Some((_, hasher, received)) = &mut self.begun {
            hasher.update(bytes);
            *received += bytes.len() as u64;
            self.archive.get_mut().write_all(bytes)?;
        }
        Ok(())
    }

    /// Ends the archive, if all of the snapshot came as it was announced.
    pub(super) fn finish(self) -> io::Result<(W, Record)> {
        let Self {
            mut archive, begun, ..
        } = self;
        let Some((record, hasher, received)) = begun else {
            return Err(io::Error::other("the control plane sent nothing"));
        };
        let snapshot = &record.snapshot;
        if received != snapshot.size || Sha256::from_hasher(hasher) != snapshot.sha256 {
            return Err(io::Error::other(
                "the snapshot did not arrive as it was sent",
            ));
        }
        let padding = (512 - received % 512) % 512;
        let zeros = [0; 512];
        archive
            .get_mut()
            .write_all(&zeros[..usize::try_from(padding).unwrap_or(0)])?;
        Ok((archive.into_inner()?, record))
    }

    fn begin(&mut self, node: &str) -> io::Result<()> {
        let told: Told = serde_json::from_slice(&self.line).map_err(|_| {
            io::Error::other("it does not say what it sends in a form that this kinstall knows")
        })?;
        self.line.clear();
        let record = Record {
            format: FORMAT,
            kinstall: env!("CARGO_PKG_VERSION").to_owned(),
            cluster: self.beside.cluster.clone(),
            control_planes: self.beside.control_planes.clone(),
            node: node.to_owned(),
            snapshot: told.snapshot,
        };
        self.file(Path::new(RECORD), &serde_json::to_vec_pretty(&record)?)?;
        for (path, content) in std::mem::take(&mut self.beside.inventory) {
            self.file(&Path::new("inventory").join(path), &content)?;
        }
        let secrets = self.beside.secrets.clone();
        self.file(Path::new(SECRETS), secrets.expose().as_bytes())?;
        let files = STANDARD
            .decode(told.files.expose())
            .map_err(io::Error::other)?;
        for entry in tar::Archive::new(files.as_slice()).entries()? {
            let mut entry = entry?;
            if entry.header().entry_type().is_file() {
                let path = Path::new("node").join(entry.path()?);
                let mut content = Vec::new();
                io::Read::read_to_end(&mut entry, &mut content)?;
                self.file(&path, &content)?;
            }
        }
        // Its content follows as it comes.
        let mut header = tar::Header::new_gnu();
        header.set_path(SNAPSHOT)?;
        header.set_size(record.snapshot.size);
        header.set_mode(0o600);
        header.set_cksum();
        self.archive.get_mut().write_all(header.as_bytes())?;
        self.begun = Some((record, sha2::Sha256::new(), 0));
        Ok(())
    }

    fn file(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        self.archive.append_data(&mut header, path, content)
    }
}
