//! Builds again when a file is added that is part of the program (the embedding macro only sees those that it knew),
//! and puts Linux agents into builds for other systems.
//!
//! Those builds need a kinstall for Linux of the same version, by the path that an environment variable
//! gives: `KINSTALL_AGENT_LINUX_X86_64`, `KINSTALL_AGENT_LINUX_AARCH64`.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Architecture, environment variable, and the number that ELF has for the architecture.
const AGENTS: [(&str, &str, u8); 2] = [
    ("x86_64", "KINSTALL_AGENT_LINUX_X86_64", 62),
    ("aarch64", "KINSTALL_AGENT_LINUX_AARCH64", 183),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    for folder in ["addons", "checks", "components", "playbooks", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    let is_linux = env::var("CARGO_CFG_TARGET_OS")? == "linux";
    let needed = env::var("CARGO_CFG_TARGET_ARCH")?;
    let is_release = env::var("PROFILE")? == "release";
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut list = String::new();
    for (architecture, variable, machine) in AGENTS {
        println!("cargo::rerun-if-env-changed={variable}");
        // On Linux, kinstall is its own agent.
        let path = env::var_os(variable).filter(|path| !is_linux && !path.is_empty());
        if let Some(path) = path {
            let name = format!("agent-{architecture}.gz");
            compress(Path::new(&path), machine, &out.join(&name))
                .map_err(|error| format!("{variable}={}: {error}", path.display()))?;
            writeln!(
                list,
                "EmbeddedAgent {{ architecture: {architecture:?}, gzip: \
                 include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")) }},"
            )?;
        } else if !is_linux && is_release && architecture == needed {
            println!(
                "cargo::error=kinstall for another system than Linux carries its Linux agent: build \
                 kinstall for {architecture} Linux first, and give its path in {variable}"
            );
        }
    }
    fs::write(out.join("embedded_agents.rs"), format!("&[{list}]"))?;
    Ok(())
}

fn compress(program: &Path, machine: u8, gzip: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", program.display());
    let bytes = fs::read(program)?;
    if !bytes.starts_with(b"\x7fELF") || bytes.get(18) != Some(&machine) {
        return Err("not a Linux program for that architecture".into());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    fs::write(gzip, encoder.finish()?)?;
    Ok(())
}
