//! The program that is pushed to hosts: kinstall itself, or on another system than Linux the one inside it.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::Digest;

use super::embedded_agent::{EMBEDDED, EmbeddedAgent};
use crate::private_file;
use crate::resource::Sha256;

/// Measured with a program of 20.8 MB: level 1 makes 9.4 MB of it, 3 makes 8.1, 6 and 9 make 7.9; 3 takes
/// three times as long as 1, 6 and 9 take three and six times as long as 3.
const LEVEL: u32 = 3;
/// The compressed copy in the cache.
const COPY: &str = "agent.gz";

/// An executable that speaks the agent's protocol, named by its content.
#[derive(Debug)]
pub struct AgentBinary {
    pub sha256: Sha256,
    /// What `uname -sm` prints where it runs: `Linux x86_64`.
    pub system: String,
    /// Folders that may hold it on hosts, best first.
    pub folders: Vec<String>,
    source: Source,
}

/// Where the program comes from.
#[derive(Debug)]
enum Source {
    File {
        path: PathBuf,
        /// Folder of compressed copies.
        cache: PathBuf,
        compressed: OnceLock<Vec<u8>>,
    },
    /// Inside this program, gzipped.
    Embedded(&'static [u8]),
}

/// There is no program to push.
#[derive(Debug, thiserror::Error)]
pub enum NoAgent {
    #[error("failed to read kinstall's own program")]
    Read(#[from] io::Error),
    #[error("this build of kinstall has no agent for Linux {architecture} inside")]
    NotInside { architecture: &'static str },
}

impl AgentBinary {
    /// Takes the running program, or the one inside it. `cache` is a folder that may be emptied at any time.
    pub fn current(cache: &Path) -> Result<Self, NoAgent> {
        use std::env::consts::{ARCH, OS};
        match embedded(OS, ARCH, EMBEDDED)? {
            None => Ok(Self::open(Path::new("/proc/self/exe"), cache)?),
            Some(agent) => {
                let sha256 = hash(GzDecoder::new(agent.gzip))?;
                Ok(Self::new(sha256, Source::Embedded(agent.gzip)))
            }
        }
    }

    /// Takes any executable for this computer's architecture.
    pub fn open(file: &Path, cache: &Path) -> io::Result<Self> {
        let source = Source::File {
            path: file.to_owned(),
            cache: cache.to_owned(),
            compressed: OnceLock::new(),
        };
        Ok(Self::new(hash(fs::File::open(file)?)?, source))
    }

    fn new(sha256: Sha256, source: Source) -> Self {
        Self {
            sha256,
            system: format!("Linux {}", std::env::consts::ARCH),
            folders: ["/usr/local/libexec/kinstall", "/var/lib/kinstall/agent"]
                .map(str::to_owned)
                .to_vec(),
            source,
        }
    }

    /// Returns the gzipped program; compressed only once per build.
    pub(super) fn compressed(&self) -> io::Result<&[u8]> {
        let (path, cache, compressed) = match &self.source {
            Source::Embedded(gzip) => return Ok(gzip),
            Source::File {
                path,
                cache,
                compressed,
            } => (path, cache, compressed),
        };
        if let Some(bytes) = compressed.get() {
            return Ok(bytes);
        }
        // One place for all builds: the copies of those before this one would stay for ever.
        let cached = cache.join(COPY);
        let bytes = match fs::read(&cached) {
            Ok(bytes) if self.is_copy(&bytes) => bytes,
            _ => {
                let bytes = compress(path)?;
                // Without a cache it is only slower.
                let _ = private_file::write(&cached, &bytes);
                bytes
            }
        };
        Ok(compressed.get_or_init(|| bytes))
    }

    fn is_copy(&self, compressed: &[u8]) -> bool {
        hash(GzDecoder::new(compressed)).is_ok_and(|sha256| sha256 == self.sha256)
    }
}

/// Returns which of the agents inside this build to push; `None` on Linux: the running program. Hosts have
/// this computer's architecture, as the bundle has.
fn embedded<'a>(
    system: &str,
    architecture: &'static str,
    inside: &'a [EmbeddedAgent],
) -> Result<Option<&'a EmbeddedAgent>, NoAgent> {
    if system == "linux" {
        return Ok(None);
    }
    let agent = inside.iter().find(|it| it.architecture == architecture);
    agent.map(Some).ok_or(NoAgent::NotInside { architecture })
}

fn compress(path: &Path) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(&fs::read(path)?)?;
    encoder.finish()
}

fn hash(mut reader: impl Read) -> io::Result<Sha256> {
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(Sha256::from_hasher(hasher)),
            count => hasher.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{AgentBinary, EmbeddedAgent, embedded};

    #[test]
    fn linux_pushes_itself_and_other_systems_what_they_carry() {
        let agent = |architecture| EmbeddedAgent {
            architecture,
            gzip: &[],
        };
        let inside = [agent("x86_64"), agent("aarch64")];
        let choice = |system, architecture, inside| match embedded(system, architecture, inside) {
            Ok(Some(agent)) => agent.architecture.to_owned(),
            Ok(None) => "itself".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(choice("linux", "x86_64", &inside), "itself");
        assert_eq!(choice("windows", "x86_64", &inside), "x86_64");
        assert_eq!(choice("macos", "aarch64", &inside), "aarch64");
        assert_eq!(
            choice("macos", "aarch64", &inside[..1]),
            "this build of kinstall has no agent for Linux aarch64 inside"
        );
    }

    #[test]
    fn a_damaged_cache_is_not_pushed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "a program").unwrap();
        let open = || AgentBinary::open(&program, folder.path()).unwrap();
        let cached = folder.path().join(super::COPY);
        for damage in [None, Some("junk"), None] {
            if let Some(damage) = damage {
                assert!(cached.exists());
                std::fs::write(&cached, damage).unwrap();
            }
            let mut text = String::new();
            flate2::read::GzDecoder::new(open().compressed().unwrap())
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "a program");
        }
        // Another build takes its place.
        std::fs::write(&program, "a newer program").unwrap();
        open().compressed().unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
