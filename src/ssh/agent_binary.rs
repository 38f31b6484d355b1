//! The program that is pushed to hosts: kinstall itself.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::Digest;

use crate::private_file;
use crate::resource::Sha256;

/// Measured with a program of 20.8 MB: level 1 makes 9.4 MB of it, 3 makes 8.1, 6 and 9 make 7.9; 3 takes
/// three times as long as 1, 6 and 9 take three and six times as long as 3.
const LEVEL: u32 = 3;

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
        Ok(Self {
            sha256: hash(fs::File::open(file)?)?,
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
        let bytes = match fs::read(&cached) {
            Ok(bytes) if self.is_copy(&bytes) => bytes,
            _ => {
                let bytes = self.compress()?;
                // Without a cache it is only slower.
                let _ = private_file::write(&cached, &bytes);
                bytes
            }
        };
        Ok(self.compressed.get_or_init(|| bytes))
    }

    fn is_copy(&self, compressed: &[u8]) -> bool {
        hash(GzDecoder::new(compressed)).is_ok_and(|sha256| sha256 == self.sha256)
    }

    fn compress(&self) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(LEVEL));
        encoder.write_all(&fs::read(&self.file)?)?;
        encoder.finish()
    }
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

    use super::AgentBinary;

    #[test]
    fn a_damaged_cache_is_not_pushed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "a program").unwrap();
        let open = || AgentBinary::open(&program, folder.path()).unwrap();
        let cached = folder.path().join(format!("agent-{}.gz", open().sha256));
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
    }
}
