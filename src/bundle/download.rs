//! Downloads files whose hash is known, over connections that break.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::hashing::HashingWriter;
use super::progress::{Progress, Report};
use crate::diagnostic::{Diagnostic, Kind};
use crate::resource::Sha256;

/// How long a download is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A connection that gives no byte for so long is given up.
    pub stall: Duration,
    /// Connections in all; each goes on where the last one ended.
    pub attempts: u32,
    /// Before the second attempt; twice as long before each further one.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error("`{url}` answers with status {status}")]
    Status { url: String, status: u16 },
    #[error("`{url}` gave another file: sha256 {actual}, expected {expected}")]
    Hash {
        url: String,
        expected: Sha256,
        actual: Sha256,
    },
    #[error("`{url}` stopped sending: no byte for {} seconds", stall.as_secs_f32())]
    Stalled { url: String, stall: Duration },
    #[error("`{url}` ended early: {done} of {total} bytes")]
    Cut { url: String, done: u64, total: u64 },
    #[error("failed to download `{url}`")]
    Connection { url: String, source: ureq::Error },
    #[error("failed to write `{path}`", path = path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl DownloadError {
    /// Tells if another attempt may end better.
    fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Hash { .. } | Self::Write { .. } => false,
            Self::Stalled { .. } | Self::Cut { .. } | Self::Connection { .. } => true,
        }
    }
}

impl From<DownloadError> for Diagnostic {
    fn from(error: DownloadError) -> Self {
        let hint = match &error {
            DownloadError::Status {
                status: 404 | 410, ..
            } => {
                "the file is no longer there: name a mirror that has it with `--mirror URL`, or build \
                 the bundle with `kinstall bundle build`"
            }
            DownloadError::Status { .. } => {
                "the server refuses: try later, or name a mirror with `--mirror URL`"
            }
            DownloadError::Hash { .. } => {
                "what was downloaded is removed; if it happens again, the server or something on the \
                 way changes files: don't use it"
            }
            DownloadError::Stalled { .. }
            | DownloadError::Cut { .. }
            | DownloadError::Connection { .. } => {
                "what came so far is kept: check the network and run the command again, or name a \
                 mirror with `--mirror URL`"
            }
            DownloadError::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "the disk is full: make room there, or choose another place with KINSTALL_CACHE"
            }
            DownloadError::Write { .. } => "is the folder yours to write to?",
        };
        Diagnostic::from_error(Kind::Bundle, &error).hint(hint)
    }
}

/// A file of a server's, known by its hash.
#[derive(Clone, Copy, Debug)]
pub struct Download<'a> {
    /// What it is for, in reports.
    pub part: &'a str,
    pub url: &'a str,
    pub sha256: Sha256,
    pub patience: Patience,
}

impl Download<'_> {
    /// Returns the file's path in `folder`, where it is named by its hash; downloads it if it isn't
    /// there. A part that an earlier run left is gone on with.
    pub fn fetch(&self, folder: &Path, report: &Report<'_>) -> Result<PathBuf, DownloadError> {
        let path = folder.join(self.sha256.to_string());
        let partial = path.with_extension("part");
        let write_error = |source| DownloadError::Write {
            path: partial.clone(),
            source,
        };
        if hash(&path).is_ok_and(|actual| actual == self.sha256) {
            return Ok(path);
        }
        fs::create_dir_all(folder).map_err(write_error)?;
        let resumed = fs::metadata(&partial).is_ok_and(|metadata| metadata.len() > 0);
        self.persist(&partial, report)?;
        let mut actual = hash(&partial).map_err(write_error)?;
        if actual != self.sha256 {
            fs::remove_file(&partial).map_err(write_error)?;
            if resumed {
                // The first part may be the bad one, of another time or server.
                self.persist(&partial, report)?;
                actual = hash(&partial).map_err(write_error)?;
            }
        }
        if actual != self.sha256 {
            // Removed already where there was only one try.
            let _ = fs::remove_file(&partial);
            return Err(DownloadError::Hash {
                url: self.url.into(),
                expected: self.sha256,
                actual,
            });
        }
        fs::rename(&partial, &path).map_err(write_error)?;
        Ok(path)
    }

    /// Tries until the server says that it is complete.
    fn persist(&self, partial: &Path, report: &Report<'_>) -> Result<(), DownloadError> {
        let mut pause = self.patience.pause;
        for _ in 1..self.patience.attempts {
            match self.attempt(partial, report) {
                Err(error) if error.is_passing() => {
                    let reason = Diagnostic::from_error(Kind::Bundle, &error).message;
                    report(Progress::Retry {
                        part: self.part,
                        reason: &reason,
                    });
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
        self.attempt(partial, report)
    }

    fn attempt(&self, partial: &Path, report: &Report<'_>) -> Result<(), DownloadError> {
        let url = || self.url.to_owned();
        let write_error = |source| DownloadError::Write {
            path: partial.into(),
            source,
        };
        let mut file =
            (OpenOptions::new().create(true).append(true).open(partial)).map_err(write_error)?;
        let have = file.metadata().map_err(write_error)?.len();
        let mut request = self.agent().get(self.url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = request.call().map_err(|source| match source {
            ureq::Error::Timeout(_) => DownloadError::Stalled {
                url: url(),
                stall: self.patience.stall,
            },
            source => DownloadError::Connection { url: url(), source },
        })?;
        let mut done = match response.status().as_u16() {
            206 if starts_at(&response, have) => have,
            200 => 0,
            // The part is as long as the file or longer: its hash tells.
            416 if have > 0 => return Ok(()),
            206 => {
                // Another range than the one asked for is of no use.
                file.set_len(0).map_err(write_error)?;
                return Err(DownloadError::Cut {
                    url: url(),
                    done: 0,
                    total: have,
                });
            }
            status => return Err(DownloadError::Status { url: url(), status }),
        };
        if done < have {
            file.set_len(0).map_err(write_error)?;
        }
        let total = response.body().content_length().map(|rest| done + rest);
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return Err(self.read_error(error, done, total)),
            };
            file.write_all(&buffer[..count]).map_err(write_error)?;
            done += count as u64;
            report(Progress::Bytes {
                part: self.part,
                done,
                total,
            });
        }
        match total {
            Some(total) if done < total => Err(DownloadError::Cut {
                url: url(),
                done,
                total,
            }),
            _ => file.sync_all().map_err(write_error),
        }
    }

    fn read_error(&self, source: io::Error, done: u64, total: Option<u64>) -> DownloadError {
        let url = self.url.to_owned();
        match (ureq::Error::from(source), total) {
            (ureq::Error::Timeout(_), _) => DownloadError::Stalled {
                url,
                stall: self.patience.stall,
            },
            (ureq::Error::Io(error), Some(total))
                if error.kind() == io::ErrorKind::UnexpectedEof =>
            {
                DownloadError::Cut { url, done, total }
            }
            (source, _) => DownloadError::Connection { url, source },
        }
    }

    fn agent(&self) -> ureq::Agent {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(self.patience.stall))
            .timeout_per_read(Some(self.patience.stall))
            .user_agent(concat!("kinstall/", env!("CARGO_PKG_VERSION")));
        config.build().into()
    }
}

/// Puts a mirror in the place of a URL's scheme and host.
pub(super) fn on_mirror(url: &str, mirror: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.split_once('/').map_or("", |(_, path)| path);
    format!("{}/{path}", mirror.trim_end_matches('/'))
}

/// Tells if the server sends what was asked for: `Content-Range: bytes 100-199/200`.
fn starts_at(response: &ureq::http::Response<ureq::Body>, offset: u64) -> bool {
    let range = response.headers().get("content-range");
    let range = range.and_then(|value| value.to_str().ok()?.strip_prefix("bytes "));
    let start = range.and_then(|range| range.split_once('-')?.0.parse().ok());
    start == Some(offset)
}

fn hash(path: &Path) -> io::Result<Sha256> {
    let mut hasher = HashingWriter::new(io::sink());
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finish().1.sha256)
}
