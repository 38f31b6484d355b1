//! The program that is pushed to hosts: kinstall itself.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::Digest;

use super::private_file;
use crate::resource::Sha256;

/// Level 6: level 9 takes four times as long for one percent less.
const LEVEL: u32 = 6;

/// An executable that speaks the agent's protocol, named by its content.
#[derive(Debug)]
pub struct AgentBinary {
    pub sha256: Sha256,
    /// What `uname -sm` prints where it runs: `Linux x86_64`.
    pub system: String,
    /// Folders that may hold it on hosts, best first.
    pub folders: Vec<String>,
    file: PathBuf,
    /// Folder of compressed copies.
    cache: PathBuf,
    compressed: OnceLock<Vec<u8>>,
}

impl AgentBinary {
    /// Takes the running program. `cache` is a folder that may be emptied at any time.
    pub fn current(cache: &Path) -> io::Result<Self> {
        Self::open(Path::new("/proc/self/exe"), cache)
    }

    /// Takes any executable for this computer's architecture.
    pub fn open(file: &Path, cache: &Path) -> io::Result<Self> {
        let mut hasher = sha2::Sha256::new();
        let mut reader = fs::File::open(file)?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                count => hasher.update(&buffer[..count]),
            }
        }
        Ok(Self {
            sha256: Sha256::from_hasher(hasher),
            system: format!("Linux {}", std::env::consts::ARCH),
            folders: ["/usr/local/libexec/kinstall", "/var/lib/kinstall/agent"]
                .map(str::to_owned)
                .to_vec(),
            file: file.to_owned(),
            cache: cache.to_owned(),
            compressed: OnceLock::new(),
        })
    }

    /// Returns the gzipped program; compressed only once per build.
    pub(super) fn compressed(&self) -> io::Result<&[u8]> {
        if let Some(bytes) = self.compressed.get() {
            return Ok(bytes);
        }
        let cached = self.cache.join(format!("agent-{}.gz", self.sha256));
        let bytes = if let Ok(bytes) = fs::read(&cached) {
            bytes
        } else {
            let bytes = self.compress()?;
            // Without a cache it is only slower.
            let _ = private_file::write(&cached, &bytes);
            bytes
        };
        Ok(self.compressed.get_or_init(|| bytes))
    }

    fn compress(&self) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
        encoder.write_all(&fs::read(&self.file)?)?;
        encoder.finish()
    }
}
