//! Downloads files whose hash is known, over connections that break.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

use crate::diagnostic::{Diagnostic, Kind};
use crate::digest::{self, Digest};
use crate::secret::Secret;

/// News of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    Bytes {
        done: u64,
        total: Option<u64>,
    },
    /// Waiting before the next try.
    Retry {
        reason: &'a str,
    },
}

/// Where news go.
pub type Report<'a> = dyn Fn(Progress<'_>) + 'a;

/// In bytes; a distribution's list of hashes is far below it.
const LONGEST_TEXT: u64 = 4 << 20;

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

impl Patience {
    /// Tries until it works or is of no use.
    fn insist<T>(
        &self,
        report: &Report<'_>,
        attempt: impl Fn() -> Result<T, DownloadError>,
    ) -> Result<T, DownloadError> {
        let mut pause = self.pause;
        for _ in 1..self.attempts {
            match attempt() {
                Err(error) if error.is_passing() => {
                    let reason = Diagnostic::from_error(Kind::Environment, &error).message;
                    report(Progress::Retry { reason: &reason });
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                outcome => return outcome,
            }
        }
        attempt()
    }

    fn call_error(&self, url: &str, source: ureq::Error) -> DownloadError {
        let url = url.into();
        match source {
            ureq::Error::Timeout(_) => DownloadError::Stalled {
                url,
                stall: self.stall,
            },
            source => DownloadError::Connection { url, source },
        }
    }

    fn agent(&self, server: &Server) -> ureq::Agent {
        let config = self.config(server);
        let config = config.timeout_recv_response(Some(self.stall));
        config.build().into()
    }

    /// Makes requests of a server that may think about its answer for so long.
    pub fn agent_that_waits(&self, server: &Server, answer: Duration) -> ureq::Agent {
        let config = self
            .config(server)
            .timeout_recv_response(Some(answer))
            .timeout_per_read(Some(answer));
        config.build().into()
    }

    /// Proxies are those of the environment: `https_proxy`, `all_proxy`, `no_proxy`.
    fn config(&self, server: &Server) -> ConfigBuilder<AgentScope> {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .https_only(server.https_only)
            .timeout_connect(Some(self.stall))
            .timeout_per_read(Some(self.stall))
            .user_agent(concat!("kinstall/", env!("CARGO_PKG_VERSION")));
        if let Some(authorities) = &server.authorities {
            let roots = RootCerts::Specific(Arc::clone(authorities));
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        if server.is_direct {
            config = config.proxy(None);
        }
        config
    }
}

/// What a server wants beyond what is usual.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// The header; only this server sees it, and none that it redirects to.
    pub authorization: Option<Secret>,
    /// Who may vouch for it, in place of those who vouch for all.
    pub authorities: Option<Arc<Vec<Certificate<'static>>>>,
    /// It may not lead to an address without TLS.
    pub https_only: bool,
    /// No proxy leads to it.
    pub is_direct: bool,
}

/// Returns a short text, such as a list of hashes. An https address may not lead to one without it:
/// nothing else vouches for the text.
pub fn text(url: &str, patience: Patience, report: &Report<'_>) -> Result<String, DownloadError> {
    let server = Server {
        https_only: url.starts_with("https:"),
        ..Server::default()
    };
    patience.insist(report, || {
        let agent = patience.agent(&server);
        let mut response =
            (agent.get(url).call()).map_err(|error| patience.call_error(url, error))?;
        let status = response.status().as_u16();
        if status != 200 {
            let url = url.into();
            return Err(DownloadError::Status { url, status });
        }
        let body = response.body_mut().with_config().limit(LONGEST_TEXT);
        (body.read_to_string()).map_err(|error| patience.call_error(url, error))
    })
}

/// Why a file could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error("`{url}` answers with status {status}")]
    Status { url: String, status: u16 },
    #[error("`{url}` gave another file: {} {}, expected {}", expected.algorithm().name(), actual.hex(), expected.hex())]
    Hash {
        url: String,
        expected: Digest,
        actual: Digest,
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
        use ureq::Error as Cause;
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Hash { .. } | Self::Write { .. } => false,
            Self::Connection { source, .. } => !matches!(
                source,
                Cause::BadUri(_)
                    | Cause::Http(_)
                    | Cause::TooManyRedirects
                    | Cause::RequireHttpsOnly(_)
                    | Cause::BodyExceedsLimit(_)
            ),
            Self::Stalled { .. } | Self::Cut { .. } => true,
        }
    }
}

/// A file of a server's, known by its hash.
#[derive(Clone, Copy, Debug)]
pub struct Download<'a> {
    pub url: &'a str,
    pub digest: &'a Digest,
    pub server: &'a Server,
    pub patience: Patience,
}

impl Download<'_> {
    /// Returns the file's path in `folder`, where it is named by its hash; downloads it if it isn't
    /// there. A part that an earlier run left is gone on with.
    pub fn fetch(&self, folder: &Path, report: &Report<'_>) -> Result<PathBuf, DownloadError> {
        let path = folder.join(self.digest.hex());
        let partial = path.with_extension("part");
        let write_error = |source| DownloadError::Write {
            path: partial.clone(),
            source,
        };
        if self.hash(&path).is_ok_and(|actual| actual == *self.digest) {
            return Ok(path);
        }
        fs::create_dir_all(folder).map_err(write_error)?;
        let resumed = fs::metadata(&partial).is_ok_and(|metadata| metadata.len() > 0);
        self.patience
            .insist(report, || self.attempt(&partial, report))?;
        let mut actual = self.hash(&partial).map_err(write_error)?;
        if actual != *self.digest {
            fs::remove_file(&partial).map_err(write_error)?;
            if resumed {
                // The first part may be the bad one, of another time or server.
                self.patience
                    .insist(report, || self.attempt(&partial, report))?;
                actual = self.hash(&partial).map_err(write_error)?;
            }
        }
        if actual != *self.digest {
            // Removed already where there was only one try.
            let _ = fs::remove_file(&partial);
            return Err(DownloadError::Hash {
                url: self.url.into(),
                expected: self.digest.clone(),
                actual,
            });
        }
        fs::rename(&partial, &path).map_err(write_error)?;
        Ok(path)
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
        let mut request = self.patience.agent(self.server).get(self.url);
        if let Some(authorization) = &self.server.authorization {
            request = request.header("Authorization", authorization.expose());
        }
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = request
            .call()
            .map_err(|error| self.patience.call_error(self.url, error))?;
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
            report(Progress::Bytes { done, total });
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

    fn hash(&self, path: &Path) -> io::Result<Digest> {
        digest::of_reader(self.digest.algorithm(), File::open(path)?)
    }
}

/// Tells if the server sends what was asked for: `Content-Range: bytes 100-199/200`.
fn starts_at(response: &ureq::http::Response<ureq::Body>, offset: u64) -> bool {
    let range = response.headers().get("content-range");
    let range = range.and_then(|value| value.to_str().ok()?.strip_prefix("bytes "));
    let start = range.and_then(|range| range.split_once('-')?.0.parse().ok());
    start == Some(offset)
}
